//! Jobs: what the server has to do later, or until it succeeds, whatever becomes of the process.
//!
//! A worker takes a job by a change that moves it to the end of a lease and counts the attempt, under
//! the condition that nobody did so since it was read ([`Precondition::JobIs`]). Whoever is killed
//! before the job is done leaves it to others when the lease has ended; whoever is late finds that
//! the condition does not hold any more. So several processes may work at the same jobs, and a job is
//! done at least once.
//!
//! [`Precondition::JobIs`]: crate::Precondition::JobIs

use async_trait::async_trait;
use tidings_domain::{JobId, Timestamp};

use crate::error::StorageError;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobKind {
    /// An event goes to the receiver of an outgoing webhook.
    Delivery,
    /// Somebody looks at what the links of a message lead to.
    Preview,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Delivery, Self::Preview];

    /// The word under which it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Preview => "preview",
        }
    }

    /// The kind of a word; `None` of one that a newer version wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A job as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// With what: JSON of the kind's own shape. No secrets.
    pub payload: String,
    /// Not before this time.
    pub due: Timestamp,
    /// How often it was begun.
    pub attempts: u32,
    /// When it came to be.
    pub created_at: Timestamp,
}

/// Reads of jobs.
#[async_trait]
pub trait JobRepository {
    /// Jobs that are due, the longest waiting first, at most `limit`. Those of kinds that only a
    /// newer version knows are left out.
    async fn jobs_due(&self, now: Timestamp, limit: usize) -> Result<Vec<StoredJob>, StorageError>;

    /// When the next job is due.
    async fn next_job(&self) -> Result<Option<Timestamp>, StorageError>;
}

//! The log itself, read back.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{CommunityId, Fact, LogId, Position, Seq, Timestamp, UserId};

use crate::error::StorageError;

/// An entry that was committed, ready to be delivered.
#[derive(Debug, Clone)]
pub struct CommittedEntry {
    /// In the order of commits.
    pub position: Position,
    /// Which log.
    pub log: LogId,
    /// In that log.
    pub seq: Seq,
    /// The community that the log belongs to.
    pub community: Option<CommunityId>,
    /// Who did it.
    pub actor: UserId,
    /// What happened; `None` when it has been erased since.
    pub fact: Option<Arc<Fact>>,
    /// The event as JSON, encoded once; of an erased entry the event with `data` null.
    pub event: Bytes,
}

/// Entries that were committed together, in order of positions.
#[derive(Debug, Clone, Default)]
pub struct CommittedBatch {
    /// At least one, without gaps.
    pub entries: Vec<CommittedEntry>,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// In the order of commits.
    pub position: Position,
    /// Which log.
    pub log: LogId,
    /// In that log.
    pub seq: Seq,
    /// The community that the log belongs to.
    pub community: Option<CommunityId>,
    /// Who did it.
    pub actor: UserId,
    /// When.
    pub at: Timestamp,
    /// The event's type.
    pub kind: String,
    /// The event's data as canonical JSON, and its salt; `None` once erased.
    pub data: Option<(Bytes, [u8; 32])>,
    /// Commits to salt and data.
    pub commitment: [u8; 32],
    /// The hash of the entry before.
    pub prev: [u8; 32],
    /// The hash of this one.
    pub hash: [u8; 32],
}

/// One page of what a user may see.
#[derive(Debug, Clone, Default)]
pub struct VisiblePage {
    /// Events in order of positions, each as JSON.
    pub events: Vec<VisibleEvent>,
    /// Everything up to here has been looked at; never past the head.
    pub reached: Position,
    /// Whether there is more up to the limit that was asked for.
    pub has_more: bool,
}

/// One event that a user may see.
#[derive(Debug, Clone)]
pub struct VisibleEvent {
    /// In the order of commits.
    pub position: Position,
    /// The event's type.
    pub kind: Arc<str>,
    /// The event as JSON.
    pub event: Bytes,
}

/// The logs that a user receives events of, as they were at one place in the order of commits.
#[derive(Debug, Clone)]
pub struct UserLogs {
    /// Each once, in no order.
    pub logs: Vec<LogId>,
    /// Joining and leaving up to here is in them, and nothing later.
    pub at: Position,
}

/// Reads of the log.
#[async_trait]
pub trait EntryRepository: std::fmt::Debug + Send + Sync {
    /// The random id of this order of commits; another one after a restore.
    async fn generation(&self) -> Result<u64, StorageError>;

    /// The newest position; 0 in an empty store.
    async fn head(&self) -> Result<Position, StorageError>;

    /// The newest place in a log; 0 when it has no entries.
    async fn log_head(&self, log: LogId) -> Result<Seq, StorageError>;

    /// Entries of one log after a place, ascending, at most `limit`.
    async fn entries(
        &self,
        log: LogId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StorageError>;

    /// What a user may see after a position and up to another, at most `limit` events, ascending.
    /// A log is visible from the user's newest joining on, that entry included. Membership is what
    /// it is now, not what it was when the entry came: of a log that they left, users see nothing
    /// but the entry that says so. An erased entry is an event with `data` null.
    /// A page may be short or empty and still have more: the work of one call is bounded.
    async fn visible(
        &self,
        user: UserId,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<VisiblePage, StorageError>;

    /// The logs that a user receives events of: own, communities, channels and DMs.
    async fn logs_of(&self, user: UserId) -> Result<UserLogs, StorageError>;
}

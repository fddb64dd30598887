//! Whom people have blocked.

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};

use crate::error::StorageError;

/// One person's decision to have nothing to do with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlock {
    /// Who decided.
    pub user_id: UserId,
    /// About whom.
    pub blocked: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// Reads of block lists.
#[async_trait]
pub trait BlockRepository {
    /// Whom the user has blocked, by id; at most 1,000.
    async fn blocks_of(&self, user: UserId) -> Result<Vec<StoredBlock>, StorageError>;

    /// Whether a block stands between the user and each of the others, whoever made it; in the
    /// order of the question.
    async fn blocked_between(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<Vec<bool>, StorageError>;
}

//! What people have begun to write.

use async_trait::async_trait;
use tidings_domain::{ChannelId, MessageId, Timestamp, UserId};

use crate::error::StorageError;

/// A message that is not sent yet: one for each person and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDraft {
    /// Whose.
    pub user_id: UserId,
    /// Where it will be sent.
    pub channel_id: ChannelId,
    /// The thread, by its top-level message.
    pub parent_id: Option<MessageId>,
    /// What stands there; never empty.
    pub body: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Reads of drafts.
#[async_trait]
pub trait DraftRepository {
    /// The draft of one place.
    async fn draft(
        &self,
        user: UserId,
        channel: ChannelId,
        parent: Option<MessageId>,
    ) -> Result<Option<StoredDraft>, StorageError>;

    /// All drafts of the user, the latest first; at most 1,000.
    async fn drafts(&self, user: UserId) -> Result<Vec<StoredDraft>, StorageError>;
}

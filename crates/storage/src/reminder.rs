//! Reminders: promises that outlive the process that gave them.

use async_trait::async_trait;
use tidings_domain::{ChannelId, Timestamp, UserId};
use uuid::Uuid;

use crate::error::StorageError;

/// Something that somebody is to be told at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReminder {
    /// Its id.
    pub id: Uuid,
    /// Who wants to be reminded.
    pub user_id: UserId,
    /// The conversation in which they are told.
    pub channel_id: ChannelId,
    /// When.
    pub due_at: Timestamp,
    /// Of what, as Markdown.
    pub text: String,
}

/// Reads of reminders.
#[async_trait]
pub trait ReminderRepository {
    /// Reminders that are due at a time, the longest due first, at most `limit`.
    async fn due_reminders(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredReminder>, StorageError>;

    /// When the next reminder is due.
    async fn next_reminder(&self) -> Result<Option<Timestamp>, StorageError>;

    /// What somebody wants to be reminded of, the next one first; at most 1,000.
    async fn reminders_of(&self, user: UserId) -> Result<Vec<StoredReminder>, StorageError>;
}

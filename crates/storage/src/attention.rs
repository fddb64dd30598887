//! What calls for attention, and what people chose to be told.

use async_trait::async_trait;
use tidings_domain::{
    Attention, ChannelId, ChannelNotice, MessageId, Notification, NotificationId, Quiet, UserId,
};

use crate::error::StorageError;

/// A notification, and whether its user has seen it; [`crate::projection`] has the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNotification {
    /// What calls.
    pub notification: Notification,
    /// Whether it has been seen.
    pub read: bool,
}

/// Somebody in a channel, and what they chose to be told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Who.
    pub user: UserId,
    /// What they chose for the channel; `None` when they chose nothing.
    pub notice: Option<ChannelNotice>,
    /// When not to disturb them.
    pub quiet: Quiet,
}

/// Reads of what calls for attention.
#[async_trait]
pub trait AttentionRepository {
    /// Notifications older than one, newest first, at most `limit`; only unseen ones when `unread`.
    /// Calls to everybody in a channel are among them.
    async fn notifications(
        &self,
        user: UserId,
        unread: bool,
        before: NotificationId,
        limit: usize,
    ) -> Result<Vec<StoredNotification>, StorageError>;

    /// How many notifications the user has not seen.
    async fn unread_notifications(&self, user: UserId) -> Result<u64, StorageError>;

    /// What the user chose for all channels.
    async fn attention(&self, user: UserId) -> Result<Attention, StorageError>;

    /// Those of the users who are in the channel and have not blocked who speaks, by id.
    async fn listeners(
        &self,
        channel: ChannelId,
        speaker: UserId,
        users: &[UserId],
    ) -> Result<Vec<Listener>, StorageError>;

    /// Every keyword of anybody, each once.
    async fn keywords(&self) -> Result<Vec<String>, StorageError>;

    /// Who in the channel has one of these keywords, by id, at most `limit`.
    async fn keyword_listeners(
        &self,
        channel: ChannelId,
        keywords: &[String],
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError>;

    /// Who follows the thread of a message, and its author, by id, at most `limit`.
    async fn thread_followers(
        &self,
        root: MessageId,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError>;
}

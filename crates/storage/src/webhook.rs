//! Incoming webhooks: addresses at which other programs post.

use async_trait::async_trait;
use tidings_domain::{ChannelId, Timestamp, UserId, WebhookId};

use crate::change::Digest;
use crate::error::StorageError;

/// An incoming webhook as it is kept: the secret in its address only as its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWebhook {
    /// Its id; not a secret, and the author of what it posts.
    pub id: WebhookId,
    /// Where it posts.
    pub channel_id: ChannelId,
    /// What it is called, and posts under.
    pub name: String,
    /// SHA-256 of the token in its address.
    pub token_hash: Digest,
    /// Whether requests must be signed.
    pub signed: bool,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// Reads of incoming webhooks.
#[async_trait]
pub trait WebhookRepository {
    /// The webhook.
    async fn webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StorageError>;

    /// The webhooks of a channel by id, oldest first; at most 1,000.
    async fn webhooks_of(&self, channel: ChannelId) -> Result<Vec<StoredWebhook>, StorageError>;

    /// What the webhook has noted under a key: which message began a thread, how a build went.
    async fn webhook_note(
        &self,
        id: WebhookId,
        key: &Digest,
    ) -> Result<Option<String>, StorageError>;
}

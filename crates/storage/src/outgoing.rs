//! Outgoing webhooks: receivers that are told what happens.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, LogId, Position, Timestamp, UserId, WebhookId};

use crate::entry::CommittedEntry;
use crate::error::StorageError;

/// How many attempts of one webhook are kept.
pub const ATTEMPTS_KEPT: usize = 100;

/// An outgoing webhook as it is kept. Its secret is derived, and stands nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOutgoing {
    /// Its id.
    pub id: WebhookId,
    /// Whose events.
    pub community_id: CommunityId,
    /// Of this channel alone; of the community and its public channels when there is none.
    pub channel_id: Option<ChannelId>,
    /// What it is called.
    pub name: String,
    /// Where events go.
    pub url: String,
    /// Types of events, sorted; every one when empty.
    pub events: Vec<String>,
    /// How often its secret was replaced.
    pub generation: u32,
    /// When its secret was replaced last.
    pub rotated_at: Option<Timestamp>,
    /// How often it was changed; the store counts.
    pub revision: u32,
    /// Everything up to here was told, or is none of its business.
    pub position: Position,
    /// When the receiver accepted something last.
    pub succeeded_at: Option<Timestamp>,
    /// Since when it is off, and why.
    pub disabled: Option<(Timestamp, String)>,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// One attempt to deliver something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    /// By which webhook.
    pub webhook_id: WebhookId,
    /// What was delivered, as the receiver knows it; all attempts at one event have the same.
    pub message: String,
    /// 1 for the first attempt at the event.
    pub attempt: u32,
    /// The event's type.
    pub event: String,
    /// When.
    pub at: Timestamp,
    /// The status of the answer, when there was one.
    pub status: Option<u16>,
    /// What went wrong; empty when nothing did.
    pub error: String,
    /// When it is tried again; `None` when it is not.
    pub next_at: Option<Timestamp>,
}

/// An entry of a community, without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// In the order of commits.
    pub position: Position,
    /// Which log: the community's, or one of its channels'.
    pub log: LogId,
    /// The event's type.
    pub kind: String,
}

/// A stretch of what happened in a community.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Happenings {
    /// In order of positions.
    pub items: Vec<Happening>,
    /// Everything up to here has been looked at.
    pub reached: Position,
    /// Whether there is nothing behind it.
    pub at_head: bool,
}

/// Reads of outgoing webhooks, and of what they tell.
#[async_trait]
pub trait OutgoingRepository {
    /// The webhook.
    async fn outgoing(&self, id: WebhookId) -> Result<Option<StoredOutgoing>, StorageError>;

    /// The webhooks of a channel, or those of the community itself; oldest first, at most 1,000.
    async fn outgoing_of(
        &self,
        community: CommunityId,
        channel: Option<ChannelId>,
    ) -> Result<Vec<StoredOutgoing>, StorageError>;

    /// Every webhook that is not off, oldest first.
    async fn outgoing_active(&self) -> Result<Vec<StoredOutgoing>, StorageError>;

    /// The attempts of a webhook that are kept, newest first.
    async fn outgoing_attempts(&self, id: WebhookId) -> Result<Vec<StoredAttempt>, StorageError>;

    /// What happened in a community after a position, in its own log and in its channels', at most
    /// `limit` of it. The work of one call is bounded, so a stretch may be empty and not at the head.
    async fn happenings(
        &self,
        community: CommunityId,
        after: Position,
        limit: usize,
    ) -> Result<Happenings, StorageError>;

    /// The entry at a position.
    async fn entry_at(&self, position: Position) -> Result<Option<CommittedEntry>, StorageError>;
}

//! Bans, mutes, erasing many messages, and the log of what administrators did.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, MessageId, RestrictionKind, Timestamp, UserId};
use uuid::Uuid;

use crate::error::StorageError;

/// A ban or mute as it is kept. One that has ended counts for nothing, whether or not it is still
/// there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRestriction {
    /// In which community.
    pub community: CommunityId,
    /// Who.
    pub user: UserId,
    /// Ban or mute; of each a user has at most one in a community.
    pub kind: RestrictionKind,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Why; may be empty.
    pub reason: String,
    /// Who decided it.
    pub actor: UserId,
    /// When.
    pub at: Timestamp,
}

impl StoredRestriction {
    /// Whether it stands at `now`.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// One administrative act, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAudit {
    /// Its id, in order of time.
    pub id: Uuid,
    /// Where; nil for acts on the whole server.
    pub community: CommunityId,
    /// The private channel that the act is about: only who is in it may know. Nil otherwise.
    pub private: ChannelId,
    /// Who; nil for the operator and the server itself.
    pub actor: UserId,
    /// When.
    pub at: Timestamp,
    /// What was done, such as `member.ban`.
    pub action: String,
    /// The noun of what it was done to; empty without a target.
    pub target_kind: String,
    /// The id of what it was done to; nil without a target.
    pub target: Uuid,
    /// What the target was called; may be empty.
    pub target_name: String,
    /// More about it, as a JSON object.
    pub detail: String,
    /// The network address that it came from; may be empty.
    pub address: String,
}

/// Which messages of a channel are meant; tombstones never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    /// Only those of this author.
    pub author: Option<UserId>,
    /// Only those accepted at or after this time.
    pub since: Option<Timestamp>,
    /// Only those accepted before this time.
    pub before: Option<Timestamp>,
}

/// Reads of what moderators need.
#[async_trait]
pub trait ModerationRepository {
    /// The ban or mute of a user in a community, ended or not.
    async fn restriction(
        &self,
        kind: RestrictionKind,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<StoredRestriction>, StorageError>;

    /// Those that stand at `now`, in order of user ids after one, at most `limit`.
    async fn restrictions(
        &self,
        kind: RestrictionKind,
        community: CommunityId,
        now: Timestamp,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<StoredRestriction>, StorageError>;

    /// Whether the user is in the community or has ever been.
    async fn was_member(&self, community: CommunityId, user: UserId) -> Result<bool, StorageError>;

    /// Acts in a community (nil: on the server), newest first, those before an id, at most `limit`.
    /// Acts on private channels only when the reader is in them.
    async fn audit(
        &self,
        community: CommunityId,
        reader: UserId,
        before: Uuid,
        limit: usize,
    ) -> Result<Vec<StoredAudit>, StorageError>;

    /// The newest messages of a selection, replies too, newest first, at most `limit`.
    async fn newest_messages(
        &self,
        channel: ChannelId,
        selection: Selection,
        limit: usize,
    ) -> Result<Vec<MessageId>, StorageError>;

    /// The oldest messages of a selection, replies too, oldest first, at most `limit`.
    async fn oldest_messages(
        &self,
        channel: ChannelId,
        selection: Selection,
        limit: usize,
    ) -> Result<Vec<MessageId>, StorageError>;

    /// Channels whose messages are erased after a time, by id, with that time in seconds.
    async fn channels_with_retention(&self) -> Result<Vec<(ChannelId, u64)>, StorageError>;
}

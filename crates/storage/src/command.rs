//! Commands of bots, and who waits for an answer to one.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, Timestamp, User, UserId};
use uuid::Uuid;

use crate::error::StorageError;

/// A command that a bot offers in its community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCommand {
    /// The community.
    pub community_id: CommunityId,
    /// The bot.
    pub bot_id: UserId,
    /// What it is called, without the slash; no other bot of the community has the same.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// Its arguments, as JSON.
    pub args: String,
}

/// Somebody ran a command of a bot, and the bot may answer until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInvocation {
    /// Its id.
    pub id: Uuid,
    /// The bot.
    pub bot_id: UserId,
    /// Who ran it.
    pub user_id: UserId,
    /// Where.
    pub channel_id: ChannelId,
    /// When answers are not taken any more.
    pub expires_at: Timestamp,
}

/// Reads of commands of bots.
#[async_trait]
pub trait CommandRepository {
    /// The commands in a community with their bots, by name, of bots that are members and not
    /// disabled; at most 2,000.
    async fn commands_of(
        &self,
        community: CommunityId,
    ) -> Result<Vec<(StoredCommand, User)>, StorageError>;

    /// The commands of one bot, by name.
    async fn bot_commands(&self, bot: UserId) -> Result<Vec<StoredCommand>, StorageError>;

    /// An invocation; also one whose time is over, until it is pruned.
    async fn invocation(&self, id: Uuid) -> Result<Option<StoredInvocation>, StorageError>;
}

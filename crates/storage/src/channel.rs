//! Channels and DMs, and where their readers stand.

use async_trait::async_trait;
use tidings_domain::{Channel, ChannelId, ChannelNotice, CommunityId, Seq, UserId};

use crate::community::Membership;
use crate::error::StorageError;

/// A channel as one reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelView {
    /// The channel.
    pub channel: Channel,
    /// How many people are in it.
    pub member_count: u64,
    /// Whether the reader is in it.
    pub joined: bool,
    /// The newest place in its log.
    pub head_seq: Seq,
    /// Where the reader's marker stands; 0 when not joined.
    pub read_seq: Seq,
    /// Messages of the timeline after the marker; 0 when not joined.
    pub unread: u64,
    /// Those of them that name the reader.
    pub mentions: u64,
    /// What the reader chose to be told of it; `None` when they chose nothing.
    pub notice: Option<ChannelNotice>,
}

/// Reads of channels.
#[async_trait]
pub trait ChannelRepository {
    /// The channel.
    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, StorageError>;

    /// The channel as a reader sees it, whether joined or not.
    async fn channel_view(
        &self,
        id: ChannelId,
        reader: UserId,
    ) -> Result<Option<ChannelView>, StorageError>;

    /// Channels and DMs that the reader is in, by id.
    async fn joined_channels(&self, reader: UserId) -> Result<Vec<ChannelView>, StorageError>;

    /// Channels of a community that the reader may know of: public ones and those joined, by id.
    async fn community_channels(
        &self,
        community: CommunityId,
        reader: UserId,
    ) -> Result<Vec<ChannelView>, StorageError>;

    /// Channels of a community of these names that are not archived; private ones only when the
    /// reader is in them. At most 1,000 names.
    async fn channels_by_name(
        &self,
        community: CommunityId,
        names: &[String],
        reader: UserId,
    ) -> Result<Vec<Channel>, StorageError>;

    /// The DM of exactly these users, sorted.
    async fn dm(&self, users: &[UserId]) -> Result<Option<ChannelId>, StorageError>;

    /// Whether the user is in the channel.
    async fn in_channel(&self, channel: ChannelId, user: UserId) -> Result<bool, StorageError>;

    /// Members in order of user ids after one, at most `limit`.
    async fn channel_members(
        &self,
        channel: ChannelId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<Membership>, StorageError>;
}

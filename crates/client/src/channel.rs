//! Channels, DMs, and who is in them.

use tidings_domain::{ChannelId, CommunityId, UserId};
use tidings_wire::channel::{
    AddMember, Channel, CreateChannel, CreateDm, ReadState, SetRead, SetTyping, UpdateChannel,
};
use tidings_wire::community::Member;
use tidings_wire::{Entry, List};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Makes a channel.
    pub async fn create_channel(
        &self,
        community: CommunityId,
        request: &CreateChannel,
    ) -> Result<Channel, ClientError> {
        self.post(&["v1", "communities", &community.to_string(), "channels"])
            .json(request)
            .read()
            .await
    }

    /// The channels of a community that the caller may see, joined or not.
    pub async fn channels_of(&self, community: CommunityId) -> Result<Vec<Channel>, ClientError> {
        self.all_channels(&["v1", "communities", &community.to_string(), "channels"]).await
    }

    /// The channels and DMs that the caller is in.
    pub async fn channels(&self) -> Result<Vec<Channel>, ClientError> {
        self.all_channels(&["v1", "channels"]).await
    }

    async fn all_channels(&self, path: &[&str]) -> Result<Vec<Channel>, ClientError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let request = self.get(path).query("limit", 200).query_some("after", after.as_deref());
            let page: List<Channel> = request.read().await?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One channel.
    pub async fn channel(&self, id: ChannelId) -> Result<Channel, ClientError> {
        self.get(&["v1", "channels", &id.to_string()]).read().await
    }

    /// Changes a channel; what is absent in `change` stays.
    pub async fn update_channel(
        &self,
        id: ChannelId,
        change: &UpdateChannel,
    ) -> Result<Channel, ClientError> {
        self.patch(&["v1", "channels", &id.to_string()]).json(change).read().await
    }

    /// Makes a channel read-only, until an update opens it again.
    pub async fn archive_channel(&self, id: ChannelId) -> Result<(), ClientError> {
        self.delete(&["v1", "channels", &id.to_string()]).done().await
    }

    /// Joins a public channel; harmless when already in it.
    pub async fn join_channel(&self, id: ChannelId) -> Result<Channel, ClientError> {
        self.post(&["v1", "channels", &id.to_string(), "join"]).read().await
    }

    /// Leaves a channel.
    pub async fn leave_channel(&self, id: ChannelId) -> Result<(), ClientError> {
        self.post(&["v1", "channels", &id.to_string(), "leave"]).done().await
    }

    /// One page of the people in a channel.
    pub async fn channel_members_page(
        &self,
        id: ChannelId,
        after: Option<&str>,
    ) -> Result<List<Member>, ClientError> {
        self.get(&["v1", "channels", &id.to_string(), "members"])
            .query("limit", 200)
            .query_some("after", after)
            .read()
            .await
    }

    /// Adds somebody of the community to a channel.
    pub async fn add_channel_member(&self, id: ChannelId, user: UserId) -> Result<(), ClientError> {
        self.post(&["v1", "channels", &id.to_string(), "members"])
            .json(&AddMember { user_id: user.0 })
            .done()
            .await
    }

    /// Removes somebody from a channel.
    pub async fn remove_channel_member(
        &self,
        id: ChannelId,
        user: UserId,
    ) -> Result<(), ClientError> {
        self.delete(&["v1", "channels", &id.to_string(), "members", &user.to_string()]).done().await
    }

    /// The DM with exactly these people and oneself: the one that exists, or a new one.
    pub async fn open_dm(&self, users: &[UserId]) -> Result<Channel, ClientError> {
        let request = CreateDm { users: users.iter().map(|id| id.0).collect(), kind: None };
        self.post(&["v1", "dms"]).json(&request).read().await
    }

    /// Moves one's read marker forward to `seq`; a marker that is further stays.
    pub async fn mark_read(&self, id: ChannelId, seq: u64) -> Result<ReadState, ClientError> {
        self.set_read(id, &SetRead { seq, set: false }).await
    }

    /// Moves one's read marker to `seq`, backward too: everything after it is unread again.
    pub async fn mark_unread(&self, id: ChannelId, seq: u64) -> Result<ReadState, ClientError> {
        self.set_read(id, &SetRead { seq, set: true }).await
    }

    async fn set_read(&self, id: ChannelId, request: &SetRead) -> Result<ReadState, ClientError> {
        self.put(&["v1", "channels", &id.to_string(), "read"]).json(request).read().await
    }

    /// Tells the channel that one has begun typing.
    pub async fn start_typing(&self, id: ChannelId) -> Result<(), ClientError> {
        self.set_typing(id, "start").await
    }

    /// Tells the channel that one has stopped typing.
    pub async fn stop_typing(&self, id: ChannelId) -> Result<(), ClientError> {
        self.set_typing(id, "stop").await
    }

    async fn set_typing(&self, id: ChannelId, state: &str) -> Result<(), ClientError> {
        self.post(&["v1", "channels", &id.to_string(), "typing"])
            .json(&SetTyping { state: state.to_owned() })
            .done()
            .await
    }

    /// Entries of the channel's log after `after`, ascending, at most `limit` (1 to 200).
    pub async fn log(
        &self,
        id: ChannelId,
        after: u64,
        limit: u16,
    ) -> Result<List<Entry>, ClientError> {
        self.get(&["v1", "channels", &id.to_string(), "log"])
            .query("after", after)
            .query("limit", limit)
            .read()
            .await
    }
}

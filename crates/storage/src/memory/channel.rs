//! Channels and DMs, their members and read markers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use async_trait::async_trait;
use tidings_domain::{Channel, ChannelId, CommunityId, LogId, MessageId, Seq, UserId, Visibility};

use crate::channel::{ChannelRepository, ChannelView};
use crate::community::Membership;
use crate::error::StorageError;
use crate::memory::block::Blocks;
use crate::memory::community::{Member, Members, page};
use crate::memory::projection::Projections;
use crate::memory::{MemoryStore, State};

/// Whom a message that counts names.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) author: UserId,
    pub(super) users: BTreeSet<UserId>,
    pub(super) everyone: bool,
}

/// One conversation, as its log tells it.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Absent until the conversation's own log has said what it is.
    pub(super) channel: Option<Channel>,
    pub(super) members: Members,
    /// Where the markers of those who are in it stand.
    pub(super) markers: BTreeMap<UserId, Seq>,
    /// Where the markers of those who follow a thread stand, by its top-level message.
    pub(super) threads: BTreeMap<(UserId, MessageId), Seq>,
    /// Top-level messages and broadcast replies, tombstones too.
    pub(super) timeline: BTreeMap<Seq, MessageId>,
    pub(super) message_count: u64,
    /// Messages that count, each with its number.
    pub(super) counted: BTreeMap<Seq, u64>,
    /// Deleted messages that had counted.
    pub(super) tombstones: BTreeSet<Seq>,
    pub(super) mentions: BTreeMap<Seq, Named>,
}

impl Room {
    pub(super) fn has(&self, user: UserId) -> bool {
        self.members.get(&user).is_some_and(Member::is_present)
    }

    /// Messages that count after a marker, and those of them that name the reader.
    fn after(&self, marker: Seq, reader: UserId, blocks: &Blocks) -> (u64, u64) {
        let later = (Bound::Excluded(marker), Bound::Unbounded);
        let read = self.counted.range(..=marker).next_back().map_or(0, |(_, number)| *number);
        let gone = self.tombstones.range(later).count() as u64;
        let names_reader = |named: &Named| {
            named.author != reader
                && !blocks.has(reader, named.author)
                && (named.everyone || named.users.contains(&reader))
        };
        let mentions = self.mentions.range(later).filter(|(_, it)| names_reader(it)).count();
        (self.message_count - read - gone, mentions as u64)
    }
}

impl Projections {
    pub(super) fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.rooms.get(&id)?.channel.as_ref()
    }

    pub(super) fn channels_in(&self, community: CommunityId) -> impl Iterator<Item = &Channel> {
        let all = self.rooms.values().filter_map(|room| room.channel.as_ref());
        all.filter(move |channel| channel.community_id == Some(community))
    }

    pub(super) fn channel_name_free(
        &self,
        community: CommunityId,
        name: &str,
        id: ChannelId,
    ) -> bool {
        !self.channels_in(community).any(|channel| {
            channel.id != id && !channel.archived && channel.name.as_deref() == Some(name)
        })
    }

    pub(super) fn dm(&self, users: &[UserId]) -> Option<ChannelId> {
        let all = self.rooms.values().filter_map(|room| room.channel.as_ref());
        let mut dms = all.filter(|it| it.community_id.is_none() && it.dm_users == users);
        dms.next().map(|channel| channel.id)
    }

    pub(super) fn in_channel(&self, channel: ChannelId, user: UserId) -> bool {
        self.rooms.get(&channel).is_some_and(|room| room.has(user))
    }

    pub(super) fn marker(&self, channel: ChannelId, user: UserId) -> Seq {
        let room = self.rooms.get(&channel);
        room.and_then(|room| room.markers.get(&user)).copied().unwrap_or_default()
    }

    /// What a user would have unread with a marker there; nothing when not in the channel.
    pub(super) fn unread_after(
        &self,
        channel: ChannelId,
        user: UserId,
        marker: Seq,
        blocks: &Blocks,
    ) -> (u64, u64) {
        let room = self.rooms.get(&channel).filter(|room| room.has(user));
        room.map_or((0, 0), |room| room.after(marker, user, blocks))
    }

    fn may_know(&self, channel: &Channel, reader: UserId) -> bool {
        channel.visibility == Visibility::Public || self.in_channel(channel.id, reader)
    }
}

impl State {
    fn view(&self, id: ChannelId, reader: UserId) -> Option<ChannelView> {
        let room = self.projections.rooms.get(&id)?;
        let channel = room.channel.clone()?;
        let read_seq = self.projections.marker(id, reader);
        let (unread, mentions) = self.projections.unread_after(id, reader, read_seq, &self.blocks);
        Some(ChannelView {
            channel,
            member_count: room.members.values().filter(|it| it.is_present()).count() as u64,
            joined: room.has(reader),
            head_seq: self.log.head_of(LogId::Conversation(id)),
            read_seq,
            unread,
            mentions,
            notice: self.projections.attentions.notice(reader, id),
        })
    }
}

#[async_trait]
impl ChannelRepository for MemoryStore {
    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, StorageError> {
        Ok(self.state().projections.channel(id).cloned())
    }

    async fn channel_view(
        &self,
        id: ChannelId,
        reader: UserId,
    ) -> Result<Option<ChannelView>, StorageError> {
        Ok(self.state().view(id, reader))
    }

    async fn joined_channels(&self, reader: UserId) -> Result<Vec<ChannelView>, StorageError> {
        let state = self.state();
        let joined = state.projections.rooms.iter().filter(|(_, room)| room.has(reader));
        Ok(joined.filter_map(|(id, _)| state.view(*id, reader)).collect())
    }

    async fn community_channels(
        &self,
        community: CommunityId,
        reader: UserId,
    ) -> Result<Vec<ChannelView>, StorageError> {
        let state = self.state();
        let all = state.projections.channels_in(community);
        let known = all.filter(|channel| state.projections.may_know(channel, reader));
        Ok(known.filter_map(|channel| state.view(channel.id, reader)).collect())
    }

    async fn channels_by_name(
        &self,
        community: CommunityId,
        names: &[String],
        reader: UserId,
    ) -> Result<Vec<Channel>, StorageError> {
        let state = self.state();
        let all = state.projections.channels_in(community).filter(|channel| !channel.archived);
        let known = all.filter(|channel| state.projections.may_know(channel, reader));
        Ok(known
            .filter(|channel| channel.name.as_ref().is_some_and(|name| names.contains(name)))
            .cloned()
            .collect())
    }

    async fn dm(&self, users: &[UserId]) -> Result<Option<ChannelId>, StorageError> {
        Ok(self.state().projections.dm(users))
    }

    async fn in_channel(&self, channel: ChannelId, user: UserId) -> Result<bool, StorageError> {
        Ok(self.state().projections.in_channel(channel, user))
    }

    async fn channel_members(
        &self,
        channel: ChannelId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<Membership>, StorageError> {
        let state = self.state();
        let Some(room) = state.projections.rooms.get(&channel) else { return Ok(Vec::new()) };
        let mut found = page(&room.members, &state.accounts, after, limit);
        let community = room.channel.as_ref().and_then(|channel| channel.community_id);
        let members = community.and_then(|id| state.projections.communities.get(&id));
        for membership in &mut found {
            let member = members.and_then(|members| members.get(&membership.user.id));
            membership.nickname = member.and_then(|member| member.nickname.clone());
        }
        Ok(found)
    }
}

//! Bans, mutes, the audit log, and selections of messages.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, MessageId, RestrictionKind, Timestamp, UserId};
use uuid::Uuid;

use crate::error::StorageError;
use crate::memory::message::MessageRow;
use crate::memory::projection::Projections;
use crate::memory::{MemoryStore, State};
use crate::moderation::{ModerationRepository, Selection, StoredAudit, StoredRestriction};

type Key = (&'static str, CommunityId, UserId);

#[derive(Debug, Default)]
pub(super) struct Moderation {
    restrictions: BTreeMap<Key, StoredRestriction>,
    audit: BTreeMap<(CommunityId, Uuid), StoredAudit>,
}

impl Moderation {
    pub(super) fn put(&mut self, row: StoredRestriction) {
        self.restrictions.insert((row.kind.as_str(), row.community, row.user), row);
    }

    pub(super) fn delete(&mut self, kind: RestrictionKind, community: CommunityId, user: UserId) {
        self.restrictions.remove(&(kind.as_str(), community, user));
    }

    pub(super) fn stands(
        &self,
        kind: RestrictionKind,
        community: CommunityId,
        user: UserId,
        now: Timestamp,
    ) -> bool {
        let row = self.restrictions.get(&(kind.as_str(), community, user));
        row.is_some_and(|row| row.stands(now))
    }

    pub(super) fn note(&mut self, act: StoredAudit) {
        self.audit.insert((act.community, act.id), act);
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        self.restrictions.retain(|_, row| row.until.is_none_or(|until| until >= now));
    }
}

impl Projections {
    fn select(&self, channel: ChannelId, selection: Selection) -> BTreeMap<u64, MessageId> {
        let Selection { author, since, before } = selection;
        let meant = |row: &&MessageRow| {
            row.channel == channel
                && !row.deleted
                && author.is_none_or(|author| row.remains.author_id == author)
                && since.is_none_or(|since| row.remains.created_at >= since)
                && before.is_none_or(|before| row.remains.created_at < before)
        };
        let rows = self.messages.values().filter(meant);
        rows.map(|row| (row.seq.0, row.remains.message_id)).collect()
    }
}

impl State {
    fn may_read_act(&self, act: &StoredAudit, reader: UserId) -> bool {
        act.private == ChannelId::NIL || self.projections.in_channel(act.private, reader)
    }
}

#[async_trait]
impl ModerationRepository for MemoryStore {
    async fn restriction(
        &self,
        kind: RestrictionKind,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<StoredRestriction>, StorageError> {
        let key = (kind.as_str(), community, user);
        Ok(self.state().moderation.restrictions.get(&key).cloned())
    }

    async fn restrictions(
        &self,
        kind: RestrictionKind,
        community: CommunityId,
        now: Timestamp,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<StoredRestriction>, StorageError> {
        let state = self.state();
        let later = (Bound::Excluded((kind.as_str(), community, after)), Bound::Unbounded);
        let rows = state.moderation.restrictions.range(later).map(|(_, row)| row);
        let here = rows.take_while(|row| row.kind == kind && row.community == community);
        Ok(here.filter(|row| row.stands(now)).take(limit).cloned().collect())
    }

    async fn was_member(&self, community: CommunityId, user: UserId) -> Result<bool, StorageError> {
        let state = self.state();
        let members = state.projections.communities.get(&community);
        Ok(members.is_some_and(|members| members.contains_key(&user)))
    }

    async fn audit(
        &self,
        community: CommunityId,
        reader: UserId,
        before: Uuid,
        limit: usize,
    ) -> Result<Vec<StoredAudit>, StorageError> {
        let state = self.state();
        let rows = state.moderation.audit.range((community, Uuid::nil())..(community, before));
        let acts = rows.rev().map(|(_, act)| act);
        Ok(acts.filter(|act| state.may_read_act(act, reader)).take(limit).cloned().collect())
    }

    async fn newest_messages(
        &self,
        channel: ChannelId,
        selection: Selection,
        limit: usize,
    ) -> Result<Vec<MessageId>, StorageError> {
        let found = self.state().projections.select(channel, selection);
        Ok(found.into_values().rev().take(limit).collect())
    }

    async fn oldest_messages(
        &self,
        channel: ChannelId,
        selection: Selection,
        limit: usize,
    ) -> Result<Vec<MessageId>, StorageError> {
        let found = self.state().projections.select(channel, selection);
        Ok(found.into_values().take(limit).collect())
    }

    async fn channels_with_retention(&self) -> Result<Vec<(ChannelId, u64)>, StorageError> {
        let state = self.state();
        let channels = state.projections.rooms.values().filter_map(|room| room.channel.as_ref());
        Ok(channels.filter_map(|channel| Some((channel.id, channel.retention_s?))).collect())
    }
}

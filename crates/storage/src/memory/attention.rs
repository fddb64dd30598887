//! Notifications, and what people chose to be told.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tidings_domain::{
    Attention, ChannelId, ChannelNotice, Fact, MessageId, Notification, NotificationId,
    NotificationKind, NotifyLevel, Position, Timestamp, UserId,
};

use crate::attention::{AttentionRepository, Listener, StoredNotification};
use crate::entry::StoredEntry;
use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::memory::block::Blocks;
use crate::memory::projection::Projections;

/// What the logs of users say about their attention, and the calls to everybody.
#[derive(Debug, Default)]
pub(super) struct Attentions {
    rows: BTreeMap<(UserId, NotificationId), (Position, Notification)>,
    seen: BTreeSet<(UserId, NotificationId)>,
    notices: BTreeMap<(UserId, ChannelId), ChannelNotice>,
    chosen: BTreeMap<UserId, Attention>,
    calls: BTreeMap<(ChannelId, MessageId), Timestamp>,
    pub(super) saved: BTreeSet<(UserId, MessageId)>,
}

impl Attentions {
    /// Follows an entry of a user's log.
    pub(super) fn follow(&mut self, user: UserId, stored: &StoredEntry, fact: &Fact) {
        match fact {
            Fact::NotificationCreated(it) => {
                self.rows.entry((user, it.id)).or_insert((stored.position, (**it).clone()));
            }
            Fact::NotificationRead { ids } => self.seen.extend(ids.iter().map(|id| (user, *id))),
            Fact::NotifyUpdated { channel_id, notice } => {
                self.notices.insert((user, *channel_id), *notice);
            }
            Fact::AttentionUpdated(chosen) => {
                self.chosen.insert(user, (**chosen).clone());
            }
            Fact::MessageSaved { message_id, .. } => {
                self.saved.insert((user, *message_id));
            }
            Fact::MessageUnsaved { message_id, .. } => {
                self.saved.remove(&(user, *message_id));
            }
            _ => {}
        }
    }

    /// A message calls everybody.
    pub(super) fn call(&mut self, channel: ChannelId, message: MessageId, at: Timestamp) {
        self.calls.insert((channel, message), at);
    }

    /// A message calls nobody any more.
    pub(super) fn forget(&mut self, channel: ChannelId, message: MessageId) {
        self.calls.remove(&(channel, message));
    }

    pub(super) fn notice(&self, user: UserId, channel: ChannelId) -> Option<ChannelNotice> {
        self.notices.get(&(user, channel)).copied()
    }

    /// Every row as lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let rows = self.rows.iter();
        let rows = rows.map(|((user, _), row)| format!("notifications|user={user}|{row:?}"));
        let seen = self.seen.iter().map(|row| format!("notification_reads|{row:?}"));
        let notices = self.notices.iter().map(|row| format!("channel_notices|{row:?}"));
        let chosen = self.chosen.iter().map(|row| format!("attention|{row:?}"));
        let calls = self.calls.iter().map(|row| format!("calls|{row:?}"));
        let saved = self.saved.iter().map(|row| format!("saved|{row:?}"));
        rows.chain(seen).chain(notices).chain(chosen).chain(calls).chain(saved).collect()
    }
}

impl Projections {
    /// A user's notifications, newest first.
    fn listed(&self, user: UserId, blocks: &Blocks) -> Vec<StoredNotification> {
        let attentions = &self.attentions;
        let own = attentions.rows.range((user, NotificationId::NIL)..);
        let own = own.take_while(|((owner, _), _)| *owner == user);
        let own = own.map(|(_, (position, it))| (*position, it.clone()));
        let calls = attentions.calls.iter().filter_map(|((channel, message), at)| {
            let row = self.message(*message)?;
            let id = NotificationId(message.0);
            let notice = attentions.notice(user, *channel);
            let silent = notice.is_some_and(|it| it.level == NotifyLevel::Nothing || it.muted(*at));
            if silent || row.remains.author_id == user || attentions.rows.contains_key(&(user, id))
            {
                return None;
            }
            let notification = Notification {
                id,
                kind: NotificationKind::Mention,
                community_id: self.channel(*channel).and_then(|channel| channel.community_id),
                channel_id: Some(*channel),
                message_id: Some(*message),
                parent_id: row.remains.parent_id,
                actor: row.remains.author_id,
                quiet: false,
                created_at: *at,
            };
            Some((row.position, notification))
        });
        let mut listed: Vec<_> = own
            .chain(calls)
            .filter(|(_, notification)| !blocks.has(user, notification.actor))
            .filter_map(|(position, notification)| {
                let marked = attentions.seen.contains(&(user, notification.id));
                let passed = match notification.message_id {
                    Some(message) => self.passed(user, message, position)?,
                    None => false,
                };
                Some(StoredNotification { notification, read: marked || passed })
            })
            .collect();
        listed.sort_unstable_by_key(|it| std::cmp::Reverse(it.notification.id));
        listed
    }

    /// Whether the user's markers have passed a message; `None` when it is not for them any more.
    fn passed(&self, user: UserId, message: MessageId, position: Position) -> Option<bool> {
        let row = self.message(message).filter(|row| !row.deleted)?;
        let room = self.rooms.get(&row.channel)?;
        let member = room.members.get(&user).filter(|member| member.is_present())?;
        if member.joined >= position {
            return None;
        }
        let marker = self.marker(row.channel, user);
        let in_timeline = row.remains.in_timeline() && row.seq <= marker;
        let in_thread = row.remains.parent_id.is_some_and(|top| {
            row.seq <= room.threads.get(&(user, top)).copied().unwrap_or(marker)
        });
        Some(in_timeline || in_thread)
    }
}

#[async_trait]
impl AttentionRepository for MemoryStore {
    async fn notifications(
        &self,
        user: UserId,
        unread: bool,
        before: NotificationId,
        limit: usize,
    ) -> Result<Vec<StoredNotification>, StorageError> {
        let state = self.state();
        let listed = state.projections.listed(user, &state.blocks);
        let wanted = listed.into_iter().filter(|it| it.notification.id < before);
        Ok(wanted.filter(|it| !(unread && it.read)).take(limit).collect())
    }

    async fn unread_notifications(&self, user: UserId) -> Result<u64, StorageError> {
        let state = self.state();
        let listed = state.projections.listed(user, &state.blocks);
        Ok(listed.iter().filter(|it| !it.read).count() as u64)
    }

    async fn attention(&self, user: UserId) -> Result<Attention, StorageError> {
        let state = self.state();
        Ok(state.projections.attentions.chosen.get(&user).cloned().unwrap_or_default())
    }

    async fn listeners(
        &self,
        channel: ChannelId,
        speaker: UserId,
        users: &[UserId],
    ) -> Result<Vec<Listener>, StorageError> {
        let state = self.state();
        let attentions = &state.projections.attentions;
        let users: BTreeSet<_> = users.iter().copied().collect();
        let here = users.into_iter().filter(|it| {
            state.projections.in_channel(channel, *it) && !state.blocks.has(*it, speaker)
        });
        Ok(here
            .map(|user| Listener {
                user,
                notice: attentions.notice(user, channel),
                quiet: attentions.chosen.get(&user).map(|it| it.quiet).unwrap_or_default(),
            })
            .collect())
    }

    async fn keywords(&self) -> Result<Vec<String>, StorageError> {
        let state = self.state();
        let all = state.projections.attentions.chosen.values().flat_map(|it| &it.keywords);
        Ok(all.cloned().collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn keyword_listeners(
        &self,
        channel: ChannelId,
        keywords: &[String],
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        let state = self.state();
        let chosen = state.projections.attentions.chosen.iter();
        let wanted = chosen.filter(|(_, it)| it.keywords.iter().any(|it| keywords.contains(it)));
        let here = wanted.filter(|(user, _)| state.projections.in_channel(channel, **user));
        Ok(here.map(|(user, _)| *user).take(limit).collect())
    }

    async fn thread_followers(
        &self,
        root: MessageId,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        let state = self.state();
        let Some(row) = state.projections.message(root) else { return Ok(Vec::new()) };
        let here = state.projections.rooms.get(&row.channel);
        let threads = here.into_iter().flat_map(|room| room.threads.keys());
        let followers = threads.filter(|(_, top)| *top == root).map(|(user, _)| *user);
        let all: BTreeSet<_> = followers.chain([row.remains.author_id]).collect();
        Ok(all.into_iter().take(limit).collect())
    }
}

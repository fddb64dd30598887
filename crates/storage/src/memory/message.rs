//! Messages, reactions and pages of them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{
    ChannelId, Emoji, Fact, Message, MessageId, Position, Seq, Timestamp, UserId,
};

use crate::error::StorageError;
use crate::memory::projection::Projections;
use crate::memory::{MemoryStore, State};
use crate::message::{
    MessagePage, MessageRepository, PageAt, StoredMessage, StoredReaction, StoredThread,
    StoredVersion,
};
use crate::projection::Remains;

/// One person's reaction.
#[derive(Debug)]
pub(super) struct Reacted {
    pub(super) emoji: Emoji,
    pub(super) user: UserId,
    /// Where the emoji stands: the `seq` at which its first reaction came.
    pub(super) place: Seq,
}

/// What the newest version says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) data: Bytes,
    pub(super) fact: Arc<Fact>,
}

/// A message, or its tombstone.
#[derive(Debug)]
pub(super) struct MessageRow {
    pub(super) remains: Remains,
    pub(super) channel: ChannelId,
    pub(super) seq: Seq,
    pub(super) position: Position,
    pub(super) edited_at: Option<Timestamp>,
    pub(super) deleted: bool,
    /// The position of the entry that pinned it.
    pub(super) pinned: Option<Position>,
    pub(super) reply_count: u32,
    pub(super) last_reply_at: Option<Timestamp>,
    pub(super) said: Option<Said>,
    /// The entries that hold what was said, oldest first.
    pub(super) versions: Vec<Position>,
    /// Replies, tombstones too.
    pub(super) replies: BTreeMap<Seq, MessageId>,
    pub(super) reactions: Vec<Reacted>,
}

impl MessageRow {
    /// The message in its newest version; `None` once deleted.
    pub(super) fn newest(&self) -> Option<&Message> {
        match &*self.said.as_ref()?.fact {
            Fact::MessageCreated { message }
            | Fact::MessageEdited { message }
            | Fact::MessagePreviewed { message } => Some(message),
            _ => None,
        }
    }

    pub(super) fn has_reaction(&self, user: UserId, emoji: &Emoji) -> bool {
        self.reactions.iter().any(|it| it.user == user && it.emoji == *emoji)
    }

    pub(super) fn can_add(&self, user: UserId, emoji: &Emoji, kinds: usize) -> bool {
        let there = self.kinds(user);
        let kind_is_new = !there.iter().any(|kind| kind.emoji == *emoji);
        !self.has_reaction(user, emoji) && there.len() + usize::from(kind_is_new) <= kinds
    }

    fn kinds(&self, reader: UserId) -> Vec<StoredReaction> {
        let mut kinds: BTreeMap<(Seq, &Emoji), (u32, bool)> = BTreeMap::new();
        for reacted in &self.reactions {
            let (count, me) = kinds.entry((reacted.place, &reacted.emoji)).or_default();
            *count += 1;
            *me |= reacted.user == reader;
        }
        kinds
            .into_iter()
            .map(|((_, emoji), (count, me))| StoredReaction { emoji: emoji.clone(), count, me })
            .collect()
    }

    pub(super) fn stored(&self, reader: UserId) -> StoredMessage {
        StoredMessage {
            id: self.remains.message_id,
            channel_id: self.channel,
            seq: self.seq,
            author_id: self.remains.author_id,
            parent_id: self.remains.parent_id,
            broadcast: self.remains.broadcast,
            created_at: self.remains.created_at,
            edited_at: self.edited_at,
            deleted: self.deleted,
            pinned: self.pinned.is_some(),
            reply_count: self.reply_count,
            last_reply_at: self.last_reply_at,
            data: self.said.as_ref().map(|said| said.data.clone()),
            reactions: self.kinds(reader),
            thread: None,
        }
    }
}

impl Projections {
    pub(super) fn message(&self, id: MessageId) -> Option<&MessageRow> {
        self.messages.get(&id)
    }

    pub(super) fn is_live(&self, channel: ChannelId, id: MessageId) -> bool {
        self.message(id).is_some_and(|row| row.channel == channel && !row.deleted)
    }

    /// The message as the reader sees it.
    pub(super) fn seen(&self, row: &MessageRow, reader: UserId) -> StoredMessage {
        let has_replies = row.reply_count > 0;
        let thread = self.thread_state(row.remains.message_id, reader).filter(|_| has_replies);
        StoredMessage { thread, ..row.stored(reader) }
    }

    pub(super) fn thread_marker(&self, top: MessageId, user: UserId) -> Option<Seq> {
        let room = self.rooms.get(&self.message(top)?.channel)?;
        room.threads.get(&(user, top)).copied()
    }

    fn thread_state(&self, root: MessageId, user: UserId) -> Option<StoredThread> {
        let read_seq = self.thread_marker(root, user)?;
        Some(StoredThread { read_seq, unread: self.unread_replies(root, user, read_seq) })
    }

    /// What a user would have unread of a thread with a marker there; nothing when not in its
    /// channel.
    pub(super) fn unread_replies(&self, root: MessageId, user: UserId, marker: Seq) -> u64 {
        let row = self.message(root).filter(|row| self.in_channel(row.channel, user));
        let later = (Bound::Excluded(marker), Bound::Unbounded);
        let replies = row.into_iter().flat_map(|row| row.replies.range(later));
        let replies = replies.filter_map(|(_, id)| self.message(*id));
        replies.filter(|it| it.remains.counts_in_thread() && !it.deleted).count() as u64
    }

    /// A page out of messages in order of places.
    fn page(
        &self,
        places: &BTreeMap<Seq, MessageId>,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> MessagePage {
        let before = |place: Seq, limit: usize| {
            let mut found: Vec<_> = places.range(..place).rev().take(limit).collect();
            found.reverse();
            found
        };
        let from = |start: Bound<Seq>, limit: usize| {
            places.range((start, Bound::Unbounded)).take(limit).collect::<Vec<_>>()
        };
        let found = match at {
            PageAt::Newest => before(Seq(u64::MAX), limit),
            PageAt::Before(place) => before(place, limit),
            PageAt::After(place) => from(Bound::Excluded(place), limit),
            PageAt::Around(place) => {
                let mut found = before(place, limit / 2);
                found.extend(from(Bound::Included(place), limit - limit / 2));
                found
            }
        };
        let (Some((first, _)), Some((last, _))) = (found.first(), found.last()) else {
            // Nothing lies on the side that was asked for; the rest is on the other.
            return MessagePage {
                more_before: matches!(at, PageAt::After(_)) && !places.is_empty(),
                more_after: matches!(at, PageAt::Before(_)) && !places.is_empty(),
                ..MessagePage::default()
            };
        };
        MessagePage {
            more_before: places.first_key_value().is_some_and(|(seq, _)| seq < *first),
            more_after: places.last_key_value().is_some_and(|(seq, _)| seq > *last),
            messages: found
                .iter()
                .filter_map(|(_, id)| self.message(**id).map(|row| self.seen(row, reader)))
                .collect(),
        }
    }
}

impl State {
    fn versions(&self, row: &MessageRow) -> Vec<StoredVersion> {
        let entries = row.versions.iter().filter_map(|position| self.log.at(*position));
        entries
            .filter(|entry| entry.stored.kind != "message.previewed")
            .filter_map(|entry| {
                let (data, _) = entry.stored.data.clone()?;
                Some(StoredVersion { seq: entry.stored.seq, at: entry.stored.at, data })
            })
            .collect()
    }
}

#[async_trait]
impl MessageRepository for MemoryStore {
    async fn message(
        &self,
        id: MessageId,
        reader: UserId,
    ) -> Result<Option<StoredMessage>, StorageError> {
        let state = self.state();
        Ok(state.projections.message(id).map(|row| state.projections.seen(row, reader)))
    }

    async fn timeline(
        &self,
        channel: ChannelId,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> Result<MessagePage, StorageError> {
        let state = self.state();
        let room = state.projections.rooms.get(&channel);
        Ok(room.map_or_else(MessagePage::default, |room| {
            state.projections.page(&room.timeline, at, limit, reader)
        }))
    }

    async fn thread(
        &self,
        root: MessageId,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> Result<MessagePage, StorageError> {
        let state = self.state();
        let row = state.projections.message(root);
        Ok(row.map_or_else(MessagePage::default, |row| {
            state.projections.page(&row.replies, at, limit, reader)
        }))
    }

    async fn thread_state(
        &self,
        root: MessageId,
        reader: UserId,
    ) -> Result<Option<StoredThread>, StorageError> {
        Ok(self.state().projections.thread_state(root, reader))
    }

    async fn threads(
        &self,
        reader: UserId,
        unread: bool,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let state = self.state();
        let rooms = state.projections.rooms.values();
        let followed = rooms.flat_map(|room| room.threads.keys());
        let followed = followed.filter(|(user, top)| *user == reader && *top > after);
        let rows = followed.filter_map(|(_, top)| state.projections.message(*top));
        let seen = rows.map(|row| state.projections.seen(row, reader));
        let mut found: Vec<_> = seen
            .filter(|it| it.thread.is_some_and(|thread| !unread || thread.unread > 0))
            .collect();
        found.sort_unstable_by_key(|message| message.id);
        found.truncate(limit);
        Ok(found)
    }

    async fn pins(
        &self,
        channel: ChannelId,
        reader: UserId,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let state = self.state();
        let rows = state.projections.messages.values().filter(|row| row.channel == channel);
        let mut pinned: Vec<_> = rows.filter(|row| row.pinned.is_some()).collect();
        pinned.sort_unstable_by_key(|row| std::cmp::Reverse(row.pinned));
        Ok(pinned.into_iter().map(|row| state.projections.seen(row, reader)).collect())
    }

    async fn saved(
        &self,
        reader: UserId,
        before: MessageId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let state = self.state();
        let saved = state.projections.attentions.saved.iter().rev();
        let wanted = saved.filter(|(user, id)| *user == reader && *id < before);
        let rows = wanted.filter_map(|(_, id)| state.projections.message(*id));
        let live = rows.filter(|row| !row.deleted).take(limit);
        Ok(live.map(|row| state.projections.seen(row, reader)).collect())
    }

    async fn versions(&self, id: MessageId) -> Result<Vec<StoredVersion>, StorageError> {
        let state = self.state();
        Ok(state.projections.message(id).map_or_else(Vec::new, |row| state.versions(row)))
    }
}

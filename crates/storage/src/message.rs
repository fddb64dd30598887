//! Messages: pages, threads, versions.

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{ChannelId, Emoji, MessageId, Seq, Timestamp, UserId};

use crate::error::StorageError;

/// A message as it is kept: what was said as the JSON of its newest version, and beside it what
/// changes without edits, which wins over what the JSON says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its id.
    pub id: MessageId,
    /// The conversation.
    pub channel_id: ChannelId,
    /// Its place in the conversation's log.
    pub seq: Seq,
    /// Who wrote it.
    pub author_id: UserId,
    /// The top-level message that it replies to.
    pub parent_id: Option<MessageId>,
    /// Whether a reply is shown in the channel too.
    pub broadcast: bool,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// Whether only the tombstone is left.
    pub deleted: bool,
    /// Whether it is pinned to its channel.
    pub pinned: bool,
    /// Replies that are not deleted.
    pub reply_count: u32,
    /// When the newest reply came.
    pub last_reply_at: Option<Timestamp>,
    /// `data` of the entry that holds the newest version (a `wire::message::Message`); `None` once
    /// deleted.
    pub data: Option<Bytes>,
    /// Reactions in the order in which each emoji first came; see [`crate::projection`].
    pub reactions: Vec<StoredReaction>,
    /// Of a message with replies: where the reader stands in its thread; `None` when they do not
    /// follow it.
    pub thread: Option<StoredThread>,
}

/// Where a reader stands in a thread that they follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredThread {
    /// Where the marker stands.
    pub read_seq: Seq,
    /// Replies after it that are neither deleted nor imported.
    pub unread: u64,
}

/// The people who reacted with one emoji, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReaction {
    /// The emoji.
    pub emoji: Emoji,
    /// How many people.
    pub count: u32,
    /// Whether the reader is one of them.
    pub me: bool,
}

/// Where a page of messages lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageAt {
    /// The newest messages.
    Newest,
    /// Those right before a place.
    Before(Seq),
    /// Those right after a place.
    After(Seq),
    /// Half before a place and half from it on, of an odd limit one more from it on. A side with
    /// fewer messages is not made up for by the other.
    Around(Seq),
}

/// A page of messages, tombstones too, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<StoredMessage>,
    /// Whether there are messages before the first.
    pub more_before: bool,
    /// Whether there are messages after the last.
    pub more_after: bool,
}

/// One version of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// Its place in the log.
    pub seq: Seq,
    /// When it was written.
    pub at: Timestamp,
    /// `data` of its entry.
    pub data: Bytes,
}

/// Reads of messages.
#[async_trait]
pub trait MessageRepository {
    /// The message as the reader sees it, tombstones too.
    async fn message(
        &self,
        id: MessageId,
        reader: UserId,
    ) -> Result<Option<StoredMessage>, StorageError>;

    /// A page of a channel's timeline: top-level messages and broadcast replies. Its cost does
    /// not depend on the length of the channel.
    async fn timeline(
        &self,
        channel: ChannelId,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> Result<MessagePage, StorageError>;

    /// A page of the replies to a message.
    async fn thread(
        &self,
        root: MessageId,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> Result<MessagePage, StorageError>;

    /// Where the reader stands in the thread of a message, whether it has replies or not; `None`
    /// when they do not follow it.
    async fn thread_state(
        &self,
        root: MessageId,
        reader: UserId,
    ) -> Result<Option<StoredThread>, StorageError>;

    /// Messages with replies whose threads the reader follows, in order of ids after one, at most
    /// `limit`; only those with unread replies when `unread`.
    async fn threads(
        &self,
        reader: UserId,
        unread: bool,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StorageError>;

    /// The pinned messages of a channel, the newest pin first.
    async fn pins(
        &self,
        channel: ChannelId,
        reader: UserId,
    ) -> Result<Vec<StoredMessage>, StorageError>;

    /// Messages that the reader saved and that are not deleted, the newest message first, before
    /// one, at most `limit`; those too that they may not read any more.
    async fn saved(
        &self,
        reader: UserId,
        before: MessageId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StorageError>;

    /// Every version of a message, oldest first; none once deleted.
    async fn versions(&self, id: MessageId) -> Result<Vec<StoredVersion>, StorageError>;
}

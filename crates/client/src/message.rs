//! Messages and reactions.

use tidings_domain::{ChannelId, MessageId};
use tidings_wire::List;
use tidings_wire::channel::{ReadState, SetRead};
use tidings_wire::message::{CreateMessage, EditMessage, Message, MessageVersion};
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;

/// What to call a message so that sending it again is harmless: a fresh `UUIDv7`.
pub fn new_client_id() -> String {
    Uuid::now_v7().to_string()
}

/// Which messages of a conversation a page holds; always ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// The newest.
    #[default]
    Newest,
    /// Those right before this `seq`.
    Before(u64),
    /// Those right after this `seq`.
    After(u64),
    /// Those on both sides of this `seq`.
    Around(u64),
}

impl Client {
    /// Posts a message. The same `client_id` again gives the first message and appends nothing, so
    /// an answer that was lost may be asked for again.
    pub async fn send(
        &self,
        channel: ChannelId,
        message: &CreateMessage,
    ) -> Result<Message, ClientError> {
        self.post(&["v1", "channels", &channel.to_string(), "messages"]).json(message).read().await
    }

    /// A page of a channel's top-level messages, at most `limit` (1 to 200).
    pub async fn messages(
        &self,
        channel: ChannelId,
        place: Place,
        limit: u16,
    ) -> Result<List<Message>, ClientError> {
        self.list_messages(channel, None, place, limit).await
    }

    /// A page of the replies to `thread`, at most `limit` (1 to 200).
    pub async fn replies(
        &self,
        channel: ChannelId,
        thread: MessageId,
        place: Place,
        limit: u16,
    ) -> Result<List<Message>, ClientError> {
        self.list_messages(channel, Some(thread), place, limit).await
    }

    async fn list_messages(
        &self,
        channel: ChannelId,
        thread: Option<MessageId>,
        place: Place,
        limit: u16,
    ) -> Result<List<Message>, ClientError> {
        let request = self
            .get(&["v1", "channels", &channel.to_string(), "messages"])
            .query("limit", limit)
            .query_some("thread", thread.map(|id| id.0));
        match place {
            Place::Newest => request,
            Place::Before(seq) => request.query("before", seq),
            Place::After(seq) => request.query("after", seq),
            Place::Around(seq) => request.query("around", seq),
        }
        .read()
        .await
    }

    /// One message.
    pub async fn message(&self, id: MessageId) -> Result<Message, ClientError> {
        self.get(&["v1", "messages", &id.to_string()]).read().await
    }

    /// Moves one's read marker of the thread of a message forward to `seq`, a place of the channel's
    /// log; a marker that is further stays. Who has none follows the thread from then on.
    pub async fn mark_thread_read(
        &self,
        root: MessageId,
        seq: u64,
    ) -> Result<ReadState, ClientError> {
        self.set_thread_read(root, &SetRead { seq, set: false }).await
    }

    /// Moves one's read marker of a thread to `seq`, backward too: later replies are unread again.
    pub async fn mark_thread_unread(
        &self,
        root: MessageId,
        seq: u64,
    ) -> Result<ReadState, ClientError> {
        self.set_thread_read(root, &SetRead { seq, set: true }).await
    }

    async fn set_thread_read(
        &self,
        root: MessageId,
        request: &SetRead,
    ) -> Result<ReadState, ClientError> {
        self.put(&["v1", "messages", &root.to_string(), "read"]).json(request).read().await
    }

    /// Messages whose threads one follows, in order of ids after one, at most `limit` (1 to 200);
    /// with `unread` only those with unread replies. `thread` of each says where one stands.
    pub async fn threads(
        &self,
        unread: bool,
        after: Option<MessageId>,
        limit: u16,
    ) -> Result<List<Message>, ClientError> {
        self.get(&["v1", "threads"])
            .query("unread", unread)
            .query("limit", limit)
            .query_some("after", after.map(|id| id.0))
            .read()
            .await
    }

    /// Replaces the body of one's own message.
    pub async fn edit(&self, id: MessageId, body: &str) -> Result<Message, ClientError> {
        self.patch(&["v1", "messages", &id.to_string()])
            .json(&EditMessage { body: body.to_owned() })
            .read()
            .await
    }

    /// Deletes a message; its tombstone stays.
    pub async fn delete_message(&self, id: MessageId) -> Result<(), ClientError> {
        self.delete(&["v1", "messages", &id.to_string()]).done().await
    }

    /// Every version of a message, oldest first.
    pub async fn history(&self, id: MessageId) -> Result<List<MessageVersion>, ClientError> {
        self.get(&["v1", "messages", &id.to_string(), "history"]).read().await
    }

    /// Reacts with an emoji (`👍` or `:name:`); harmless when done before.
    pub async fn react(&self, id: MessageId, emoji: &str) -> Result<(), ClientError> {
        self.put(&["v1", "messages", &id.to_string(), "reactions", emoji]).done().await
    }

    /// Takes one's own reaction back; harmless when there is none.
    pub async fn unreact(&self, id: MessageId, emoji: &str) -> Result<(), ClientError> {
        self.delete(&["v1", "messages", &id.to_string(), "reactions", emoji]).done().await
    }
}

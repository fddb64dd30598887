//! Reading: messages as their reader sees them.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use tidings_domain::{Message, MessageId, Seq};
use tidings_storage::StorageError;
use tidings_storage::message::{MessagePage, PageAt, StoredMessage};
use tidings_wire::message::{
    Author, Message as WireMessage, MessageVersion, Reactions, ThreadState,
};

use super::Messages;
use crate::access::{Caller, ChannelReader, MessageReader};
use crate::app::accounts::wire_author;
use crate::error::ApiError;

/// A message of a page. What has not changed since it was written goes out as it stands in the log:
/// an entry's data is the JSON of the message, and taking it apart and putting it together again
/// would cost ten times as much as reading it.
#[derive(Debug, Clone)]
pub struct PageMessage {
    /// Its place in the conversation's log.
    pub seq: Seq,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    AsWritten(Box<RawValue>),
    AsItStands(Box<WireMessage>),
}

impl Serialize for PageMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.content {
            Content::AsWritten(json) => json.serialize(serializer),
            Content::AsItStands(message) => message.serialize(serializer),
        }
    }
}

/// Whether nothing that stands beside a message's data says otherwise than the data itself.
fn is_as_written(stored: &StoredMessage) -> bool {
    !stored.deleted
        && !stored.pinned
        && stored.edited_at.is_none()
        && stored.reply_count == 0
        && stored.last_reply_at.is_none()
        && stored.reactions.is_empty()
}

/// A page of messages, for the network.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The messages, ascending.
    pub messages: Vec<PageMessage>,
    /// Whether there are messages before the first.
    pub more_before: bool,
    /// Whether there are messages after the last.
    pub more_after: bool,
}

impl Messages<'_> {
    /// The message.
    pub async fn get(&self, right: &MessageReader) -> Result<WireMessage, ApiError> {
        self.present(right.message().clone()).await
    }

    /// The message that had come before under a `client_id`, for the author who repeats it.
    pub async fn replayed(&self, caller: &Caller, id: MessageId) -> Result<WireMessage, ApiError> {
        let found = self.0.store().message(id, caller.user_id()).await?;
        self.present(found.ok_or_else(ApiError::not_found)?).await
    }

    /// A page of the channel's timeline.
    pub async fn timeline(
        &self,
        right: &ChannelReader,
        at: PageAt,
        limit: usize,
    ) -> Result<Page, ApiError> {
        let id = right.channel().id;
        let page = self.0.store().timeline(id, at, limit, right.user()).await?;
        self.present_page(page).await
    }

    /// A page of the replies to a message of the channel.
    pub async fn thread(
        &self,
        right: &ChannelReader,
        root: MessageId,
        at: PageAt,
        limit: usize,
    ) -> Result<Page, ApiError> {
        let found = self.0.store().message(root, right.user()).await?;
        let here = found.is_some_and(|found| found.channel_id == right.channel().id);
        if !here {
            return Err(ApiError::not_found());
        }
        let page = self.0.store().thread(root, at, limit, right.user()).await?;
        self.present_page(page).await
    }

    /// Messages whose threads the caller follows: at most `limit` after an id.
    pub async fn threads(
        &self,
        caller: &Caller,
        unread: bool,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<WireMessage>, ApiError> {
        let found = self.0.store().threads(caller.user_id(), unread, after, limit).await?;
        let mut threads = Vec::with_capacity(found.len());
        for message in found {
            threads.push(self.present(message).await?);
        }
        Ok(threads)
    }

    async fn present_page(&self, page: MessagePage) -> Result<Page, ApiError> {
        let mut messages = Vec::with_capacity(page.messages.len());
        for message in page.messages {
            let seq = message.seq;
            let content = match &message.data {
                Some(data) if is_as_written(&message) => Content::AsWritten(raw(data)?),
                _ => Content::AsItStands(Box::new(self.present(message).await?)),
            };
            messages.push(PageMessage { seq, content });
        }
        Ok(Page { messages, more_before: page.more_before, more_after: page.more_after })
    }

    /// Every version of the message, oldest first; none once it is deleted.
    pub async fn history(&self, right: &MessageReader) -> Result<Vec<MessageVersion>, ApiError> {
        let versions = self.0.store().versions(right.message().id).await?;
        versions
            .into_iter()
            .map(|version| {
                let message = decode(&version.data)?;
                Ok(MessageVersion {
                    body: message.body,
                    body_html: message.body_html,
                    at: version.at.into(),
                    seq: version.seq.0,
                })
            })
            .collect()
    }

    /// A stored message, for the network: what was said from its newest version, and everything
    /// that changes without edits from beside it.
    pub(crate) async fn present(&self, stored: StoredMessage) -> Result<WireMessage, ApiError> {
        let mut message = match &stored.data {
            Some(data) => decode(data)?,
            None => self.tombstone(&stored).await?,
        };
        message.seq = stored.seq.0;
        message.edited_at = stored.edited_at.filter(|_| !stored.deleted).map(Into::into);
        message.reply_count = stored.reply_count;
        message.last_reply_at = stored.last_reply_at.map(Into::into);
        message.deleted = stored.deleted;
        message.pinned = stored.pinned;
        message.reactions = stored
            .reactions
            .into_iter()
            .map(|reaction| Reactions {
                count: reaction.count,
                emoji: reaction.emoji.as_str().to_owned(),
                me: Some(reaction.me),
            })
            .collect();
        message.thread = stored
            .thread
            .map(|thread| ThreadState { read_seq: thread.read_seq.0, unread: thread.unread });
        Ok(message)
    }

    async fn tombstone(&self, stored: &StoredMessage) -> Result<WireMessage, ApiError> {
        let author = match self.0.user(stored.author_id).await? {
            Some(user) => wire_author(&user),
            // The account row is gone, its id is not.
            None => Author {
                avatar: None,
                bot: false,
                display_name: String::new(),
                id: stored.author_id.0,
                username: String::new(),
            },
        };
        Ok(WireMessage {
            attachments: Vec::new(),
            previews: Vec::new(),
            author,
            body: String::new(),
            body_html: String::new(),
            broadcast: stored.broadcast,
            channel_id: stored.channel_id.0,
            client_id: None,
            created_at: stored.created_at.into(),
            deleted: true,
            edited_at: None,
            format: tidings_domain::Format::Text.as_str().to_owned(),
            id: stored.id.0,
            imported: false,
            last_reply_at: None,
            mentions: Vec::new(),
            parent_id: stored.parent_id.map(|id| id.0),
            pinned: false,
            reactions: Vec::new(),
            reply_count: 0,
            seq: stored.seq.0,
            thread: None,
        })
    }
}

/// An entry's data as it stands.
fn raw(data: &[u8]) -> Result<Box<RawValue>, ApiError> {
    serde_json::from_slice(data).map_err(|error| corrupt(&error.to_string()))
}

/// Reads what was said from an entry's data.
pub(super) fn decode(data: &[u8]) -> Result<WireMessage, ApiError> {
    serde_json::from_slice(data).map_err(|error| corrupt(&error.to_string()))
}

/// Reads what was said from an entry's data, for the rules.
pub(in crate::app) fn decode_domain(data: &[u8]) -> Result<Message, ApiError> {
    decode(data)?.into_domain().ok_or_else(|| corrupt("a word that is not known here"))
}

fn corrupt(detail: &str) -> ApiError {
    let error = StorageError::Corrupt { place: "messages.data", detail: detail.to_owned() };
    error.into()
}

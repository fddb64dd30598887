//! Messages, reactions and search results.

use serde::{Deserialize, Serialize};
use tidings_domain::message::ReactionCount;
use tidings_domain::{self as domain, ChannelId, MessageId, Seq, UserId};
use uuid::Uuid;

use crate::media::Media;
use crate::time::Time;

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Author)]
pub struct Author {
    /// The avatar's media id; null when there is none.
    #[serde(default)]
    pub avatar: Option<Uuid>,
    /// Whether it is a program.
    pub bot: bool,
    /// The name that people read.
    pub display_name: String,
    /// The account, or the webhook.
    pub id: Uuid,
    /// The unique name.
    pub username: String,
}

impl From<&domain::Author> for Author {
    fn from(author: &domain::Author) -> Self {
        Self {
            avatar: None,
            bot: author.bot,
            display_name: author.display_name.clone(),
            id: author.id.0,
            username: author.username.clone(),
        }
    }
}

impl From<Author> for domain::Author {
    fn from(author: Author) -> Self {
        Self {
            id: UserId(author.id),
            username: author.username,
            display_name: author.display_name,
            bot: author.bot,
        }
    }
}

/// Whom or what a message names. `id` is absent for `here` and `everyone`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Mention {
    /// The user or channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What is named.
    #[serde(rename = "type")]
    pub kind: MentionKind,
}

/// What a mention names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MentionKind {
    /// A person or bot.
    User,
    /// A channel, `#name`.
    Channel,
    /// Members who are online, `@here`.
    Here,
    /// Every member, `@channel`.
    Everyone,
}

impl From<domain::Mention> for Mention {
    fn from(mention: domain::Mention) -> Self {
        let (kind, id) = match mention {
            domain::Mention::User(id) => (MentionKind::User, Some(id.0)),
            domain::Mention::Channel(id) => (MentionKind::Channel, Some(id.0)),
            domain::Mention::Here => (MentionKind::Here, None),
            domain::Mention::Everyone => (MentionKind::Everyone, None),
        };
        Self { id, kind }
    }
}

impl Mention {
    /// The rule's view of it; `None` for a user or channel without an id.
    pub fn to_domain(&self) -> Option<domain::Mention> {
        match (self.kind, self.id) {
            (MentionKind::User, Some(id)) => Some(domain::Mention::User(UserId(id))),
            (MentionKind::Channel, Some(id)) => Some(domain::Mention::Channel(ChannelId(id))),
            (MentionKind::Here, _) => Some(domain::Mention::Here),
            (MentionKind::Everyone, _) => Some(domain::Mention::Everyone),
            (MentionKind::User | MentionKind::Channel, None) => None,
        }
    }
}

/// How many people reacted with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reactions {
    /// How many people; at least 1.
    pub count: u32,
    /// The emoji: Unicode, or `:name:`.
    pub emoji: String,
    /// Whether the reader is one of them; absent in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub me: Option<bool>,
}

/// Where a reader stands in a thread that they follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ThreadState {
    /// Where the reader's marker of the thread stands: a `seq` of the conversation's log.
    pub read_seq: u64,
    /// Replies after the marker that are not deleted.
    pub unread: u64,
}

/// What a link leads to. All of it is plain text that strangers wrote: shown as it is, never as HTML
/// or Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Preview {
    /// What the page says of itself, at most 500 characters; absent when it says nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A small picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Media>,
    /// What the site is called, or its host; at most 100 characters.
    pub site: String,
    /// What the page is called, at most 200 characters.
    pub title: String,
    /// The link as it stands in the body.
    pub url: String,
}

impl From<&domain::message::Preview> for Preview {
    fn from(preview: &domain::message::Preview) -> Self {
        Self {
            description: preview.description.clone(),
            image: preview.image.as_ref().map(Media::from),
            site: preview.site.clone(),
            title: preview.title.clone(),
            url: preview.url.clone(),
        }
    }
}

impl Preview {
    fn into_domain(self) -> Option<domain::message::Preview> {
        let image = match self.image {
            Some(image) => Some(image.into_domain()?),
            None => None,
        };
        let Self { description, site, title, url, .. } = self;
        Some(domain::message::Preview { url, title, description, site, image })
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Message)]
pub struct Message {
    /// Files; empty when there are none.
    #[serde(default)]
    pub attachments: Vec<Media>,
    /// Who wrote it.
    pub author: Author,
    /// Markdown with references; empty once deleted.
    pub body: String,
    /// The body as sanitized HTML.
    pub body_html: String,
    /// Whether a reply is shown in the channel too; absent when it is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub broadcast: bool,
    /// The conversation.
    pub channel_id: Uuid,
    /// What the author's client called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When it was accepted.
    pub created_at: Time,
    /// Whether only the tombstone is left.
    pub deleted: bool,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Time>,
    /// How the body is to be read: `text`, `me` or `poll`.
    pub format: String,
    /// Its id.
    pub id: Uuid,
    /// Whether it came from another chat; absent when it did not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub imported: bool,
    /// When the newest reply came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reply_at: Option<Time>,
    /// Whom it names.
    pub mentions: Vec<Mention>,
    /// The message that it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// What its links lead to, in the order of the body; absent when nothing is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<Preview>,
    /// Reactions, in the order in which each emoji first came.
    pub reactions: Vec<Reactions>,
    /// Replies that are not deleted.
    pub reply_count: u32,
    /// Its place in the conversation's log.
    pub seq: u64,
    /// On a message with replies: where the reader stands in its thread. Absent when the reader does
    /// not follow the thread, and in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadState>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl From<&domain::Message> for Message {
    fn from(message: &domain::Message) -> Self {
        Self {
            attachments: message.attachments.iter().map(Media::from).collect(),
            author: Author::from(&message.author),
            body: message.body.clone(),
            body_html: message.body_html.clone(),
            broadcast: message.broadcast,
            channel_id: message.channel_id.0,
            client_id: message.client_id.clone(),
            created_at: Time(message.created_at),
            deleted: message.deleted,
            edited_at: message.edited_at.map(Time),
            format: message.format.as_str().to_owned(),
            id: message.id.0,
            imported: message.imported,
            last_reply_at: message.last_reply_at.map(Time),
            mentions: message.mentions.iter().copied().map(Mention::from).collect(),
            parent_id: message.parent_id.map(|id| id.0),
            pinned: message.pinned,
            previews: message.previews.iter().map(Preview::from).collect(),
            reactions: message
                .reactions
                .iter()
                .map(|reaction| Reactions {
                    count: reaction.count,
                    emoji: reaction.emoji.as_str().to_owned(),
                    me: None,
                })
                .collect(),
            reply_count: message.reply_count,
            seq: message.seq.0,
            thread: None,
        }
    }
}

impl Message {
    /// The rule's view of it; `None` when a word in it is unknown to this version.
    pub fn into_domain(self) -> Option<domain::Message> {
        Some(domain::Message {
            id: MessageId(self.id),
            channel_id: ChannelId(self.channel_id),
            seq: Seq(self.seq),
            author: self.author.into(),
            parent_id: self.parent_id.map(MessageId),
            broadcast: self.broadcast,
            format: self.format.parse().ok()?,
            body: self.body,
            body_html: self.body_html,
            mentions: self.mentions.iter().filter_map(Mention::to_domain).collect(),
            attachments: self
                .attachments
                .into_iter()
                .map(Media::into_domain)
                .collect::<Option<_>>()?,
            previews: self.previews.into_iter().map(Preview::into_domain).collect::<Option<_>>()?,
            reactions: self
                .reactions
                .into_iter()
                .map(|r| Some(ReactionCount { emoji: r.emoji.parse().ok()?, count: r.count }))
                .collect::<Option<_>>()?,
            reply_count: self.reply_count,
            last_reply_at: self.last_reply_at.map(|time| time.0),
            pinned: self.pinned,
            created_at: self.created_at.0,
            edited_at: self.edited_at.map(|time| time.0),
            deleted: self.deleted,
            client_id: self.client_id,
            imported: self.imported,
        })
    }
}

/// `/v1/channels/{id}/previews` and `/v1/me/previews`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PreviewSwitch {
    /// Whether the server looks up what links lead to.
    pub enabled: bool,
}

/// `POST /v1/channels/{id}/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateMessage {
    /// What the client calls the message, 1 to 64 characters; the same one again appends nothing.
    #[schema(min_length = 1, max_length = 64)]
    pub client_id: String,
    /// Markdown, at most 16,000 characters; may be absent or empty when there are attachments.
    #[schema(max_length = 16_000)]
    #[serde(default)]
    pub body: String,
    /// The top-level message to reply to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// Whether a reply is shown in the channel too.
    #[serde(default)]
    pub broadcast: bool,
    /// Media ids of files to carry, at most 10; each was uploaded by the author.
    #[schema(max_items = 10)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Uuid>,
}

/// `PATCH /v1/messages/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EditMessage {
    /// The new body, Markdown, at most 16,000 characters.
    #[schema(max_length = 16_000)]
    pub body: String,
}

/// One version of a message, in `GET /v1/messages/{id}/history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageVersion {
    /// The body in this version.
    pub body: String,
    /// The body as sanitized HTML.
    pub body_html: String,
    /// When it was written.
    pub at: Time,
    /// Its place in the conversation's log.
    pub seq: u64,
}

/// One search result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SearchHit {
    /// The message.
    pub message: Message,
    /// Its text as sanitized HTML with what was found in `<mark>`.
    pub highlight_html: String,
}

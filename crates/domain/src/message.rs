//! Messages as everyone in the room sees them.

use crate::channel::words;
use crate::community::UnknownWord;
use crate::id::{ChannelId, MessageId, UserId};
use crate::log::Seq;
use crate::media::Media;
use crate::time::Timestamp;
use std::str::FromStr;

/// Longest body, in Unicode scalar values, as it was sent and before references are resolved.
pub const BODY_MAX: usize = 16_000;
/// Longest `client_id`, in characters.
pub const CLIENT_ID_MAX: usize = 64;
/// How many different emoji one message may carry.
pub const REACTION_KINDS_MAX: usize = 50;

words!(
    /// How a body is to be read.
    Format, "text, me, poll" {
        /// Markdown.
        Text = "text",
        /// Markdown in the third person: `/me waves`.
        Me = "me",
        /// A poll.
        Poll = "poll",
    }
);

/// Who wrote a message, as they were called when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The account.
    pub id: UserId,
    /// Its unique name.
    pub username: String,
    /// The name that people read.
    pub display_name: String,
    /// Whether it is a program.
    pub bot: bool,
}

/// Whom or what a message names; stored as a reference, drawn with today's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mention {
    /// `@<user:id>`
    User(UserId),
    /// `#<channel:id>`
    Channel(ChannelId),
    /// `@<here>`: members who are online.
    Here,
    /// `@<channel>`: every member.
    Everyone,
}

/// A custom or Unicode emoji, 1 to 64 bytes without spaces or control characters: `👍` or `:name:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Emoji(String);

/// The text cannot be an emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an emoji is 1 to 64 bytes without spaces: a Unicode emoji, or :name: of [a-z0-9_+-]")]
pub struct InvalidEmoji;

impl Emoji {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Emoji {
    type Err = InvalidEmoji;
    fn from_str(text: &str) -> Result<Self, InvalidEmoji> {
        if text.is_empty() || text.len() > 64 {
            return Err(InvalidEmoji);
        }
        let named =
            text.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).is_some_and(|name| {
                !name.is_empty()
                    && name.bytes().all(|b| {
                        b.is_ascii_lowercase() || b.is_ascii_digit() || b"_+-".contains(&b)
                    })
            });
        // A Unicode emoji has no ASCII letters and at least one character beyond ASCII (keycaps
        // such as 1️⃣ begin with a digit).
        let unicode = !text.is_ascii()
            && text.chars().all(|c| {
                !c.is_whitespace() && !c.is_control() && !c.is_alphabetic() && !"<>&\"'".contains(c)
            });
        if named || unicode { Ok(Self(text.to_owned())) } else { Err(InvalidEmoji) }
    }
}

/// How many people reacted with one emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionCount {
    /// The emoji.
    pub emoji: Emoji,
    /// How many people; at least 1.
    pub count: u32,
}

/// Most links of one message that are previewed.
pub const PREVIEWS_MAX: usize = 5;

/// What a link leads to, as the server found it. All of it is plain text that strangers wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The link as it stands in the body.
    pub url: String,
    /// What the page is called.
    pub title: String,
    /// What the page says of itself; may be empty.
    pub description: String,
    /// What the site is called, or its host.
    pub site: String,
    /// A small picture.
    pub image: Option<Media>,
}

/// A message as everyone in the room sees it: nothing here depends on the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The conversation.
    pub channel_id: ChannelId,
    /// Its place in the conversation's log; 0 until the log's writer has placed it.
    pub seq: Seq,
    /// Who wrote it.
    pub author: Author,
    /// The top-level message that this one replies to.
    pub parent_id: Option<MessageId>,
    /// Whether a reply is shown in the channel too.
    pub broadcast: bool,
    /// How the body is to be read.
    pub format: Format,
    /// Markdown with references; empty once deleted.
    pub body: String,
    /// The body as sanitized HTML.
    pub body_html: String,
    /// Whom it names, each once, in the order of the body.
    pub mentions: Vec<Mention>,
    /// Files that it carries.
    pub attachments: Vec<Media>,
    /// What its links lead to, in the order of the body.
    pub previews: Vec<Preview>,
    /// Reactions, in the order in which each emoji first came.
    pub reactions: Vec<ReactionCount>,
    /// Replies that are not deleted.
    pub reply_count: u32,
    /// When the newest reply came.
    pub last_reply_at: Option<Timestamp>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// Whether only the tombstone is left.
    pub deleted: bool,
    /// What the author's client called it; makes sending safe to repeat.
    pub client_id: Option<String>,
    /// Whether it came from another chat; unread counts pass over such messages.
    pub imported: bool,
}

impl Message {
    /// Whether the channel's timeline shows it: top-level messages, and replies that were also
    /// sent to the channel. These are what `message_count` and unread counts count.
    pub const fn in_timeline(&self) -> bool {
        self.parent_id.is_none() || self.broadcast
    }

    /// Every file that it shows: those that it carries, and the pictures of its previews.
    pub fn media(&self) -> impl Iterator<Item = &Media> {
        self.attachments.iter().chain(self.previews.iter().filter_map(|it| it.image.as_ref()))
    }

    /// Turns it into its tombstone: id, place, author and time stay, everything said goes.
    pub fn erase(&mut self) {
        self.deleted = true;
        self.body.clear();
        self.body_html.clear();
        self.mentions.clear();
        self.attachments.clear();
        self.previews.clear();
        self.reactions.clear();
        self.pinned = false;
        self.edited_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_unicode_or_named() {
        for good in ["👍", "❤️", "1️⃣", "🏳️‍🌈", ":party_parrot:", ":+1:"] {
            assert!(good.parse::<Emoji>().is_ok(), "{good}");
        }
        for bad in ["", "a", "1", "::", ":A:", "👍 ", "<b>", "é", &"👍".repeat(20)] {
            assert!(bad.parse::<Emoji>().is_err(), "{bad}");
        }
    }
}

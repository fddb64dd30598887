//! Records of `POST /v1/admin/imports`: one JSON object per line, told apart by its `record`.
//!
//! Everything has a `source_id`, a stable name such as `slack:T03RZ:C051X:1517449891.000109` that
//! says where it comes from. The server keeps these names, so a record whose name it has seen is
//! skipped and a second run of the same import adds nothing. A record comes after the records that
//! it names: communities and users, then channels, then what happened in them, oldest first within
//! a channel, the root of a thread before its replies. Batches may end between any two lines.
//!
//! # References in bodies and topics
//! A body is our Markdown, but its author knew other ids. `@{user:SOURCE_ID}` names a user,
//! `#{channel:SOURCE_ID}` a channel, `@{here}` and `@{channel}` everyone online and everyone. The
//! server turns exactly these four, outside of code, into `@<user:id>`, `#<channel:id>`, `@<here>`
//! and `@<channel>`. Nothing else in an imported body is a reference: `@ana` stays text, because it
//! was text where it was written. A literal `@{user:` is written `@\{user:`. [`user_reference`]
//! and [`channel_reference`] write references, [`References`] finds them.

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Where a record comes from: 1 to 200 characters without white space or braces, for example
/// `slack:T03RZ:U051X`.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = String, example = "slack:T03RZ:C051X:1517449891.000109")]
pub struct SourceId(pub String);

/// Longest [`SourceId`], in characters.
pub const SOURCE_ID_MAX: usize = 200;

impl SourceId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it follows the grammar; what does not is refused with `bad_source_id`.
    pub fn is_valid(&self) -> bool {
        is_source_id(&self.0)
    }
}

impl std::fmt::Display for SourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_source_id(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= SOURCE_ID_MAX
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '{' || c == '}')
}

/// One line of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// Where the channels go.
    Community(Community),
    /// A person or a program.
    User(User),
    /// A channel.
    Channel(Channel),
    /// Something said.
    Message(Message),
    /// Somebody joined a channel.
    Join(Membership),
    /// Somebody left a channel.
    Leave(Membership),
    /// Somebody changed a channel's topic.
    Topic(Topic),
}

impl Record {
    /// Its name.
    pub const fn source_id(&self) -> &SourceId {
        match self {
            Self::Community(it) => &it.source_id,
            Self::User(it) => &it.source_id,
            Self::Channel(it) => &it.source_id,
            Self::Message(it) => &it.source_id,
            Self::Join(it) | Self::Leave(it) => &it.source_id,
            Self::Topic(it) => &it.source_id,
        }
    }

    /// The word in `record`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Community(_) => "community",
            Self::User(_) => "user",
            Self::Channel(_) => "channel",
            Self::Message(_) => "message",
            Self::Join(_) => "join",
            Self::Leave(_) => "leave",
            Self::Topic(_) => "topic",
        }
    }
}

/// The community that the channels go to. When one with this slug exists, it is that one, whatever
/// its name; otherwise it is made, with `#general`, and the server's owner owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportCommunity)]
pub struct Community {
    /// Its name in the source.
    pub source_id: SourceId,
    /// The name in addresses, `[a-z0-9]([a-z0-9-]*[a-z0-9])?`.
    pub slug: String,
    /// The name that people read, used when it has to be made.
    pub name: String,
}

/// An account to be made without keys: a ghost that a person may claim by an invite, or a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportUser)]
pub struct User {
    /// Its name in the source.
    pub source_id: SourceId,
    /// The username that it should get, valid and unique within the import. When another account
    /// of the server has it, the server adds the first free of `-2`, `-3`, …, cutting the end off
    /// where that makes it too long.
    pub username: String,
    /// The name that people read, 1 to 64 characters.
    pub display_name: String,
    /// Whether it is a program.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bot: bool,
    /// Whether the account was closed in the source.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportChannel)]
pub struct Channel {
    /// Its name in the source.
    pub source_id: SourceId,
    /// The community.
    pub community: SourceId,
    /// The name that it should get, valid and unique within the import and never `general`. When
    /// the community has a channel of that name, the server adds `-2`, `-3`, ….
    pub name: String,
    /// `public` or `private`.
    pub visibility: String,
    /// What is talked about when the import ends, as Markdown with references, at most 1,000
    /// characters; may be empty. `topic` records only tell how it came to be.
    pub topic: String,
    /// What it is for, like the topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Whether it is read-only for good; that does not keep its messages from being imported.
    pub archived: bool,
    /// When it was made, not later than the first thing in it.
    pub created_at: Time,
    /// Who made it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<SourceId>,
    /// Who is in it when it begins; `join` and `leave` records change that.
    #[serde(default)]
    pub members: Vec<SourceId>,
}

/// Something said in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportMessage)]
pub struct Message {
    /// Its name in the source.
    pub source_id: SourceId,
    /// The channel.
    pub channel: SourceId,
    /// Who said it; need not be a member.
    pub author: SourceId,
    /// When.
    pub at: Time,
    /// Markdown with references, 1 to 16,000 characters.
    pub body: String,
    /// `text` or `me`.
    pub format: String,
    /// The top-level message that it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<SourceId>,
    /// Whether a reply is shown in the channel too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub broadcast: bool,
    /// When it was last edited; earlier versions are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Time>,
    /// Whether it had been deleted in the source: it becomes a tombstone, so that a thread keeps
    /// its root, and `body` is not kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
    /// Reactions, each emoji once, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

/// Who reacted with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportReaction)]
pub struct Reaction {
    /// The emoji: Unicode, or `:name:`.
    pub emoji: String,
    /// Who, each once, at least one.
    pub users: Vec<SourceId>,
}

/// Somebody came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportMembership)]
pub struct Membership {
    /// Its name in the source.
    pub source_id: SourceId,
    /// The channel.
    pub channel: SourceId,
    /// Who.
    pub user: SourceId,
    /// When.
    pub at: Time,
}

/// Somebody changed the topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportTopic)]
pub struct Topic {
    /// Its name in the source.
    pub source_id: SourceId,
    /// The channel.
    pub channel: SourceId,
    /// Who.
    pub user: SourceId,
    /// When.
    pub at: Time,
    /// The topic from then on, as Markdown with references, at most 1,000 characters; may be empty.
    pub topic: String,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportResult {
    /// Records that were new.
    pub created: u64,
    /// Records that were there already.
    pub skipped: u64,
    /// Records that were refused; the others of the batch went in.
    pub errors: Vec<ImportError>,
}

/// Why one record was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportError {
    /// Which line of the batch, from 1.
    pub line: u64,
    /// The record's name, where the line could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<SourceId>,
    /// A stable word, `snake_case`.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// Writes a reference to a user.
pub fn user_reference(user: &SourceId) -> String {
    format!("@{{user:{user}}}")
}

/// Writes a reference to a channel.
pub fn channel_reference(channel: &SourceId) -> String {
    format!("#{{channel:{channel}}}")
}

/// The reference to everyone who is online.
pub const HERE: &str = "@{here}";
/// The reference to every member.
pub const EVERYONE: &str = "@{channel}";

/// What a reference in an imported body names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `@{user:SOURCE_ID}`
    User(&'a str),
    /// `#{channel:SOURCE_ID}`
    Channel(&'a str),
    /// `@{here}`
    Here,
    /// `@{channel}`
    Everyone,
}

impl<'a> Reference<'a> {
    /// Reads the reference that `text` begins with, and gives what follows it.
    pub fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let inner = text.strip_prefix("@{").or_else(|| text.strip_prefix("#{"))?;
        let (inner, rest) = inner.split_once('}')?;
        let reference = if text.starts_with('@') {
            match inner {
                "here" => Self::Here,
                "channel" => Self::Everyone,
                _ => Self::User(inner.strip_prefix("user:").filter(|id| is_source_id(id))?),
            }
        } else {
            Self::Channel(inner.strip_prefix("channel:").filter(|id| is_source_id(id))?)
        };
        Some((reference, rest))
    }
}

/// The references of a text from left to right, each with the byte range that it takes. It knows
/// nothing of code: the caller gives it the parts of a body that are not code.
#[derive(Debug, Clone)]
pub struct References<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> References<'a> {
    /// Looks through `text`.
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for References<'a> {
    type Item = (std::ops::Range<usize>, Reference<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = self.text.get(self.at..) {
            let start = self.at + rest.find(['@', '#'])?;
            self.at = start + 1;
            if let Some((reference, rest)) = self.text.get(start..).and_then(Reference::parse) {
                self.at = self.text.len() - rest.len();
                return Some((start..self.at, reference));
            }
        }
        None
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use tidings_domain::Timestamp;

    use super::*;

    fn id(text: &str) -> SourceId {
        SourceId(text.to_owned())
    }

    #[test]
    fn records_are_told_apart_by_their_first_field() {
        let message = Record::Message(Message {
            source_id: id("slack:T:C:1.000002"),
            channel: id("slack:T:C"),
            author: id("slack:T:U"),
            at: Time(Timestamp(1_517_449_891_000)),
            body: "hi @{user:slack:T:U}".to_owned(),
            format: "text".to_owned(),
            thread: None,
            broadcast: false,
            edited_at: None,
            deleted: false,
            reactions: vec![],
        });
        let line = serde_json::to_string(&message).unwrap();
        assert_eq!(
            line,
            r#"{"record":"message","source_id":"slack:T:C:1.000002","channel":"slack:T:C","author":"slack:T:U","at":"2018-02-01T01:51:31.000Z","body":"hi @{user:slack:T:U}","format":"text"}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), message);
        let leave = r#"{"record":"leave","source_id":"a","channel":"b","user":"c","at":"2018-02-01T01:51:31Z","later":1}"#;
        assert_eq!(serde_json::from_str::<Record>(leave).unwrap().kind(), "leave");
        assert!(serde_json::from_str::<Record>(r#"{"record":"poll"}"#).is_err());
    }

    #[test]
    fn references_are_found_and_near_misses_are_not() {
        let text = "@{user:s:U1} and #{channel:s:C1}, @{here}@{channel} not @\\{user:s:U1} #{a b} @{user:} @{here";
        let found: Vec<_> = References::new(text).map(|(range, it)| (&text[range], it)).collect();
        assert_eq!(
            found,
            [
                ("@{user:s:U1}", Reference::User("s:U1")),
                ("#{channel:s:C1}", Reference::Channel("s:C1")),
                ("@{here}", Reference::Here),
                ("@{channel}", Reference::Everyone),
            ]
        );
        assert_eq!(user_reference(&id("s:U1")), "@{user:s:U1}");
        assert_eq!(channel_reference(&id("s:C1")), "#{channel:s:C1}");
    }

    #[test]
    fn source_ids_have_no_space_brace_or_endless_length() {
        assert!(id("slack:T:C:1.2").is_valid());
        for bad in ["", "a b", "a}", "a\n", &"x".repeat(201)] {
            assert!(!id(bad).is_valid(), "{bad}");
        }
    }
}

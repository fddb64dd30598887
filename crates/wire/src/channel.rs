//! Channels, DMs and what their members do with them.

use serde::{Deserialize, Serialize};
use tidings_domain::{self as domain, ChannelId, CommunityId, UserId};
use uuid::Uuid;

use crate::message::Author;
use crate::time::Time;

/// A channel as events carry it: without anything that depends on the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChannelData {
    /// Whether it is read-only.
    pub archived: bool,
    /// The heading under which lists show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Its community; absent for DMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<Uuid>,
    /// When it was made.
    pub created_at: Time,
    /// Whether newcomers of the community join it; absent when they do not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub default: bool,
    /// Its id.
    pub id: Uuid,
    /// `open` or `sealed`.
    pub kind: String,
    /// Its name; absent for DMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// After how many seconds its messages are erased; absent when they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_s: Option<u64>,
    /// What is talked about; may be empty.
    pub topic: String,
    /// `text`, `voice`, `dm` or `group_dm`.
    #[serde(rename = "type")]
    pub channel_type: String,
    /// Who is in a DM, sorted; absent for channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Uuid>,
    /// `public` or `private`.
    pub visibility: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl From<&domain::Channel> for ChannelData {
    fn from(channel: &domain::Channel) -> Self {
        Self {
            archived: channel.archived,
            category: channel.category.clone(),
            community_id: channel.community_id.map(|id| id.0),
            created_at: Time(channel.created_at),
            default: channel.default,
            id: channel.id.0,
            kind: channel.kind.as_str().to_owned(),
            name: channel.name.clone(),
            retention_s: channel.retention_s,
            topic: channel.topic.clone(),
            channel_type: channel.channel_type.as_str().to_owned(),
            users: channel.dm_users.iter().map(|id| id.0).collect(),
            visibility: channel.visibility.as_str().to_owned(),
        }
    }
}

impl ChannelData {
    /// The rule's view of it; `None` when a word in it is unknown to this version.
    pub fn into_domain(self) -> Option<domain::Channel> {
        Some(domain::Channel {
            id: ChannelId(self.id),
            community_id: self.community_id.map(CommunityId),
            name: self.name,
            channel_type: self.channel_type.parse().ok()?,
            visibility: self.visibility.parse().ok()?,
            kind: self.kind.parse().ok()?,
            topic: self.topic,
            category: self.category,
            archived: self.archived,
            retention_s: self.retention_s,
            default: self.default,
            created_at: self.created_at.0,
            dm_users: self.users.into_iter().map(UserId).collect(),
        })
    }
}

/// A channel as one reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Channel)]
pub struct Channel {
    /// Its id.
    pub id: Uuid,
    /// Its community; absent for DMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<Uuid>,
    /// Its name; absent for DMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `text`, `voice`, `dm` or `group_dm`.
    #[serde(rename = "type")]
    pub channel_type: String,
    /// `public` or `private`.
    pub visibility: String,
    /// `open` or `sealed`.
    pub kind: String,
    /// What is talked about; may be empty.
    pub topic: String,
    /// The heading under which lists show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The gateway that gives its entries their `seq`.
    pub conv_home: String,
    /// Whether it is read-only.
    pub archived: bool,
    /// After how many seconds its messages are erased; absent when they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_s: Option<u64>,
    /// When it was made.
    pub created_at: Time,
    /// How many people are in it.
    pub member_count: u64,
    /// Whether the reader is in it.
    pub joined: bool,
    /// The newest entry's `seq`; 0 in an empty log.
    pub head_seq: u64,
    /// Up to where the reader has read.
    pub read_seq: u64,
    /// Messages of the timeline after the marker.
    pub unread: u64,
    /// Those of them that name the reader.
    pub mentions: u64,
    /// Whether the reader has muted it.
    pub muted: bool,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Time>,
    /// `all`, `mentions` or `nothing`.
    pub notify: String,
    /// The people of a DM; absent for channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Author>,
}

/// `POST /v1/communities/{id}/channels`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateChannel {
    /// The name: 1 to 80 lower-case letters and digits of any script, `-`, `_`, `.`.
    pub name: String,
    /// `text` (default) or `voice`.
    #[schema(pattern = "^(text|voice)$")]
    #[serde(rename = "type", default = "text")]
    pub channel_type: String,
    /// `public` (default) or `private`.
    #[schema(pattern = "^(public|private)$")]
    #[serde(default = "public")]
    pub visibility: String,
    /// `open` (default) or `sealed`.
    #[schema(pattern = "^(open|sealed)$")]
    #[serde(default = "open")]
    pub kind: String,
    /// What is talked about, at most 1,000 characters.
    #[schema(max_length = 1000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The heading under which lists show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

fn text() -> String {
    "text".to_owned()
}
fn public() -> String {
    "public".to_owned()
}
fn open() -> String {
    "open".to_owned()
}

/// `PATCH /v1/channels/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UpdateChannel {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new topic; empty clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// A new category; empty clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// After how many seconds messages are erased, from 60 on; 0 keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_s: Option<u64>,
    /// `true` makes the channel read-only, `false` opens it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// `POST /v1/channels/{id}/purge`: which messages to delete, the newest first. At least one of the
/// three says which; together they narrow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Purge {
    /// Only messages of this author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// Only the last this many, 1 to 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
    /// Only messages since this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// The answer to `POST /v1/channels/{id}/purge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Purged {
    /// How many messages were deleted.
    pub deleted: u64,
    /// Whether more of them are left: one request deletes at most 500.
    pub more: bool,
}

/// `POST /v1/dms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateDm {
    /// The other people; the caller is always in it.
    pub users: Vec<Uuid>,
    /// `open` or `sealed`; required once the server lists the feature `sealed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// `POST /v1/channels/{id}/members`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AddMember {
    /// Whom to add.
    pub user_id: Uuid,
}

/// `PUT /v1/channels/{id}/read` and `PUT /v1/messages/{id}/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetRead {
    /// Read up to and including here.
    pub seq: u64,
    /// Whether the marker may also move back (mark unread).
    #[serde(default)]
    pub set: bool,
}

/// The answer to `PUT /v1/channels/{id}/read` and `PUT /v1/messages/{id}/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadState {
    /// The channel.
    pub channel_id: Uuid,
    /// The thread whose marker it is, by its top-level message; absent for the channel's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<Uuid>,
    /// Where the marker is now.
    pub seq: u64,
    /// Messages of the timeline, or replies of the thread, after it.
    pub unread: u64,
    /// Messages of the timeline after it that name the reader; 0 for a thread.
    pub mentions: u64,
}

/// `POST /v1/channels/{id}/typing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetTyping {
    /// `start` or `stop`.
    #[schema(pattern = "^(start|stop)$")]
    pub state: String,
}

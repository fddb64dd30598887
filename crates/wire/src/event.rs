//! Events: the log's entries as every transport carries them, and their canonical bytes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidings_domain::fact::{Pin, Reaction};
use tidings_domain::{
    ChannelId, CommunityId, DeviceId, Fact, JoinOutcome, LogId, MessageId, NotificationId, Seq,
    Timestamp, UserId,
};
use uuid::Uuid;

use crate::attention::{Attention, Notification, Notify};
use crate::channel::ChannelData;
use crate::command::CommandInvoked;
use crate::message::{Author, Message};
use crate::time::Time;

/// An event as a client receives it. Ephemeral ones have neither `log` nor `seq`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Uuid>,
    /// The conversation, when the log is a conversation's.
    #[serde(default)]
    pub channel_id: Option<Uuid>,
    /// The community that the log belongs to.
    #[serde(default)]
    pub community_id: Option<Uuid>,
    /// What happened; its shape depends on `type`.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
    /// Whose `seq` it is: `c:<channel>`, `g:<community>` or `u:<user>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The place in that log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When it happened.
    pub timestamp: Time,
    /// What kind of event it is, such as `message.created`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// An entry as it stands in the log, in `GET /v1/channels/{id}/log`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    /// Who did it.
    pub actor_id: Uuid,
    /// The conversation.
    #[serde(default)]
    pub channel_id: Option<Uuid>,
    /// Its community.
    #[serde(default)]
    pub community_id: Option<Uuid>,
    /// `SHA-256(salt ‖ data)`, base64url without padding.
    pub commitment: String,
    /// What happened; absent once erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Box<RawValue>>,
    /// `SHA-256(prev ‖ header ‖ commitment)`, base64url without padding.
    pub hash: String,
    /// The log.
    pub log: String,
    /// The hash of the entry before, base64url without padding; 32 zero bytes before the first.
    pub prev: String,
    /// 32 random bytes, base64url without padding; absent once erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The place in the log.
    pub seq: u64,
    /// When it happened.
    pub timestamp: Time,
    /// What kind of entry it is.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Everything of an event but its data: what the log's hash chain covers beside the commitment.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// Who did it; nil for the server itself.
    pub actor: UserId,
    /// The community that the log belongs to.
    pub community: Option<CommunityId>,
    /// The log.
    pub log: LogId,
    /// The place in it.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// The event's type.
    pub kind: &'a str,
}

impl Header<'_> {
    /// The canonical JSON of the event without `data`: what the hash chain covers.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = String::with_capacity(320);
        self.before(&mut out);
        out.push_str("\"log\":\"");
        self.after(&mut out);
        out.into_bytes()
    }

    /// The event's canonical JSON around `data`, which must be canonical JSON itself.
    pub fn encode_event(&self, data: &[u8]) -> Vec<u8> {
        self.encode_both(data).1
    }

    /// What [`Header::encode`] and [`Header::encode_event`] make, without drawing ids and times
    /// twice.
    pub fn encode_both(&self, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut header = String::with_capacity(320);
        self.before(&mut header);
        let split = header.len();
        header.push_str("\"log\":\"");
        self.after(&mut header);
        let header = header.into_bytes();
        let (before, after) = header.split_at(split);
        let event = [before, b"\"data\":", data, b",", after].concat();
        (header, event)
    }

    // Writing to a string cannot fail, so the results of `write!` are dropped.
    fn before(&self, out: &mut String) {
        let _ = write!(out, "{{\"actor_id\":\"{}\",\"channel_id\":", self.actor);
        match self.log.channel() {
            Some(id) => drop(write!(out, "\"{id}\"")),
            None => out.push_str("null"),
        }
        out.push_str(",\"community_id\":");
        match self.community {
            Some(id) => drop(write!(out, "\"{id}\",")),
            None => out.push_str("null,"),
        }
    }

    fn after(&self, out: &mut String) {
        let Self { log, seq, at, kind, .. } = self;
        let _ = write!(
            out,
            "{log}\",\"seq\":{seq},\"timestamp\":\"{}\",\"type\":\"{kind}\"}}",
            Time(*at)
        );
    }
}

/// `data` of a `message.created` that has no place yet: everything but the number at its end.
#[derive(Debug, Clone)]
pub struct Unplaced(Vec<u8>);

/// How the data of a message ends that has no place yet: `seq` is the last of its sorted fields.
const NO_PLACE: &[u8] = b"0}";

impl Unplaced {
    /// Encodes a message ahead of its place; `None` when only [`encode_data`] can encode it.
    pub fn new(message: &tidings_domain::Message) -> Option<Self> {
        let unplaced = Message { seq: 0, ..Message::from(message) };
        let mut data = serde_json::to_vec(&unplaced).ok()?;
        let ends = data.ends_with(b",\"seq\":0}");
        data.truncate(data.len() - NO_PLACE.len());
        ends.then_some(Self(data))
    }

    /// What the data of every place begins with.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What follows it at a place.
    pub fn rest(seq: Seq) -> String {
        format!("{seq}}}")
    }
}

/// `data` of `message.deleted`.
#[derive(Debug, Serialize, Deserialize)]
struct DeletedData {
    id: Uuid,
}

/// `data` of `reaction.added` and `reaction.removed`.
#[derive(Debug, Serialize, Deserialize)]
struct ReactionData {
    emoji: String,
    message_id: Uuid,
    user_id: Uuid,
}

/// `data` of `member.*`.
#[derive(Debug, Serialize, Deserialize)]
struct MemberData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    user: Author,
}

impl MemberData {
    fn of(user: &tidings_domain::Author) -> Self {
        Self { nickname: None, role: None, until: None, user: Author::from(user) }
    }

    fn until(user: &tidings_domain::Author, until: Option<Timestamp>) -> Self {
        Self { until: until.map(Time), ..Self::of(user) }
    }
}

/// `data` of `invite.accepted`.
#[derive(Debug, Serialize, Deserialize)]
struct InviteAcceptedData {
    invite: InviteSummary,
    user: Author,
}

#[derive(Debug, Serialize, Deserialize)]
struct InviteSummary {
    created_by: Uuid,
    role: String,
}

/// `data` of `join.*`.
#[derive(Debug, Serialize, Deserialize)]
struct JoinData {
    community_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    user: Author,
}

/// `data` of `read.updated`.
#[derive(Debug, Serialize, Deserialize)]
struct ReadData {
    channel_id: Uuid,
    mentions: u64,
    seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thread_id: Option<Uuid>,
    unread: u64,
}

/// `data` of `identity.changed`.
#[derive(Debug, Serialize, Deserialize)]
struct IdentityData {
    identity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    user: Author,
}

/// `data` of `device.added` and `device.revoked`.
#[derive(Debug, Serialize, Deserialize)]
struct DeviceData {
    device_id: Uuid,
    user_id: Uuid,
}

/// `data` of `notification.read`.
#[derive(Debug, Serialize, Deserialize)]
struct SeenData {
    ids: Vec<Uuid>,
}

/// `data` of `pin.added` and `pin.removed`.
#[derive(Debug, Serialize, Deserialize)]
struct PinData {
    message_id: Uuid,
    user_id: Uuid,
}

/// `data` of `message.saved` and `message.unsaved`.
#[derive(Debug, Serialize, Deserialize)]
struct SavedData {
    channel_id: Uuid,
    message_id: Uuid,
}

/// A fact's `data` as canonical JSON.
///
/// # Errors
/// Never for the facts of this version: their types serialize without failing.
pub fn encode_data(fact: &Fact) -> Result<Vec<u8>, serde_json::Error> {
    match fact {
        Fact::MessageCreated { message }
        | Fact::MessageEdited { message }
        | Fact::MessagePreviewed { message } => serde_json::to_vec(&Message::from(&**message)),
        Fact::MessageDeleted { message_id } => {
            serde_json::to_vec(&DeletedData { id: message_id.0 })
        }
        Fact::ReactionAdded(reaction) | Fact::ReactionRemoved(reaction) => {
            serde_json::to_vec(&ReactionData {
                emoji: reaction.emoji.as_str().to_owned(),
                message_id: reaction.message_id.0,
                user_id: reaction.user_id.0,
            })
        }
        Fact::ChannelCreated(channel)
        | Fact::ChannelUpdated(channel)
        | Fact::ChannelArchived(channel) => serde_json::to_vec(&ChannelData::from(&**channel)),
        Fact::MemberJoined { user, role } | Fact::MemberRoleChanged { user, role } => {
            let role = Some(role.as_str().to_owned());
            serde_json::to_vec(&MemberData { role, ..MemberData::of(user) })
        }
        Fact::MemberLeft { user }
        | Fact::MemberUnbanned { user }
        | Fact::MemberUnmuted { user } => serde_json::to_vec(&MemberData::of(user)),
        Fact::MemberBanned { user, until } | Fact::MemberMuted { user, until } => {
            serde_json::to_vec(&MemberData::until(user, *until))
        }
        Fact::MemberUpdated { user, nickname } => {
            let nickname = nickname.clone();
            serde_json::to_vec(&MemberData { nickname, ..MemberData::of(user) })
        }
        Fact::InviteAccepted { created_by, role, user } => {
            serde_json::to_vec(&InviteAcceptedData {
                invite: InviteSummary { created_by: created_by.0, role: role.as_str().to_owned() },
                user: Author::from(user),
            })
        }
        Fact::JoinRequested { community_id, role, user } => serde_json::to_vec(&JoinData {
            community_id: community_id.0,
            role: Some(role.as_str().to_owned()),
            user: Author::from(user),
        }),
        Fact::JoinDecided { community_id, user, .. } => serde_json::to_vec(&JoinData {
            community_id: community_id.0,
            role: None,
            user: Author::from(user),
        }),
        Fact::ReadUpdated { channel_id, thread, seq, unread, mentions } => {
            serde_json::to_vec(&ReadData {
                channel_id: channel_id.0,
                mentions: *mentions,
                seq: seq.0,
                thread_id: thread.map(|id| id.0),
                unread: *unread,
            })
        }
        Fact::CommandInvoked(invocation) => {
            serde_json::to_vec(&CommandInvoked::from(&**invocation))
        }
        Fact::IdentityChanged { user, identity, previous } => serde_json::to_vec(&IdentityData {
            identity: identity.to_string(),
            previous: previous.map(|key| key.to_string()),
            user: Author::from(user),
        }),
        Fact::DeviceAdded { user_id, device_id } | Fact::DeviceRevoked { user_id, device_id } => {
            serde_json::to_vec(&DeviceData { device_id: device_id.0, user_id: user_id.0 })
        }
        Fact::NotificationCreated(notification) => {
            serde_json::to_vec(&Notification::new(notification, false))
        }
        Fact::NotificationRead { ids } => {
            serde_json::to_vec(&SeenData { ids: ids.iter().map(|id| id.0).collect() })
        }
        Fact::NotifyUpdated { channel_id, notice } => {
            serde_json::to_vec(&Notify::new(*channel_id, notice))
        }
        Fact::AttentionUpdated(attention) => serde_json::to_vec(&Attention::from(&**attention)),
        Fact::PinAdded(pin) | Fact::PinRemoved(pin) => {
            serde_json::to_vec(&PinData { message_id: pin.message_id.0, user_id: pin.user_id.0 })
        }
        Fact::MessageSaved { channel_id, message_id }
        | Fact::MessageUnsaved { channel_id, message_id } => {
            serde_json::to_vec(&SavedData { channel_id: channel_id.0, message_id: message_id.0 })
        }
        // `Fact` is non-exhaustive for other crates; every variant of this version stands above.
        other => Err(serde::ser::Error::custom(format_args!("no encoding for {}", other.kind()))),
    }
}

/// Why an event's data is not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are not JSON of the shape that the type demands.
    #[error("the data of a {kind} event cannot be read")]
    Json {
        /// The event's type.
        kind: String,
        /// What the JSON parser said.
        source: serde_json::Error,
    },
    /// A word or id in the data is not known to this version.
    #[error("the data of a {kind} event holds a word that is not known here")]
    Word {
        /// The event's type.
        kind: String,
    },
    /// The type itself is not known to this version.
    #[error("events of type {kind} are not known here")]
    Kind {
        /// The event's type.
        kind: String,
    },
}

/// Reads a fact back from its type and data; the inverse of [`encode_data`].
///
/// # Errors
/// When type or data are not of this version; consumers of events skip those.
#[expect(clippy::too_many_lines, reason = "a table: one arm for each type")]
pub fn decode_data(kind: &str, data: &[u8]) -> Result<Fact, DecodeError> {
    fn json<'a, T: Deserialize<'a>>(kind: &str, data: &'a [u8]) -> Result<T, DecodeError> {
        serde_json::from_slice(data)
            .map_err(|source| DecodeError::Json { kind: kind.to_owned(), source })
    }
    let word = || DecodeError::Word { kind: kind.to_owned() };
    let message = || {
        let message: Message = json(kind, data)?;
        message.into_domain().map(Box::new).ok_or_else(word)
    };
    let channel = || {
        let channel: ChannelData = json(kind, data)?;
        channel.into_domain().map(Box::new).ok_or_else(word)
    };
    let reaction = || {
        let ReactionData { emoji, message_id, user_id } = json(kind, data)?;
        Ok(Reaction {
            message_id: MessageId(message_id),
            user_id: UserId(user_id),
            emoji: emoji.parse().map_err(|_| word())?,
        })
    };
    let role = |text: Option<&str>| text.unwrap_or("member").parse().map_err(|_| word());
    Ok(match kind {
        "message.created" => Fact::MessageCreated { message: message()? },
        "message.edited" => Fact::MessageEdited { message: message()? },
        "message.previewed" => Fact::MessagePreviewed { message: message()? },
        "message.deleted" => {
            let DeletedData { id } = json(kind, data)?;
            Fact::MessageDeleted { message_id: MessageId(id) }
        }
        "reaction.added" => Fact::ReactionAdded(reaction()?),
        "reaction.removed" => Fact::ReactionRemoved(reaction()?),
        "channel.created" => Fact::ChannelCreated(channel()?),
        "channel.updated" => Fact::ChannelUpdated(channel()?),
        "channel.archived" => Fact::ChannelArchived(channel()?),
        "member.joined" => {
            let data: MemberData = json(kind, data)?;
            Fact::MemberJoined { role: role(data.role.as_deref())?, user: data.user.into() }
        }
        "member.left" => {
            let data: MemberData = json(kind, data)?;
            Fact::MemberLeft { user: data.user.into() }
        }
        "member.role_changed" => {
            let data: MemberData = json(kind, data)?;
            Fact::MemberRoleChanged { role: role(data.role.as_deref())?, user: data.user.into() }
        }
        "member.banned" | "member.muted" => {
            let MemberData { user, until, .. } = json(kind, data)?;
            let (user, until) = (user.into(), until.map(|time| time.0));
            if kind == "member.banned" {
                Fact::MemberBanned { user, until }
            } else {
                Fact::MemberMuted { user, until }
            }
        }
        "member.unbanned" | "member.unmuted" => {
            let MemberData { user, .. } = json(kind, data)?;
            if kind == "member.unbanned" {
                Fact::MemberUnbanned { user: user.into() }
            } else {
                Fact::MemberUnmuted { user: user.into() }
            }
        }
        "member.updated" => {
            let MemberData { user, nickname, .. } = json(kind, data)?;
            Fact::MemberUpdated { user: user.into(), nickname }
        }
        "invite.accepted" => {
            let InviteAcceptedData { invite, user } = json(kind, data)?;
            Fact::InviteAccepted {
                created_by: UserId(invite.created_by),
                role: role(Some(&invite.role))?,
                user: user.into(),
            }
        }
        "join.requested" => {
            let JoinData { community_id, role: word, user } = json(kind, data)?;
            Fact::JoinRequested {
                community_id: CommunityId(community_id),
                role: role(word.as_deref())?,
                user: user.into(),
            }
        }
        "join.approved" | "join.refused" | "join.withdrawn" => {
            let JoinData { community_id, user, .. } = json(kind, data)?;
            let outcome = match kind {
                "join.approved" => JoinOutcome::Approved,
                "join.refused" => JoinOutcome::Refused,
                _ => JoinOutcome::Withdrawn,
            };
            let community_id = CommunityId(community_id);
            Fact::JoinDecided { community_id, outcome, user: user.into() }
        }
        "read.updated" => {
            let ReadData { channel_id, mentions, seq, thread_id, unread } = json(kind, data)?;
            let (channel_id, thread) = (ChannelId(channel_id), thread_id.map(MessageId));
            Fact::ReadUpdated { channel_id, thread, seq: Seq(seq), unread, mentions }
        }
        "command.invoked" => {
            let data: CommandInvoked = json(kind, data)?;
            Fact::CommandInvoked(Box::new(data.into()))
        }
        "identity.changed" => {
            let IdentityData { identity, previous, user } = json(kind, data)?;
            let key = |text: String| text.parse().map_err(|_| word());
            Fact::IdentityChanged {
                user: user.into(),
                identity: key(identity)?,
                previous: previous.map(key).transpose()?,
            }
        }
        "device.added" | "device.revoked" => {
            let DeviceData { device_id, user_id } = json(kind, data)?;
            let (user_id, device_id) = (UserId(user_id), DeviceId(device_id));
            if kind == "device.added" {
                Fact::DeviceAdded { user_id, device_id }
            } else {
                Fact::DeviceRevoked { user_id, device_id }
            }
        }
        "notification.created" => {
            let notification: Notification = json(kind, data)?;
            Fact::NotificationCreated(Box::new(notification.into_domain().ok_or_else(word)?))
        }
        "notification.read" => {
            let SeenData { ids } = json(kind, data)?;
            Fact::NotificationRead { ids: ids.into_iter().map(NotificationId).collect() }
        }
        "notify.updated" => {
            let notify: Notify = json(kind, data)?;
            let (channel_id, notice) = notify.into_domain().ok_or_else(word)?;
            Fact::NotifyUpdated { channel_id, notice }
        }
        "attention.updated" => {
            let attention: Attention = json(kind, data)?;
            Fact::AttentionUpdated(Box::new(attention.into_domain().ok_or_else(word)?))
        }
        "pin.added" | "pin.removed" => {
            let PinData { message_id, user_id } = json(kind, data)?;
            let pin = Pin { message_id: MessageId(message_id), user_id: UserId(user_id) };
            if kind == "pin.added" { Fact::PinAdded(pin) } else { Fact::PinRemoved(pin) }
        }
        "message.saved" | "message.unsaved" => {
            let SavedData { channel_id, message_id } = json(kind, data)?;
            let (channel_id, message_id) = (ChannelId(channel_id), MessageId(message_id));
            if kind == "message.saved" {
                Fact::MessageSaved { channel_id, message_id }
            } else {
                Fact::MessageUnsaved { channel_id, message_id }
            }
        }
        _ => return Err(DecodeError::Kind { kind: kind.to_owned() }),
    })
}

#[cfg(test)]
mod tests;

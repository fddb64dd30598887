//! What the log records: facts, in the past tense.
//!
//! Everything that a projection needs stands in the fact, so that projections can be rebuilt from
//! the log alone.

use crate::attention::{Attention, ChannelNotice, Notification};
use crate::channel::Channel;
use crate::community::{JoinOutcome, Role};
use crate::id::{ChannelId, CommunityId, DeviceId, IdentityKey, MessageId, NotificationId, UserId};
use crate::log::Seq;
use crate::message::{Author, Emoji, Message};
use crate::time::Timestamp;
use uuid::Uuid;

/// One thing that happened in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// Somebody said something.
    MessageCreated {
        /// The message; its `seq` is filled in by the log's writer.
        message: Box<Message>,
    },
    /// The author changed the body. `message` is the whole message as it stands after the edit.
    MessageEdited {
        /// The message; the writer fills in what changes without edits (reactions, replies, pin).
        message: Box<Message>,
    },
    /// The server looked at what the links of a message lead to. `message` is the whole message with
    /// its previews; nothing else of it changed.
    MessagePreviewed {
        /// The message; the writer fills in everything but the previews.
        message: Box<Message>,
    },
    /// A message was deleted; its body is gone from the log and from every projection.
    MessageDeleted {
        /// Which one.
        message_id: MessageId,
    },
    /// Somebody reacted.
    ReactionAdded(Reaction),
    /// Somebody took a reaction back.
    ReactionRemoved(Reaction),
    /// A channel came to be (in the log of its community, and in its own).
    ChannelCreated(Box<Channel>),
    /// Name, topic, category or visibility changed.
    ChannelUpdated(Box<Channel>),
    /// The channel became read-only; an update that says otherwise opens it again.
    ChannelArchived(Box<Channel>),
    /// Somebody joined the channel or the community whose log this is.
    MemberJoined {
        /// Who, as they were called then.
        user: Author,
        /// Their role; in a channel always [`Role::Member`].
        role: Role,
    },
    /// Somebody left, or was removed by the actor.
    MemberLeft {
        /// Who.
        user: Author,
    },
    /// Somebody's role changed.
    MemberRoleChanged {
        /// Who.
        user: Author,
        /// The role now.
        role: Role,
    },
    /// Somebody is shut out of the community whose log this is; a member leaves it by this.
    MemberBanned {
        /// Who.
        user: Author,
        /// When they may come back; never when absent.
        until: Option<Timestamp>,
    },
    /// Somebody may come back into the community whose log this is.
    MemberUnbanned {
        /// Who.
        user: Author,
    },
    /// A member may not speak in the community whose log this is.
    MemberMuted {
        /// Who.
        user: Author,
        /// When they may speak again; never by itself when absent.
        until: Option<Timestamp>,
    },
    /// A member may speak again.
    MemberUnmuted {
        /// Who.
        user: Author,
    },
    /// A member is called something else in the community whose log this is.
    MemberUpdated {
        /// Who.
        user: Author,
        /// What they are called here; like everywhere when absent.
        nickname: Option<String>,
    },
    /// Somebody used an invite (in the log of the community).
    InviteAccepted {
        /// Who had made the invite; its code is a secret and stays out of the log.
        created_by: UserId,
        /// The role that it gave.
        role: Role,
        /// Who.
        user: Author,
    },
    /// Somebody asks to be let in (in the logs of the community's admins, and in their own).
    JoinRequested {
        /// Where to.
        community_id: CommunityId,
        /// The role that their invite gives.
        role: Role,
        /// Who.
        user: Author,
    },
    /// A request to join has ended (in the logs of the community's admins, and in that of whoever
    /// asked).
    JoinDecided {
        /// Where to.
        community_id: CommunityId,
        /// How.
        outcome: JoinOutcome,
        /// Who had asked.
        user: Author,
    },
    /// A read marker moved (in the log of its user).
    ReadUpdated {
        /// In which channel.
        channel_id: ChannelId,
        /// The thread whose marker moved, by its top-level message; `None` for the channel's own.
        thread: Option<MessageId>,
        /// Read up to and including here.
        seq: Seq,
        /// Messages of the timeline, or replies of the thread, after it; the log's writer counts
        /// them.
        unread: u64,
        /// Messages of the timeline after it that name the user; the log's writer counts them. 0 for
        /// a thread.
        mentions: u64,
    },
    /// Somebody ran a command of a bot (in the log of the bot).
    CommandInvoked(Box<Invocation>),
    /// An account has another identity after a reset: whoever trusted the one before has to look
    /// again (in the logs of the user, of their communities, and of their DMs).
    IdentityChanged {
        /// Who, as they are called now.
        user: Author,
        /// The identity now.
        identity: IdentityKey,
        /// The identity before.
        previous: Option<IdentityKey>,
    },
    /// A device was certified by the user's sigchain (in the log of the user).
    DeviceAdded {
        /// Whose.
        user_id: UserId,
        /// Which.
        device_id: DeviceId,
    },
    /// A device was revoked by the user's sigchain (in the log of the user).
    DeviceRevoked {
        /// Whose.
        user_id: UserId,
        /// Which.
        device_id: DeviceId,
    },
    /// Something calls for the user's attention (in the log of the user).
    NotificationCreated(Box<Notification>),
    /// The user has seen notifications (in the log of the user).
    NotificationRead {
        /// Which ones.
        ids: Vec<NotificationId>,
    },
    /// The user chose how much of a channel calls for attention (in the log of the user).
    NotifyUpdated {
        /// Of which channel.
        channel_id: ChannelId,
        /// What they chose.
        notice: ChannelNotice,
    },
    /// The user chose keywords and quiet times (in the log of the user).
    AttentionUpdated(Box<Attention>),
    /// A message was pinned to its channel.
    PinAdded(Pin),
    /// A message is no longer pinned.
    PinRemoved(Pin),
    /// The user saved a message for later (in the log of the user).
    MessageSaved {
        /// Where it stands.
        channel_id: ChannelId,
        /// Which one.
        message_id: MessageId,
    },
    /// The user let go of a saved message (in the log of the user).
    MessageUnsaved {
        /// Where it stands.
        channel_id: ChannelId,
        /// Which one.
        message_id: MessageId,
    },
}

/// One person's pinning of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The message.
    pub message_id: MessageId,
    /// Who pinned it, or took the pin out.
    pub user_id: UserId,
}

/// One person's reaction to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The message.
    pub message_id: MessageId,
    /// The person.
    pub user_id: UserId,
    /// The emoji.
    pub emoji: Emoji,
}

/// A run of a bot's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Its id, under which the bot answers.
    pub id: Uuid,
    /// Where it was run.
    pub channel_id: ChannelId,
    /// The channel's community; none in direct messages.
    pub community_id: Option<CommunityId>,
    /// The name of the command, without the slash.
    pub command: String,
    /// What stands behind the name, as it was typed.
    pub text: String,
    /// The arguments that were given, by name, in order.
    pub args: Vec<(String, String)>,
    /// Who ran it, as they were called then.
    pub user: Author,
    /// Until when the bot may answer.
    pub expires_at: Timestamp,
}

/// The types of what happens in communities and their channels, sorted: what outgoing webhooks can
/// be subscribed to. What happens to one person alone is nobody else's.
pub const SUBSCRIBABLE: &[&str] = &[
    "channel.archived",
    "channel.created",
    "channel.updated",
    "identity.changed",
    "invite.accepted",
    "member.banned",
    "member.joined",
    "member.left",
    "member.muted",
    "member.role_changed",
    "member.unbanned",
    "member.unmuted",
    "member.updated",
    "message.created",
    "message.deleted",
    "message.edited",
    "message.previewed",
    "pin.added",
    "pin.removed",
    "reaction.added",
    "reaction.removed",
];

impl Fact {
    /// The stable word of the API: the event's `type`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MessageCreated { .. } => "message.created",
            Self::MessageEdited { .. } => "message.edited",
            Self::MessagePreviewed { .. } => "message.previewed",
            Self::MessageDeleted { .. } => "message.deleted",
            Self::ReactionAdded(_) => "reaction.added",
            Self::ReactionRemoved(_) => "reaction.removed",
            Self::ChannelCreated(_) => "channel.created",
            Self::ChannelUpdated(_) => "channel.updated",
            Self::ChannelArchived(_) => "channel.archived",
            Self::MemberJoined { .. } => "member.joined",
            Self::MemberLeft { .. } => "member.left",
            Self::MemberRoleChanged { .. } => "member.role_changed",
            Self::MemberBanned { .. } => "member.banned",
            Self::MemberUnbanned { .. } => "member.unbanned",
            Self::MemberMuted { .. } => "member.muted",
            Self::MemberUnmuted { .. } => "member.unmuted",
            Self::MemberUpdated { .. } => "member.updated",
            Self::InviteAccepted { .. } => "invite.accepted",
            Self::JoinRequested { .. } => "join.requested",
            Self::JoinDecided { outcome: JoinOutcome::Approved, .. } => "join.approved",
            Self::JoinDecided { outcome: JoinOutcome::Refused, .. } => "join.refused",
            Self::JoinDecided { outcome: JoinOutcome::Withdrawn, .. } => "join.withdrawn",
            Self::ReadUpdated { .. } => "read.updated",
            Self::CommandInvoked(_) => "command.invoked",
            Self::IdentityChanged { .. } => "identity.changed",
            Self::DeviceAdded { .. } => "device.added",
            Self::DeviceRevoked { .. } => "device.revoked",
            Self::NotificationCreated(_) => "notification.created",
            Self::NotificationRead { .. } => "notification.read",
            Self::NotifyUpdated { .. } => "notify.updated",
            Self::AttentionUpdated(_) => "attention.updated",
            Self::PinAdded(_) => "pin.added",
            Self::PinRemoved(_) => "pin.removed",
            Self::MessageSaved { .. } => "message.saved",
            Self::MessageUnsaved { .. } => "message.unsaved",
        }
    }
}

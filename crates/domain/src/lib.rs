//! Nouns and rules of Tidings: ids, positions, roles, channels, messages, references and search.
//!
//! This crate must never know I/O, clocks, randomness, or serde for the network. Time and random
//! bytes are arguments, so the only errors here are rules that say no.
//!
//! To add a noun: give it a file of its own name, a type for each of its ids, counts and secrets,
//! and the same noun in `storage`, `wire` and `server`.

pub mod attention;
pub mod channel;
pub mod command;
pub mod community;
pub mod fact;
pub mod id;
pub mod log;
pub mod media;
pub mod message;
pub mod name;
pub mod reference;
pub mod restriction;
pub mod scope;
pub mod search;
pub mod time;
pub mod user;

pub use attention::{
    Attention, ChannelNotice, Notification, NotificationKind, NotifyLevel, Quiet, QuietHours,
};
pub use channel::{Channel, ChannelType, RoomKind, Visibility};
pub use community::{Community, JoinOutcome, Role};
pub use fact::Fact;
pub use id::{
    ChannelId, CommunityId, DeviceId, IdentityKey, InviteCode, JobId, MediaId, MessageId,
    NotificationId, ReportId, SessionId, TokenId, UserId, WebhookId,
};
pub use log::{LogId, Position, Seq};
pub use media::Media;
pub use message::{Author, Emoji, Format, Mention, Message};
pub use restriction::RestrictionKind;
pub use scope::{Scope, Scopes};
pub use time::Timestamp;
pub use user::{ServerRole, User};

//! Channels, DMs and group DMs: the conversations.

use std::str::FromStr;

use crate::community::UnknownWord;
use crate::id::{ChannelId, CommunityId, UserId};
use crate::time::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $expected:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The stable word of the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord { expected: $expected }) }
            }
        }
    };
}
pub(crate) use words;

words!(
    /// What sort of conversation a channel is.
    ChannelType, "text, voice, dm, group_dm" {
        /// A channel of a community for text.
        Text = "text",
        /// A channel of a community for voice.
        Voice = "voice",
        /// A conversation of two people (or of one with themselves).
        Dm = "dm",
        /// A conversation of three or more people.
        GroupDm = "group_dm",
    }
);

words!(
    /// Who may find a channel.
    Visibility, "public, private" {
        /// Every member of the community.
        Public = "public",
        /// Only those who are in it.
        Private = "private",
    }
);

words!(
    /// Who can read the content of a room.
    RoomKind, "open, sealed" {
        /// Members and the server.
        Open = "open",
        /// Members' devices only (MLS).
        Sealed = "sealed",
    }
);

/// A conversation, without anything that depends on who looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Its community; none for DMs.
    pub community_id: Option<CommunityId>,
    /// Its name; none for DMs.
    pub name: Option<String>,
    /// Text, voice, DM or group DM.
    pub channel_type: ChannelType,
    /// Public or private; DMs are private.
    pub visibility: Visibility,
    /// Open or sealed.
    pub kind: RoomKind,
    /// What is talked about, as Markdown of at most 1,000 characters; may be empty.
    pub topic: String,
    /// The heading under which lists show it.
    pub category: Option<String>,
    /// Whether it is read-only.
    pub archived: bool,
    /// Whether it is the channel that newcomers of the community join (`#general`).
    pub default: bool,
    /// After how many seconds its messages are erased; none keeps them.
    pub retention_s: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who is in a DM, sorted by id; empty for channels of a community, whose members come and go.
    pub dm_users: Vec<UserId>,
}

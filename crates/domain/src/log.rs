//! Where an entry stands: which log, which `seq` in it, which position in the order of commits.

use std::fmt;
use std::str::FromStr;

use crate::id::{ChannelId, CommunityId, InvalidId, UserId};

/// The place of an entry in its own log: 1, 2, 3, … without gaps. 0 stands before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an entry among all entries of the server, in the order in which they were
/// committed: 1, 2, 3, … without gaps. Cursors are made of it; clients never see it bare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

/// Which log an entry belongs to; written `c:<channel>`, `g:<community>`, `u:<user>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogId {
    /// A conversation: channel, DM or group DM.
    Conversation(ChannelId),
    /// A community: its channels, roles and invites.
    Community(CommunityId),
    /// A user: read markers, memberships, devices, notifications.
    User(UserId),
}

impl LogId {
    /// The channel, when this is a conversation's log.
    pub const fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Conversation(id) => Some(*id),
            Self::Community(_) | Self::User(_) => None,
        }
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conversation(id) => write!(f, "c:{id}"),
            Self::Community(id) => write!(f, "g:{id}"),
            Self::User(id) => write!(f, "u:{id}"),
        }
    }
}

impl FromStr for LogId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_at_checked(2) {
            Some(("c:", id)) => id.parse().map(Self::Conversation),
            Some(("g:", id)) => id.parse().map(Self::Community),
            Some(("u:", id)) => id.parse().map(Self::User),
            _ => Err(InvalidId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ids_round_trip_and_bad_ones_are_refused() {
        let id = "c:0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01";
        assert_eq!(id.parse::<LogId>().map(|log| log.to_string()), Ok(id.to_owned()));
        for bad in ["", "c", "x:0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01", "c:1", "é:"] {
            assert_eq!(bad.parse::<LogId>(), Err(InvalidId), "{bad}");
        }
    }
}

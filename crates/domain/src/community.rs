//! Communities and the roles in them.

use std::fmt;
use std::str::FromStr;

use crate::id::CommunityId;
use crate::time::Timestamp;

/// A community: channels, members, roles, invites.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Community {
    /// Its id.
    pub id: CommunityId,
    /// The name that people read, 1 to 80 characters.
    pub name: String,
    /// The name in addresses, unique on the server.
    pub slug: String,
    /// Whether everybody who comes by an invite waits until an admin lets them in.
    pub approval: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a member may do in a community, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also moderates, and manages channels and invites.
    Admin,
    /// Also makes and unmakes admins and owners.
    Owner,
}

impl Role {
    /// The stable word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a request to join ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinOutcome {
    /// An admin let the person in.
    Approved,
    /// An admin did not.
    Refused,
    /// The person does not want to any more.
    Withdrawn,
}

/// The text is none of the words that are allowed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {expected}")]
pub struct UnknownWord {
    /// The words that would have been understood, joined by commas.
    pub expected: &'static str,
}

impl FromStr for Role {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            "owner" => Ok(Self::Owner),
            _ => Err(UnknownWord { expected: "owner, admin, member" }),
        }
    }
}

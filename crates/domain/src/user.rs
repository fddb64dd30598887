//! Accounts on this server.

use crate::id::{IdentityKey, UserId};
use crate::time::Timestamp;

use crate::channel::words;
use crate::community::UnknownWord;
use std::str::FromStr;

words!(
    /// What an account may do to the server as a whole.
    ServerRole, "owner, user" {
        /// Runs the server: imports, resets, disables.
        Owner = "owner",
        /// Everyone else.
        User = "user",
    }
);

/// An account: a person, a bot, or the ghost of somebody in an import.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The unique name, 1 to 32 of `[a-z0-9._-]`.
    pub username: String,
    /// The name that people read, 1 to 64 characters.
    pub display_name: String,
    /// The key that owns the account; none for ghosts and bots.
    pub identity: Option<IdentityKey>,
    /// Owner or user.
    pub server_role: ServerRole,
    /// Whether it is a program.
    pub bot: bool,
    /// Whether strangers may find it by handle.
    pub discoverable: bool,
    /// The status text; may be empty.
    pub status: String,
    /// Whether the operator has shut it out.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

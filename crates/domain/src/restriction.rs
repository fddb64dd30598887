//! What may be taken from somebody in a community: staying in it, or speaking in it.

use std::str::FromStr;

use crate::channel::words;
use crate::community::UnknownWord;

/// Longest reason of a ban or mute, in characters.
pub const REASON_MAX: usize = 500;

words!(
    /// What somebody in a community is kept from, until it ends.
    RestrictionKind, "ban, mute" {
        /// From being in the community: no invite lets them in.
        Ban = "ban",
        /// From posting, editing and reacting in its channels.
        Mute = "mute",
    }
);

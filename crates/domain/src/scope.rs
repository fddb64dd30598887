//! What an API token may be used for.

use std::fmt;
use std::str::FromStr;

use crate::channel::words;
use crate::community::UnknownWord;

words!(
    /// One thing that a token allows. It never adds to what its account may do.
    Scope, "messages:read, messages:write, channels:read, channels:write, members:read, \
            members:write, reactions:write, media:write, commands:run, presence:read, admin" {
        /// Read messages and follow events.
        MessagesRead = "messages:read",
        /// Write, edit and delete messages; move read markers.
        MessagesWrite = "messages:write",
        /// See communities and channels.
        ChannelsRead = "channels:read",
        /// Make, change, join and leave channels; manage their webhooks.
        ChannelsWrite = "channels:write",
        /// See members and profiles.
        MembersRead = "members:read",
        /// Invite, remove and moderate members.
        MembersWrite = "members:write",
        /// React to messages.
        ReactionsWrite = "reactions:write",
        /// Upload files.
        MediaWrite = "media:write",
        /// Run slash commands, and register commands as a bot.
        CommandsRun = "commands:run",
        /// See who is online.
        PresenceRead = "presence:read",
        /// Everything that the account may do and a token can, without limits on sending.
        Admin = "admin",
    }
);

impl Scope {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 11] = [
        Self::MessagesRead,
        Self::MessagesWrite,
        Self::ChannelsRead,
        Self::ChannelsWrite,
        Self::MembersRead,
        Self::MembersWrite,
        Self::ReactionsWrite,
        Self::MediaWrite,
        Self::CommandsRun,
        Self::PresenceRead,
        Self::Admin,
    ];

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of scopes; written as their words with spaces between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u16);

impl Scopes {
    /// Whether the set allows this: it has the scope, or [`Scope::Admin`].
    pub const fn allow(self, scope: Scope) -> bool {
        self.has(scope) || self.has(Scope::Admin)
    }

    /// Whether the scope itself is in the set.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every scope of this set is allowed by the other one.
    pub fn within(self, other: Self) -> bool {
        self.iter().all(|scope| other.allow(scope))
    }

    /// The scopes, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        text.split_whitespace().map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_and_read_again() {
        let all: Scopes = Scope::ALL.into_iter().collect();
        assert_eq!(all.to_string().parse(), Ok(all));
        assert_eq!(all.iter().count(), Scope::ALL.len());
        let two: Scopes = "messages:write messages:read".parse().unwrap();
        assert_eq!(two.to_string(), "messages:read messages:write");
        assert!("messages:eat".parse::<Scopes>().is_err());
        assert!("".parse::<Scopes>().unwrap().is_empty());
    }

    #[test]
    fn admin_allows_everything_and_nothing_else_does() {
        let admin = Scopes::from_iter([Scope::Admin]);
        let rest: Scopes = Scope::ALL.into_iter().filter(|it| *it != Scope::Admin).collect();
        assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
        assert!(!rest.allow(Scope::Admin) && rest.within(admin) && !admin.within(rest));
        assert!(!Scopes::default().allow(Scope::MessagesRead));
    }
}

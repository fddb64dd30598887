//! Names that people write, turned into ids: `[community/]#channel`, `@person`, and ids as they
//! are.

use std::fmt;
use std::str::FromStr;

use tidings_domain::name::{self, NameError};
use tidings_domain::{ChannelId, CommunityId, UserId};
use tidings_wire::Code;
use tidings_wire::channel::Channel;
use tidings_wire::community::Community;

use crate::client::Client;
use crate::error::ClientError;

/// A conversation as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ChannelRef {
    /// By its id.
    Id(ChannelId),
    /// `[community/]#name`.
    Named {
        /// The community's slug; when absent, the name must be unique among one's communities.
        community: Option<String>,
        /// The channel's name, without `#`.
        name: String,
    },
    /// The DM with one person, `@name`.
    Person(PersonRef),
}

/// A person as people name them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PersonRef {
    /// By their id.
    Id(UserId),
    /// `@username`, kept without `@`.
    Name(String),
}

/// Why a text names no conversation or person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefError {
    /// It has none of the forms of a channel.
    #[error(
        "\"{text}\" names no conversation: write '#channel', 'community/#channel', '@person' or an id (in quotes, because # begins a comment in most shells)"
    )]
    Channel {
        /// What was written.
        text: String,
    },
    /// It has none of the forms of a person.
    #[error("\"{text}\" names nobody: write @username or an id")]
    Person {
        /// What was written.
        text: String,
    },
    /// The form is right but the name cannot be one.
    #[error("\"{text}\" cannot be the name of a {what}: it {rule}")]
    Name {
        /// What was written.
        text: String,
        /// What it would have named.
        what: &'static str,
        /// The rule that it breaks.
        rule: NameError,
    },
}

impl FromStr for PersonRef {
    type Err = RefError;

    fn from_str(text: &str) -> Result<Self, RefError> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let Some(username) = text.strip_prefix('@') else {
            return Err(RefError::Person { text: text.to_owned() });
        };
        name::username(username).map_err(|rule| RefError::Name {
            text: username.to_owned(),
            what: "person",
            rule,
        })?;
        Ok(Self::Name(username.to_owned()))
    }
}

impl FromStr for ChannelRef {
    type Err = RefError;

    fn from_str(text: &str) -> Result<Self, RefError> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        if text.starts_with('@') {
            return text.parse().map(Self::Person);
        }
        let Some((before, channel)) = text.split_once('#') else {
            return Err(RefError::Channel { text: text.to_owned() });
        };
        let community = match before.strip_suffix('/') {
            Some(slug) => {
                name::slug(slug).map_err(|rule| RefError::Name {
                    text: slug.to_owned(),
                    what: "community",
                    rule,
                })?;
                Some(slug.to_owned())
            }
            None if before.is_empty() => None,
            None => return Err(RefError::Channel { text: text.to_owned() }),
        };
        name::channel(channel).map_err(|rule| RefError::Name {
            text: channel.to_owned(),
            what: "channel",
            rule,
        })?;
        Ok(Self::Named { community, name: channel.to_owned() })
    }
}

impl fmt::Display for PersonRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => write!(f, "@{name}"),
        }
    }
}

impl fmt::Display for ChannelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Named { community: Some(community), name } => write!(f, "{community}/#{name}"),
            Self::Named { community: None, name } => write!(f, "#{name}"),
            Self::Person(person) => person.fmt(f),
        }
    }
}

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The server could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No such channel, or not for this person.
    #[error("there is no channel {name} that you can see")]
    NoChannel {
        /// The name as it was written.
        name: String,
    },
    /// No such community among one's own.
    #[error("you are in no community called {slug}")]
    NoCommunity {
        /// The slug as it was written.
        slug: String,
    },
    /// One is in no community at all.
    #[error("you are in no community yet")]
    NoCommunities,
    /// No such person.
    #[error("there is nobody called {name} on this server")]
    NoPerson {
        /// The name as it was written.
        name: String,
    },
    /// Several channels have this name.
    #[error("several communities have a channel of this name: {}", .candidates.join(", "))]
    AmbiguousChannel {
        /// The full names, each of which would be understood.
        candidates: Vec<String>,
    },
    /// Several communities, and none was named.
    #[error("you are in several communities: {}", .candidates.join(", "))]
    AmbiguousCommunity {
        /// Their slugs.
        candidates: Vec<String>,
    },
}

impl ResolveError {
    /// Whether asking again later may well give another answer.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_transient())
    }
}

impl Client {
    /// The conversation that is meant. A DM that does not exist yet is made.
    ///
    /// A bare `#name` means the one joined channel of that name, or else the one that is visible
    /// in any of one's communities.
    pub async fn resolve_channel(&self, target: &ChannelRef) -> Result<Channel, ResolveError> {
        match target {
            ChannelRef::Id(id) => match self.channel(*id).await {
                Err(error) if error.code() == Some(Code::NotFound) => {
                    Err(ResolveError::NoChannel { name: id.to_string() })
                }
                channel => Ok(channel?),
            },
            ChannelRef::Person(person) => {
                let user = self.resolve_person(person).await?;
                Ok(self.open_dm(&[user]).await?)
            }
            ChannelRef::Named { community: Some(slug), name } => {
                let community = self.resolve_community(Some(slug)).await?;
                let channels = self.channels_of(CommunityId(community.id)).await?;
                channels
                    .into_iter()
                    .find(|channel| channel.name.as_deref() == Some(name))
                    .ok_or_else(|| ResolveError::NoChannel { name: target.to_string() })
            }
            ChannelRef::Named { community: None, name } => self.resolve_bare(name).await,
        }
    }

    async fn resolve_bare(&self, name: &str) -> Result<Channel, ResolveError> {
        let called = |channel: &Channel| channel.name.as_deref() == Some(name) && !channel.archived;
        let mut found: Vec<Channel> = self.channels().await?.into_iter().filter(called).collect();
        if found.is_empty() {
            for community in self.communities().await? {
                let channels = self.channels_of(CommunityId(community.id)).await?;
                found.extend(channels.into_iter().filter(called));
            }
        }
        match (found.pop(), found.is_empty()) {
            (None, _) => Err(ResolveError::NoChannel { name: format!("#{name}") }),
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                found.push(last);
                let communities = self.communities().await?;
                let candidates =
                    found.iter().filter_map(|channel| full_name(channel, &communities)).collect();
                Err(ResolveError::AmbiguousChannel { candidates })
            }
        }
    }

    /// The community with this slug, or the only one when none is named.
    pub async fn resolve_community(&self, slug: Option<&str>) -> Result<Community, ResolveError> {
        let mut communities = self.communities().await?;
        match slug {
            Some(slug) => communities
                .into_iter()
                .find(|community| community.slug == slug)
                .ok_or_else(|| ResolveError::NoCommunity { slug: slug.to_owned() }),
            None if communities.len() > 1 => Err(ResolveError::AmbiguousCommunity {
                candidates: communities.into_iter().map(|community| community.slug).collect(),
            }),
            None => communities.pop().ok_or(ResolveError::NoCommunities),
        }
    }

    /// The person that is meant.
    pub async fn resolve_person(&self, person: &PersonRef) -> Result<UserId, ResolveError> {
        let name = match person {
            PersonRef::Id(id) => return Ok(*id),
            PersonRef::Name(name) => name,
        };
        // A handle ends in the server's public authority, which need not be the one dialed.
        let origin = self.discover().await?.origin;
        let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
        match self.user_by_handle(&format!("{name}@{host}")).await {
            Err(error) if error.code() == Some(Code::NotFound) => {
                Err(ResolveError::NoPerson { name: person.to_string() })
            }
            profile => Ok(UserId(profile?.id)),
        }
    }
}

/// `community/#name` of a channel; `None` for DMs and channels of other communities.
pub fn full_name(channel: &Channel, communities: &[Community]) -> Option<String> {
    let community =
        communities.iter().find(|community| Some(community.id) == channel.community_id)?;
    Some(format!("{}/#{}", community.slug, channel.name.as_deref()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01";

    #[test]
    fn every_form_is_read_and_written_back() {
        for text in ["#general", "acme/#general", "@ana", ID, "#日本語", "a-b/#c.d_e"] {
            let target: ChannelRef = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
        }
        for text in ["@ana", ID] {
            assert_eq!(text.parse::<PersonRef>().unwrap().to_string(), text);
        }
        assert_eq!(
            "acme/#ops".parse(),
            Ok(ChannelRef::Named { community: Some("acme".to_owned()), name: "ops".to_owned() })
        );
    }

    #[test]
    fn what_names_nothing_says_how_to_write_it() {
        for bad in ["", "general", "acme/general", "acme#general", "/"] {
            assert!(matches!(bad.parse::<ChannelRef>(), Err(RefError::Channel { .. })), "{bad}");
        }
        for bad in ["#", "#Two Words", "#a#b", "/#x", "Acme/#x", "@", "@Ana", "@a b"] {
            assert!(matches!(bad.parse::<ChannelRef>(), Err(RefError::Name { .. })), "{bad}");
        }
        assert!(matches!("ana".parse::<PersonRef>(), Err(RefError::Person { .. })));
        let told = "#Ops".parse::<ChannelRef>().unwrap_err().to_string();
        assert!(told.contains("lower-case"), "{told}");
    }
}

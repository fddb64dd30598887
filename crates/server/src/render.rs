//! From a body as it was sent to what is stored and shown.
//!
//! A body is Markdown. [`prepare`] resolves the references in it once (`@ana` becomes
//! `@<user:UUID>`, outside of code) and draws it as HTML that is safe to put on a page; [`render`]
//! draws a stored body again with today's names. The tables of what is understood and what comes
//! out are in `docs/schema/messages.md`.
//!
//! Three layers keep foreign script out: the parser never sees an angle bracket, so raw HTML is
//! text by construction (`source`); the writer escapes all text and makes every tag itself
//! (`html`); and the result passes an allow-list (`sanitize`) unless it came from the writer's
//! short way for text without Markdown, which makes only `p`, `br`, links and mentions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tidings_domain::reference::Written;
use tidings_domain::{ChannelId, Mention, UserId};

mod highlight;
mod html;
mod markdown;
mod sanitize;
mod source;
mod text;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod hostile;

pub use highlight::highlight;

/// A body that is ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Markdown with stored references in place of the names that were resolved. It can be longer
    /// than the body that was sent: a name of one character becomes 45.
    pub body: String,
    /// The body as sanitized HTML.
    pub body_html: String,
    /// Whom it names outside of code, each once, in the order of the body.
    pub mentions: Vec<Mention>,
}

/// Names and ids that a body may refer to. What is not here stays text.
pub trait Resolve {
    /// The account with this username (lower case), and the username as it is drawn.
    fn user_by_name(&self, username: &str) -> Option<(UserId, String)>;
    /// The username of this account.
    fn user(&self, id: UserId) -> Option<String>;
    /// The channel with this name (lower case), and the name as it is drawn.
    fn channel_by_name(&self, name: &str) -> Option<(ChannelId, String)>;
    /// The name of this channel.
    fn channel(&self, id: ChannelId) -> Option<String>;
}

/// What a body seems to refer to, outside of code: to be looked up before [`prepare`].
///
/// A body of 16,000 characters has at most 5,334 of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidates {
    /// Usernames in lower case.
    pub usernames: BTreeSet<String>,
    /// Channel names in lower case.
    pub channel_names: BTreeSet<String>,
    /// Accounts that are already written as stored references.
    pub users: BTreeSet<UserId>,
    /// Channels that are already written as stored references.
    pub channels: BTreeSet<ChannelId>,
}

impl Candidates {
    /// Whether there is nothing to look up.
    pub fn is_empty(&self) -> bool {
        self.usernames.is_empty()
            && self.channel_names.is_empty()
            && self.users.is_empty()
            && self.channels.is_empty()
    }
}

/// What a lookup of [`Candidates`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    users: BTreeMap<UserId, String>,
    channels: BTreeMap<ChannelId, String>,
    users_by_name: BTreeMap<String, UserId>,
    channels_by_name: BTreeMap<String, ChannelId>,
}

impl Names {
    /// Makes an account known by id and by username.
    pub fn insert_user(&mut self, id: UserId, username: &str) {
        self.users.insert(id, username.to_owned());
        self.users_by_name.insert(username.to_owned(), id);
    }

    /// Makes a channel known by id and by name.
    pub fn insert_channel(&mut self, id: ChannelId, name: &str) {
        self.channels.insert(id, name.to_owned());
        self.channels_by_name.insert(name.to_owned(), id);
    }
}

impl Resolve for Names {
    fn user_by_name(&self, username: &str) -> Option<(UserId, String)> {
        self.users_by_name.get(username).map(|id| (*id, username.to_owned()))
    }
    fn user(&self, id: UserId) -> Option<String> {
        self.users.get(&id).cloned()
    }
    fn channel_by_name(&self, name: &str) -> Option<(ChannelId, String)> {
        self.channels_by_name.get(name).map(|id| (*id, name.to_owned()))
    }
    fn channel(&self, id: ChannelId) -> Option<String> {
        self.channels.get(&id).cloned()
    }
}

/// What `body` seems to refer to.
pub fn candidates(body: &str) -> Candidates {
    let mut found = Candidates::default();
    markdown::each_reference(body, |_, written| match written {
        Written::User(name) => drop(found.usernames.insert(name.into_owned())),
        Written::Channel(name) => drop(found.channel_names.insert(name.into_owned())),
        Written::Stored(Mention::User(id)) => drop(found.users.insert(id)),
        Written::Stored(Mention::Channel(id)) => drop(found.channels.insert(id)),
        Written::Stored(Mention::Here | Mention::Everyone) | Written::Here | Written::Everyone => {}
    });
    found
}

/// Resolves the references of a body as it was sent, and draws it. Preparing the resulting body
/// again gives the same (people edit what they have read).
pub fn prepare(body: &str, names: &dyn Resolve) -> Prepared {
    let body = resolve(body, names).into_owned();
    let (body_html, mentions) = draw(&body, names);
    Prepared { body, body_html, mentions }
}

/// Draws a body whose references were all resolved elsewhere, such as an imported one: stored
/// references count, and `@name` is text.
pub fn prepare_resolved(body: String, names: &dyn Resolve) -> Prepared {
    let (body_html, mentions) = draw(&body, names);
    Prepared { body, body_html, mentions }
}

/// The stretches of a body that are text, not code, in order: what an importer looks through for
/// references of its own.
pub fn prose(body: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    markdown::each_prose(body, |range| found.push(range));
    found
}

/// Draws a stored body with the names of today. Nothing is resolved anew: `@name` is text here.
pub fn render(body: &str, names: &dyn Resolve) -> String {
    draw(body, names).0
}

fn resolve<'a>(body: &'a str, names: &dyn Resolve) -> Cow<'a, str> {
    let mut resolved = String::new();
    let mut from = 0;
    markdown::each_reference(body, |range, written| {
        let mention = match written {
            Written::Stored(_) => None,
            Written::Here => Some(Mention::Here),
            Written::Everyone => Some(Mention::Everyone),
            Written::User(name) => names.user_by_name(&name).map(|(id, _)| Mention::User(id)),
            Written::Channel(name) => {
                names.channel_by_name(&name).map(|(id, _)| Mention::Channel(id))
            }
        };
        if let Some(mention) = mention {
            resolved.push_str(body.get(from..range.start).unwrap_or_default());
            // Writing to a string cannot fail.
            let _ = write!(resolved, "{mention}");
            from = range.end;
        }
    });
    if from == 0 {
        return Cow::Borrowed(body);
    }
    resolved.push_str(body.get(from..).unwrap_or_default());
    Cow::Owned(resolved)
}

fn draw(body: &str, names: &dyn Resolve) -> (String, Vec<Mention>) {
    if source::is_plain(body) {
        html::plain(body, names)
    } else {
        let (html, mentions) = html::rich(body, names);
        (sanitize::clean(&html), mentions)
    }
}

#[cfg(test)]
mod tests;

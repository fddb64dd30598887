//! What other programs send to incoming webhooks, turned into posts.
//!
//! Everything here is a function of headers and body: no store, no clock. Payloads are other
//! people's, in versions that nobody promised, so every field may be missing, `null` or of another
//! type; what is there is shown, and nothing that is sent can fail in another way than by a
//! [`Refusal`].

pub mod alertmanager;
mod forge;
pub mod github;
pub mod gitlab;
pub mod payload;
pub mod slack;

use std::str::FromStr;

use http::{HeaderMap, HeaderValue};
use tidings_domain::message::BODY_MAX;
use tidings_markup::mrkdwn;

/// Whose format a webhook's address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Slack's incoming webhooks; also what an address without a suffix takes.
    Slack,
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Prometheus Alertmanager, and Grafana's contact point of the same shape.
    Alertmanager,
    /// Any text.
    Raw,
}

impl FromStr for Source {
    type Err = Refusal;
    fn from_str(text: &str) -> Result<Self, Refusal> {
        Ok(match text {
            "slack" => Self::Slack,
            "github" => Self::GitHub,
            "gitlab" => Self::GitLab,
            "gitea" => Self::Gitea,
            "alertmanager" => Self::Alertmanager,
            "raw" => Self::Raw,
            _ => return Err(Refusal::NoService),
        })
    }
}

/// Why a request is refused, in the words that clients of Slack know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body is not what the address takes.
    #[error("invalid_payload")]
    InvalidPayload,
    /// There is nothing to show.
    #[error("no_text")]
    NoText,
    /// The webhook demands a signature, and this one is not right.
    #[error("invalid_signature")]
    InvalidSignature,
    /// There is no such webhook, or the token is wrong.
    #[error("no_service")]
    NoService,
    /// The channel is gone.
    #[error("channel_not_found")]
    ChannelNotFound,
    /// The channel takes no messages any more.
    #[error("channel_is_archived")]
    ChannelIsArchived,
    /// The channel is none for texts.
    #[error("action_prohibited")]
    ActionProhibited,
}

impl Refusal {
    /// The HTTP status that goes with the word.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidPayload | Self::NoText => 400,
            Self::InvalidSignature | Self::ActionProhibited => 403,
            Self::NoService | Self::ChannelNotFound => 404,
            Self::ChannelIsArchived => 410,
        }
    }
}

/// What a request says, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Post {
    /// Markdown of at most 16,000 characters.
    pub body: String,
    /// A name to post under instead of the webhook's.
    pub username: Option<String>,
    /// Whether names in the body may ring: `@channel` of a stranger's issue must not.
    pub mentions: bool,
    /// What the post belongs to: the first one under a key begins a thread, later ones reply.
    pub thread: Option<String>,
    /// Whether a reply is shown in the channel too.
    pub broadcast: bool,
    /// What the sender calls the delivery: a second one under it is dropped.
    pub delivery: Option<String>,
    /// Posted only when it changes.
    pub state: Option<State>,
}

/// Something that is told only when it changes, such as whether a build passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Of what.
    pub key: String,
    /// How it is now.
    pub value: &'static str,
    /// Whether it need not be told when nothing is known yet.
    pub expected: bool,
}

impl Post {
    /// A post of a program that quotes strangers.
    fn quoting(body: String) -> Self {
        Self { body, ..Self::default() }
    }
}

/// Reads a request. `None` when it is understood and there is nothing to say.
///
/// # Errors
/// What its sender is told.
pub fn read(source: Source, headers: &HeaderMap, body: &[u8]) -> Result<Option<Post>, Refusal> {
    let post = match source {
        Source::Slack => Some(slack::post(&payload::json(headers, body)?)?),
        Source::GitHub => {
            let event = header(headers, "x-github-event").ok_or(Refusal::InvalidPayload)?;
            github::post(event, &payload::json(headers, body)?)
        }
        Source::Gitea => {
            let event = header(headers, "x-gitea-event")
                .or_else(|| header(headers, "x-forgejo-event"))
                .or_else(|| header(headers, "x-github-event"))
                .ok_or(Refusal::InvalidPayload)?;
            github::post(event, &payload::json(headers, body)?)
        }
        Source::GitLab => gitlab::post(&payload::json(headers, body)?),
        Source::Alertmanager => alertmanager::post(&payload::json(headers, body)?),
        Source::Raw => {
            let body = String::from_utf8_lossy(body).trim().replace('\0', "");
            if body.is_empty() {
                return Err(Refusal::NoText);
            }
            Some(Post { body, mentions: true, ..Post::default() })
        }
    };
    let delivery =
        ["x-github-delivery", "x-gitea-delivery", "x-gitlab-event-uuid", "idempotency-key"]
            .into_iter()
            .find_map(|name| header(headers, name));
    Ok(post.map(|post| Post {
        body: cut(&post.body, BODY_MAX),
        delivery: delivery.map(str::to_owned),
        ..post
    }))
}

/// A header that is text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(HeaderValue::to_str)?.ok().filter(|value| !value.is_empty())
}

/// At most `max` characters; what was cut off is marked.
fn cut(text: &str, max: usize) -> String {
    if text.char_indices().nth(max).is_none() {
        return text.to_owned();
    }
    let end = text.char_indices().nth(max.saturating_sub(2)).map_or(0, |(at, _)| at);
    format!("{} …", text.get(..end).unwrap_or_default())
}

/// The first line of a text, without markup and at most `max` characters.
fn line(text: &str, max: usize) -> String {
    mrkdwn::escape(&cut(text.trim().lines().next().unwrap_or_default().trim(), max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_and_marked() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("éééé", 3), "é …");
        let body = "x".repeat(20_000);
        let post = read(Source::Raw, &HeaderMap::new(), body.as_bytes()).unwrap().unwrap();
        assert_eq!(post.body.chars().count(), BODY_MAX);
    }

    #[test]
    fn raw_bodies_are_text_whatever_their_bytes() {
        let read = |body: &[u8]| read(Source::Raw, &HeaderMap::new(), body);
        assert_eq!(read(b" done \n").unwrap().unwrap().body, "done");
        assert_eq!(read(b" \n"), Err(Refusal::NoText));
        assert_eq!(read(b"a\0\xff").unwrap().unwrap().body, "a\u{fffd}");
    }
}

//! Full-text search. The index follows the log with a position of its own.

use async_trait::async_trait;
use tidings_domain::search::token;
use tidings_domain::{ChannelId, Position, Timestamp, UserId};

use crate::error::StorageError;
use crate::message::StoredMessage;

/// One thing that every result must (or must not) hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchTerm {
    /// Words in order; more than one is a phrase.
    pub words: Vec<String>,
    /// Whether results must not hold it.
    pub exclude: bool,
}

/// What a message can carry, for `has:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// A link.
    Link,
    /// A file.
    File,
    /// A picture.
    Image,
}

/// A search, with names resolved and rights applied by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// All must match.
    pub terms: Vec<SearchTerm>,
    /// The conversations to look in; what the caller may read and asked for.
    pub channels: Vec<ChannelId>,
    /// Any of these authors; empty for everybody.
    pub authors: Vec<UserId>,
    /// All must be carried.
    pub carries: Vec<Carries>,
    /// Written before this time.
    pub before: Option<Timestamp>,
    /// Written at this time or after.
    pub after: Option<Timestamp>,
}

/// A page of results, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPage {
    /// What was found.
    pub messages: Vec<StoredMessage>,
    /// What to pass to get older results.
    pub next: Option<Position>,
}

/// The text of a body that is indexed: all but the references, whose ids nobody searches for.
pub fn searchable(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find("@<").into_iter().chain(rest.find("#<")).min() {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let (sign, inside) = from.split_at(2);
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ":-".contains(c);
        rest = inside.trim_start_matches(inner);
        if let Some(after) = rest.strip_prefix('>') {
            text.push(' ');
            rest = after;
        } else {
            text.push_str(sign);
            rest = inside;
        }
    }
    text.push_str(rest);
    text
}

/// The words of a body as the index has them, between single spaces.
pub fn words(body: &str) -> String {
    let mut words = String::with_capacity(body.len());
    for token in token::tokens(&searchable(body)) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&token.folded);
    }
    words
}

/// Whether a body carries a link, as `has:link` understands it.
pub fn has_link(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    body.contains("http://") || body.contains("https://")
}

/// The full-text index.
#[async_trait]
pub trait SearchRepository {
    /// Finds messages, newest first, at most `limit`, older than `before` when that is given. A
    /// message's age is the position of the entry that created it, also after an edit. Words are
    /// whole words, without regard to case and accents, of [`searchable`] bodies.
    async fn search(
        &self,
        filter: &SearchFilter,
        before: Option<Position>,
        limit: usize,
        reader: UserId,
    ) -> Result<SearchPage, StorageError>;

    /// Waits until the index has reached a position. Safe to drop.
    async fn indexed(&self, position: Position) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_not_searched_for() {
        let id = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01";
        let body = format!("hi @<user:{id}>, see #<channel:{id}> @<here> a@<b C> #<");
        assert_eq!(searchable(&body), "hi  , see     a@<b C> #<");
        assert_eq!(searchable("plain é"), "plain é");
    }

    #[test]
    fn links_are_http_addresses() {
        assert!(has_link("see HTTPS://example.org"));
        assert!(!has_link("see example.org"));
    }
}

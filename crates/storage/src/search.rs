//! Full-text search. The index follows the log with a position of its own.

use async_trait::async_trait;
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

/// The full-text index.
#[async_trait]
pub trait SearchRepository {
    /// Finds messages, newest first, at most `limit`, older than `before` when that is given.
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

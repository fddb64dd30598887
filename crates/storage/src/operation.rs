//! What operators and the server itself need of a store.

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};

use crate::change::Digest;
use crate::error::StorageError;

/// The answer that was given to a request with an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// Whose key.
    pub user_id: UserId,
    /// SHA-256 of the key and the path.
    pub key: Digest,
    /// SHA-256 of method, path and body.
    pub request: Digest,
    /// The answer's status.
    pub status: u16,
    /// The answer's body; `None` when it showed a secret and is not kept.
    pub body: Option<Vec<u8>>,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

/// How much the store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Accounts, ghosts and bots included.
    pub users: u64,
    /// Channels and DMs.
    pub channels: u64,
    /// Messages, tombstones included.
    pub messages: u64,
    /// Entries of all logs.
    pub entries: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What a rebuild did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Entries that were replayed.
    pub entries: u64,
    /// Entries of types that this version does not know; they have no projections.
    pub unknown: u64,
}

/// Operations.
#[async_trait]
pub trait OperationRepository {
    /// Answers when the database does.
    async fn ping(&self) -> Result<(), StorageError>;

    /// The answer that was given under an idempotency key.
    async fn response(
        &self,
        user: UserId,
        key: &Digest,
    ) -> Result<Option<StoredResponse>, StorageError>;

    /// A value of the server's own.
    async fn setting(&self, name: &'static str) -> Result<Option<Vec<u8>>, StorageError>;

    /// How much the store holds.
    async fn totals(&self) -> Result<Totals, StorageError>;

    /// Checks what can be checked without writing: the database's own integrity, hash chains,
    /// gapless places and positions. One line for each thing that is wrong; empty when all is well.
    /// `progress` is told how many entries of how many were looked at.
    async fn check(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Vec<String>, StorageError>;

    /// Empties every projection and makes it again from the entries. Not while a server runs.
    /// `progress` is told how many entries of how many were replayed.
    async fn rebuild(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Rebuilt, StorageError>;

    /// Every row of every projection as sorted lines, to compare a rebuilt store with a live one.
    async fn dump_projections(&self) -> Result<Vec<String>, StorageError>;

    /// Finishes what was submitted, lets go of files and connections.
    async fn close(&self);
}

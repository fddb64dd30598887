//! Accounts and their sigchains.

use async_trait::async_trait;
use tidings_domain::{IdentityKey, User, UserId};

use crate::error::StorageError;

/// Reads of accounts and chains.
#[async_trait]
pub trait AccountRepository {
    /// Whether anybody has registered yet; ghosts and bots do not count.
    async fn has_accounts(&self) -> Result<bool, StorageError>;

    /// The account.
    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError>;

    /// The account of that name.
    async fn user_by_username(&self, username: &str) -> Result<Option<User>, StorageError>;

    /// The account that the identity owns.
    async fn user_by_identity(&self, identity: IdentityKey) -> Result<Option<User>, StorageError>;

    /// The server's owner: the first of them by id.
    async fn server_owner(&self) -> Result<Option<User>, StorageError>;

    /// The accounts of these ids; those that do not exist are left out. At most 1,000 ids.
    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError>;

    /// The accounts of these names; those that do not exist are left out. At most 1,000 names.
    async fn users_by_username(&self, usernames: &[String]) -> Result<Vec<User>, StorageError>;

    /// Accounts in order of ids after one, at most `limit`.
    async fn list_users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StorageError>;

    /// Envelopes of a chain from `first` on, as JSON, at most `limit`.
    async fn chain(
        &self,
        identity: IdentityKey,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StorageError>;
}

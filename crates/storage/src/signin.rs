//! Sign-in through others: providers, whom they know under which name, and terminals that wait for
//! somebody who is logged in elsewhere.

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};

use crate::change::Digest;
use crate::error::StorageError;

/// A provider as it is kept: its secret only sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProvider {
    /// Its id in paths.
    pub id: String,
    /// `oidc`, `github` or `gitea`.
    pub kind: String,
    /// Its name for people.
    pub name: String,
    /// The issuer, or where the forge is.
    pub url: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// The secret that proves it, sealed under the server's key.
    pub sealed_secret: Vec<u8>,
    /// Everything else, as JSON of the server's.
    pub options: String,
    /// When it was first configured.
    pub created_at: Timestamp,
}

/// That a provider knows a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLink {
    /// The provider.
    pub provider: String,
    /// The provider's own, never reused name for the person.
    pub subject: String,
    /// Who that is here.
    pub user_id: UserId,
    /// What the provider calls them, for people.
    pub label: String,
    /// Roles that the provider's groups have given, as JSON of the server's.
    pub granted: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Timestamp,
}

/// What became of a terminal's wish to be logged in (RFC 8628).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantState {
    /// Nobody has answered.
    Pending,
    /// This user has said yes.
    Approved(UserId),
    /// Somebody has said no.
    Denied,
}

/// A terminal's wish to be logged in, as it is kept: its own secret only as its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredGrant {
    /// SHA-256 of the code that the terminal polls with.
    pub device_hash: Digest,
    /// The code that a person types, without its hyphen.
    pub user_code: String,
    /// What the terminal calls itself.
    pub device_name: String,
    /// When it asked.
    pub created_at: Timestamp,
    /// Until when it may be answered.
    pub expires_at: Timestamp,
    /// How many seconds lie between two polls at least.
    pub interval_s: u32,
    /// What became of it.
    pub state: GrantState,
}

/// Reads of what sign-in keeps.
#[async_trait]
pub trait SigninRepository {
    /// All providers by their ids; at most 1,000.
    async fn providers(&self) -> Result<Vec<StoredProvider>, StorageError>;

    /// The provider.
    async fn provider(&self, id: &str) -> Result<Option<StoredProvider>, StorageError>;

    /// Whom a provider means.
    async fn link(&self, provider: &str, subject: &str)
    -> Result<Option<StoredLink>, StorageError>;

    /// The links of a user by the ids of their providers; at most 1,000.
    async fn links_of(&self, user: UserId) -> Result<Vec<StoredLink>, StorageError>;

    /// Whether anybody is linked with a provider.
    async fn has_links(&self, provider: &str) -> Result<bool, StorageError>;

    /// The wish that a terminal polls for.
    async fn grant(&self, device_hash: &Digest) -> Result<Option<StoredGrant>, StorageError>;

    /// The wish that a person was given the code of.
    async fn grant_by_code(&self, user_code: &str) -> Result<Option<StoredGrant>, StorageError>;
}

//! Sessions: who is logged in on which device.

use async_trait::async_trait;
use tidings_domain::{DeviceId, SessionId, Timestamp, User, UserId};

use crate::change::Digest;
use crate::error::StorageError;

/// A session as it is kept: the token only as its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Its id; not a secret.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// The device that logged in.
    pub device_id: DeviceId,
    /// That device's name at the time.
    pub device_name: String,
    /// SHA-256 of the token.
    pub token_hash: Digest,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub last_used_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Reads of sessions.
#[async_trait]
pub trait SessionRepository {
    /// The session under a token's hash, with its account. Expired sessions and disabled
    /// accounts are returned too: the caller decides.
    async fn session_by_token(
        &self,
        token_hash: &Digest,
    ) -> Result<Option<(StoredSession, User)>, StorageError>;

    /// The session.
    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError>;

    /// All sessions of a user, oldest first; at most 1,000.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<StoredSession>, StorageError>;
}

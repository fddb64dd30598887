//! Bots, and the API tokens of bots and people.

use async_trait::async_trait;
use tidings_domain::{CommunityId, Scopes, Timestamp, TokenId, User, UserId};

use crate::change::Digest;
use crate::error::StorageError;

/// What makes an account a bot: where it belongs, and what its tokens may be used for at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBot {
    /// Its account.
    pub user_id: UserId,
    /// The community that it was made for.
    pub community_id: CommunityId,
    /// What its tokens may be used for at most.
    pub scopes: Scopes,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// An API token as it is kept: the secret only as its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// Its id; not a secret.
    pub id: TokenId,
    /// Who acts by it: a bot or a person.
    pub user_id: UserId,
    /// What its maker calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// SHA-256 of the whole token, prefix included.
    pub token_hash: Digest,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used, to the hour; `None` before the first use.
    pub last_used_at: Option<Timestamp>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// Reads of bots and tokens.
#[async_trait]
pub trait BotRepository {
    /// The bot with this account.
    async fn bot(&self, id: UserId) -> Result<Option<StoredBot>, StorageError>;

    /// The bots of a community with their accounts, by id; at most 1,000.
    async fn bots_of(&self, community: CommunityId)
    -> Result<Vec<(StoredBot, User)>, StorageError>;

    /// The token with this hash, with its account. Expired tokens and disabled accounts are
    /// returned too: the caller decides.
    async fn token_by_hash(
        &self,
        token_hash: &Digest,
    ) -> Result<Option<(StoredToken, User)>, StorageError>;

    /// The token.
    async fn token(&self, id: TokenId) -> Result<Option<StoredToken>, StorageError>;

    /// All tokens of an account by id, oldest first; at most 1,000.
    async fn tokens_of(&self, user: UserId) -> Result<Vec<StoredToken>, StorageError>;
}

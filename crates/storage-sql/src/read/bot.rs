//! Bots and tokens.

use async_trait::async_trait;
use tidings_domain::{CommunityId, Scopes, Timestamp, TokenId, User, UserId};
use tidings_storage::bot::{StoredBot, StoredToken};
use tidings_storage::change::Digest;
use tidings_storage::{BotRepository, StorageError};

use crate::conn::{Row, corrupt, params};
use crate::read::account;
use crate::store::SqlStore;

fn scopes(row: &Row<'_>, column: usize) -> Result<Scopes, StorageError> {
    row.text(column)?.parse().map_err(|error| corrupt("scopes", &error))
}

fn bot(row: &Row<'_>) -> Result<StoredBot, StorageError> {
    Ok(StoredBot {
        user_id: UserId(row.id(0)?),
        community_id: CommunityId(row.id(1)?),
        scopes: scopes(row, 2)?,
        created_by: UserId(row.id(3)?),
        created_at: Timestamp(row.int(4)?),
    })
}

macro_rules! select_token {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.user_id, t.name, t.scopes, t.token_hash, t.created_by, t.created_at,
               t.last_used_at, t.expires_at ",
            $rest
        )
    };
}

fn token(row: &Row<'_>) -> Result<StoredToken, StorageError> {
    Ok(StoredToken {
        id: TokenId(row.id(0)?),
        user_id: UserId(row.id(1)?),
        name: row.text(2)?,
        scopes: scopes(row, 3)?,
        token_hash: row.hash(4)?,
        created_by: UserId(row.id(5)?),
        created_at: Timestamp(row.int(6)?),
        last_used_at: row.opt_int(7)?.map(Timestamp),
        expires_at: row.opt_int(8)?.map(Timestamp),
    })
}

#[async_trait]
impl BotRepository for SqlStore {
    async fn bot(&self, id: UserId) -> Result<Option<StoredBot>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT user_id, community_id, scopes, created_by, created_at
                           FROM bots WHERE user_id = ?1";
                conn.query_first(sql, params![id], bot).await
            })
        })
        .await
    }

    async fn bots_of(
        &self,
        community: CommunityId,
    ) -> Result<Vec<(StoredBot, User)>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT b.user_id, b.community_id, b.scopes, b.created_by, b.created_at,
                             u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
                             u.discoverable, u.status, u.disabled, u.created_at
                           FROM bots b JOIN users u ON u.id = b.user_id
                           WHERE b.community_id = ?1 ORDER BY b.user_id LIMIT 1000";
                let map = |row: &Row<'_>| Ok((bot(row)?, account::user(row, 5)?));
                conn.query(sql, params![community], map).await
            })
        })
        .await
    }

    async fn token_by_hash(
        &self,
        token_hash: &Digest,
    ) -> Result<Option<(StoredToken, User)>, StorageError> {
        let token_hash = *token_hash;
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_token!(
                    ", u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
                       u.discoverable, u.status, u.disabled, u.created_at
                     FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash = ?1"
                );
                let map = |row: &Row<'_>| Ok((token(row)?, account::user(row, 9)?));
                conn.query_first(sql, params![token_hash], map).await
            })
        })
        .await
    }

    async fn token(&self, id: TokenId) -> Result<Option<StoredToken>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_token!("FROM tokens t WHERE t.id = ?1");
                conn.query_first(sql, params![id], token).await
            })
        })
        .await
    }

    async fn tokens_of(&self, user: UserId) -> Result<Vec<StoredToken>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql =
                    select_token!("FROM tokens t WHERE t.user_id = ?1 ORDER BY t.id LIMIT 1000");
                conn.query(sql, params![user], token).await
            })
        })
        .await
    }
}

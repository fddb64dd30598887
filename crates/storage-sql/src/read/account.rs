//! Accounts and chains.

use async_trait::async_trait;
use tidings_domain::{IdentityKey, ServerRole, Timestamp, User, UserId};
use tidings_storage::{AccountRepository, StorageError};

use crate::conn::{Row, params};
use crate::error::word;
use crate::store::SqlStore;

/// How many columns [`user`] reads.
pub(crate) const USER_COLUMNS: usize = 10;

/// Reads an account from ten columns: id, username, `display_name`, identity, `server_role`, bot,
/// discoverable, status, disabled, `created_at`.
pub(crate) fn user(row: &Row<'_>, first: usize) -> Result<User, StorageError> {
    Ok(User {
        id: UserId(row.id(first)?),
        username: row.text(first + 1)?,
        display_name: row.text(first + 2)?,
        identity: row.opt_hash(first + 3)?.map(IdentityKey),
        server_role: row
            .text(first + 4)?
            .parse::<ServerRole>()
            .map_err(word("users.server_role"))?,
        bot: row.bool(first + 5)?,
        discoverable: row.bool(first + 6)?,
        status: row.text(first + 7)?,
        disabled: row.bool(first + 8)?,
        created_at: Timestamp(row.int(first + 9)?),
    })
}

macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
               u.discoverable, u.status, u.disabled, u.created_at FROM users u ",
            $rest
        )
    };
}

impl SqlStore {
    async fn first_user(
        &self,
        sql: &'static str,
        params: crate::conn::Params,
    ) -> Result<Option<User>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move { conn.query_first(sql, params, |row| user(row, 0)).await })
        })
        .await
    }
}

#[async_trait]
impl AccountRepository for SqlStore {
    async fn has_accounts(&self) -> Result<bool, StorageError> {
        self.read(|conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM users WHERE identity IS NOT NULL LIMIT 1";
                Ok(conn.query_first(sql, params![], |_| Ok(())).await?.is_some())
            })
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        self.first_user(select_user!("WHERE u.id = ?1"), params![id]).await
    }

    async fn user_by_username(&self, username: &str) -> Result<Option<User>, StorageError> {
        self.first_user(select_user!("WHERE u.username = ?1"), params![username]).await
    }

    async fn user_by_identity(&self, identity: IdentityKey) -> Result<Option<User>, StorageError> {
        self.first_user(select_user!("WHERE u.identity = ?1"), params![identity]).await
    }

    async fn server_owner(&self) -> Result<Option<User>, StorageError> {
        let sql = select_user!("WHERE u.server_role = 'owner' ORDER BY u.id LIMIT 1");
        self.first_user(sql, params![]).await
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        let rows = ids.iter().map(|id| params![*id]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_user!("WHERE u.id = ?1");
                let found = conn.query_each(sql, rows, |row| user(row, 0)).await?;
                Ok(found.into_iter().flatten().collect())
            })
        })
        .await
    }

    async fn users_by_username(&self, usernames: &[String]) -> Result<Vec<User>, StorageError> {
        let rows = usernames.iter().map(|name| params![name]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_user!("WHERE u.username = ?1");
                let found = conn.query_each(sql, rows, |row| user(row, 0)).await?;
                Ok(found.into_iter().flatten().collect())
            })
        })
        .await
    }

    async fn list_users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_user!("WHERE u.id > ?1 ORDER BY u.id LIMIT ?2");
                conn.query(sql, params![after, limit], |row| user(row, 0)).await
            })
        })
        .await
    }

    async fn chain(
        &self,
        identity: IdentityKey,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT envelope FROM chains WHERE identity = ?1 AND seq >= ?2
                           ORDER BY seq LIMIT ?3";
                conn.query(sql, params![identity, first, limit], |row| row.bytes(0)).await
            })
        })
        .await
    }
}

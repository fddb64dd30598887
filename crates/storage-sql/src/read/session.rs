//! Sessions.

use async_trait::async_trait;
use tidings_domain::{DeviceId, SessionId, Timestamp, User, UserId};
use tidings_storage::change::Digest;
use tidings_storage::session::StoredSession;
use tidings_storage::{SessionRepository, StorageError};

use crate::conn::{Row, params};
use crate::read::account;
use crate::store::SqlStore;

macro_rules! select_session {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.user_id, s.device_id, s.device_name, s.token_hash, s.created_at,
               s.last_used_at, s.expires_at ",
            $rest
        )
    };
}

fn session(row: &Row<'_>) -> Result<StoredSession, StorageError> {
    Ok(StoredSession {
        id: SessionId(row.id(0)?),
        user_id: UserId(row.id(1)?),
        device_id: DeviceId(row.id(2)?),
        device_name: row.text(3)?,
        token_hash: row.hash(4)?,
        created_at: Timestamp(row.int(5)?),
        last_used_at: Timestamp(row.int(6)?),
        expires_at: Timestamp(row.int(7)?),
    })
}

#[async_trait]
impl SessionRepository for SqlStore {
    async fn session_by_token(
        &self,
        token_hash: &Digest,
    ) -> Result<Option<(StoredSession, User)>, StorageError> {
        let token_hash = *token_hash;
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_session!(
                    ", u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
                       u.discoverable, u.status, u.disabled, u.created_at
                     FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?1"
                );
                let map = |row: &Row<'_>| Ok((session(row)?, account::user(row, 8)?));
                conn.query_first(sql, params![token_hash], map).await
            })
        })
        .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_session!("FROM sessions s WHERE s.id = ?1");
                conn.query_first(sql, params![id], session).await
            })
        })
        .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<StoredSession>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_session!(
                    "FROM sessions s WHERE s.user_id = ?1 ORDER BY s.created_at, s.id LIMIT 1000"
                );
                conn.query(sql, params![user], session).await
            })
        })
        .await
    }
}

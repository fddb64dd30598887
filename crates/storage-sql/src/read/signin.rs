//! Sign-in through others.

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};
use tidings_storage::change::Digest;
use tidings_storage::signin::{GrantState, StoredGrant, StoredLink, StoredProvider};
use tidings_storage::{SigninRepository, StorageError};

use crate::conn::{Row, corrupt, params};
use crate::store::SqlStore;

macro_rules! select_provider {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, name, url, client_id, sealed_secret, options, created_at
             FROM providers ",
            $rest
        )
    };
}

macro_rules! select_link {
    ($rest:literal) => {
        concat!(
            "SELECT provider, subject, user_id, label, granted, created_at, last_used_at
             FROM links ",
            $rest
        )
    };
}

macro_rules! select_grant {
    ($rest:literal) => {
        concat!(
            "SELECT device_hash, user_code, device_name, created_at, expires_at, interval_s,
               state, user_id
             FROM grants ",
            $rest
        )
    };
}

fn provider(row: &Row<'_>) -> Result<StoredProvider, StorageError> {
    Ok(StoredProvider {
        id: row.text(0)?,
        kind: row.text(1)?,
        name: row.text(2)?,
        url: row.text(3)?,
        client_id: row.text(4)?,
        sealed_secret: row.bytes(5)?,
        options: row.text(6)?,
        created_at: Timestamp(row.int(7)?),
    })
}

fn link(row: &Row<'_>) -> Result<StoredLink, StorageError> {
    Ok(StoredLink {
        provider: row.text(0)?,
        subject: row.text(1)?,
        user_id: UserId(row.id(2)?),
        label: row.text(3)?,
        granted: row.text(4)?,
        created_at: Timestamp(row.int(5)?),
        last_used_at: Timestamp(row.int(6)?),
    })
}

/// The words of [`GrantState`], and its user; nil where there is none.
pub(crate) const fn grant_state(state: GrantState) -> (&'static str, UserId) {
    match state {
        GrantState::Pending => ("pending", UserId::NIL),
        GrantState::Approved(user) => ("approved", user),
        GrantState::Denied => ("denied", UserId::NIL),
    }
}

fn grant(row: &Row<'_>) -> Result<StoredGrant, StorageError> {
    let word = row.text(6)?;
    let state = match &*word {
        "pending" => GrantState::Pending,
        "approved" => GrantState::Approved(UserId(row.id(7)?)),
        "denied" => GrantState::Denied,
        _ => return Err(corrupt("grants.state", &word)),
    };
    Ok(StoredGrant {
        device_hash: row.hash(0)?,
        user_code: row.text(1)?,
        device_name: row.text(2)?,
        created_at: Timestamp(row.int(3)?),
        expires_at: Timestamp(row.int(4)?),
        interval_s: row.count32(5)?,
        state,
    })
}

#[async_trait]
impl SigninRepository for SqlStore {
    async fn providers(&self) -> Result<Vec<StoredProvider>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_provider!("ORDER BY id LIMIT 1000");
                conn.query(sql, params![], provider).await
            })
        })
        .await
    }

    async fn provider(&self, id: &str) -> Result<Option<StoredProvider>, StorageError> {
        let params = params![id];
        self.read(move |conn| {
            Box::pin(async move {
                conn.query_first(select_provider!("WHERE id = ?1"), params, provider).await
            })
        })
        .await
    }

    async fn link(
        &self,
        provider: &str,
        subject: &str,
    ) -> Result<Option<StoredLink>, StorageError> {
        let params = params![provider, subject];
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_link!("WHERE provider = ?1 AND subject = ?2");
                conn.query_first(sql, params, link).await
            })
        })
        .await
    }

    async fn links_of(&self, user: UserId) -> Result<Vec<StoredLink>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_link!("WHERE user_id = ?1 ORDER BY provider LIMIT 1000");
                conn.query(sql, params![user], link).await
            })
        })
        .await
    }

    async fn has_links(&self, provider: &str) -> Result<bool, StorageError> {
        let params = params![provider];
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM links WHERE provider = ?1 LIMIT 1";
                Ok(conn.query_first(sql, params, |_| Ok(())).await?.is_some())
            })
        })
        .await
    }

    async fn grant(&self, device_hash: &Digest) -> Result<Option<StoredGrant>, StorageError> {
        let params = params![*device_hash];
        self.read(move |conn| {
            Box::pin(async move {
                conn.query_first(select_grant!("WHERE device_hash = ?1"), params, grant).await
            })
        })
        .await
    }

    async fn grant_by_code(&self, user_code: &str) -> Result<Option<StoredGrant>, StorageError> {
        let params = params![user_code];
        self.read(move |conn| {
            Box::pin(async move {
                conn.query_first(select_grant!("WHERE user_code = ?1"), params, grant).await
            })
        })
        .await
    }
}

//! Incoming webhooks.

use async_trait::async_trait;
use tidings_domain::{ChannelId, Timestamp, UserId, WebhookId};
use tidings_storage::change::Digest;
use tidings_storage::webhook::StoredWebhook;
use tidings_storage::{StorageError, WebhookRepository};

use crate::conn::{Row, params};
use crate::store::SqlStore;

macro_rules! select_webhook {
    ($rest:literal) => {
        concat!(
            "SELECT id, channel_id, name, token_hash, signed, created_by, created_at
             FROM webhooks ",
            $rest
        )
    };
}

fn webhook(row: &Row<'_>) -> Result<StoredWebhook, StorageError> {
    Ok(StoredWebhook {
        id: WebhookId(row.id(0)?),
        channel_id: ChannelId(row.id(1)?),
        name: row.text(2)?,
        token_hash: row.hash(3)?,
        signed: row.bool(4)?,
        created_by: UserId(row.id(5)?),
        created_at: Timestamp(row.int(6)?),
    })
}

#[async_trait]
impl WebhookRepository for SqlStore {
    async fn webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                conn.query_first(select_webhook!("WHERE id = ?1"), params![id], webhook).await
            })
        })
        .await
    }

    async fn webhooks_of(&self, channel: ChannelId) -> Result<Vec<StoredWebhook>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_webhook!("WHERE channel_id = ?1 ORDER BY id LIMIT 1000");
                conn.query(sql, params![channel], webhook).await
            })
        })
        .await
    }

    async fn webhook_note(
        &self,
        id: WebhookId,
        key: &Digest,
    ) -> Result<Option<String>, StorageError> {
        let key = *key;
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT value FROM webhook_notes WHERE webhook_id = ?1 AND key = ?2";
                conn.query_first(sql, params![id, key], |row| row.text(0)).await
            })
        })
        .await
    }
}

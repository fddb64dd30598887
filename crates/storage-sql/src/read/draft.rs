//! What people have begun to write.

use async_trait::async_trait;
use tidings_domain::{ChannelId, MessageId, Timestamp, UserId};
use tidings_storage::draft::StoredDraft;
use tidings_storage::{DraftRepository, StorageError};

use crate::conn::{Row, params};
use crate::store::SqlStore;

fn draft(row: &Row<'_>) -> Result<StoredDraft, StorageError> {
    Ok(StoredDraft {
        user_id: UserId(row.id(0)?),
        channel_id: ChannelId(row.id(1)?),
        parent_id: Some(MessageId(row.id(2)?)).filter(|id| *id != MessageId::NIL),
        body: row.text(3)?,
        updated_at: Timestamp(row.int(4)?),
    })
}

#[async_trait]
impl DraftRepository for SqlStore {
    async fn draft(
        &self,
        user: UserId,
        channel: ChannelId,
        parent: Option<MessageId>,
    ) -> Result<Option<StoredDraft>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT user_id, channel_id, parent_id, body, updated_at FROM drafts
                           WHERE user_id = ?1 AND channel_id = ?2 AND parent_id = ?3";
                let place = params![user, channel, parent.unwrap_or(MessageId::NIL)];
                conn.query_first(sql, place, draft).await
            })
        })
        .await
    }

    async fn drafts(&self, user: UserId) -> Result<Vec<StoredDraft>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT user_id, channel_id, parent_id, body, updated_at FROM drafts
                           WHERE user_id = ?1 ORDER BY updated_at DESC LIMIT 1000";
                conn.query(sql, params![user], draft).await
            })
        })
        .await
    }
}

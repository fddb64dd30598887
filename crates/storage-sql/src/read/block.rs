//! Block lists.

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};
use tidings_storage::block::StoredBlock;
use tidings_storage::{BlockRepository, StorageError};

use crate::conn::params;
use crate::store::SqlStore;

#[async_trait]
impl BlockRepository for SqlStore {
    async fn blocks_of(&self, user: UserId) -> Result<Vec<StoredBlock>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT user_id, blocked_id, created_at FROM blocks
                           WHERE user_id = ?1 ORDER BY blocked_id LIMIT 1000";
                conn.query(sql, params![user], |row| {
                    Ok(StoredBlock {
                        user_id: UserId(row.id(0)?),
                        blocked: UserId(row.id(1)?),
                        created_at: Timestamp(row.int(2)?),
                    })
                })
                .await
            })
        })
        .await
    }

    async fn blocked_between(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<Vec<bool>, StorageError> {
        let asked = others.iter().map(|other| params![user, *other]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM blocks WHERE (user_id = ?1 AND blocked_id = ?2)
                             OR (user_id = ?2 AND blocked_id = ?1) LIMIT 1";
                let found = conn.query_each(sql, asked, |_| Ok(())).await?;
                Ok(found.iter().map(Option::is_some).collect())
            })
        })
        .await
    }
}

//! Whose links may be looked up.

use async_trait::async_trait;
use tidings_storage::{PreviewRepository, StorageError};
use uuid::Uuid;

use crate::conn::params;
use crate::store::SqlStore;

#[async_trait]
impl PreviewRepository for SqlStore {
    async fn previews_on(&self, owners: &[Uuid]) -> Result<bool, StorageError> {
        let rows = owners.iter().map(|owner| params![*owner]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM unpreviewed WHERE owner = ?1";
                Ok(conn.query_all_each(sql, rows, |_| Ok(())).await?.is_empty())
            })
        })
        .await
    }
}

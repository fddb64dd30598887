//! Import sources.

use async_trait::async_trait;
use tidings_storage::{ImportRepository, StorageError};
use uuid::Uuid;

use crate::conn::params;
use crate::store::SqlStore;

#[async_trait]
impl ImportRepository for SqlStore {
    async fn sources(&self, sources: &[String]) -> Result<Vec<Option<Uuid>>, StorageError> {
        let rows = sources.iter().map(|source| params![source]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT target FROM sources WHERE source = ?1";
                conn.query_each(sql, rows, |row| row.id(0)).await
            })
        })
        .await
    }
}

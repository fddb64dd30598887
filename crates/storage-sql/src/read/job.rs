//! Jobs.

use async_trait::async_trait;
use tidings_domain::{JobId, Timestamp};
use tidings_storage::job::{JobKind, StoredJob};
use tidings_storage::{JobRepository, StorageError};

use crate::conn::{Row, params};
use crate::store::SqlStore;

/// A job, unless only a newer version knows its kind.
fn job(row: &Row<'_>) -> Result<Option<StoredJob>, StorageError> {
    let Some(kind) = JobKind::from_word(&row.text(1)?) else { return Ok(None) };
    Ok(Some(StoredJob {
        id: JobId(row.id(0)?),
        kind,
        payload: row.text(2)?,
        due: Timestamp(row.int(3)?),
        attempts: row.count32(4)?,
        created_at: Timestamp(row.int(5)?),
    }))
}

#[async_trait]
impl JobRepository for SqlStore {
    async fn jobs_due(&self, now: Timestamp, limit: usize) -> Result<Vec<StoredJob>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT id, kind, payload, due, attempts, created_at FROM jobs
                           WHERE due <= ?1 ORDER BY due, id LIMIT ?2";
                let rows = conn.query(sql, params![now, limit], job).await?;
                Ok(rows.into_iter().flatten().collect())
            })
        })
        .await
    }

    async fn next_job(&self) -> Result<Option<Timestamp>, StorageError> {
        self.read(|conn| {
            Box::pin(async move {
                let sql = "SELECT due FROM jobs ORDER BY due LIMIT 1";
                conn.query_first(sql, params![], |row| Ok(Timestamp(row.int(0)?))).await
            })
        })
        .await
    }
}

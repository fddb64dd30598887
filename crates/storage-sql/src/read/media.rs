//! Files and blobs.

use async_trait::async_trait;
use tidings_domain::{ChannelId, Media, MediaId, Timestamp, UserId};
use tidings_storage::change::Digest;
use tidings_storage::media::{MediaUses, StoredBlob, StoredMedia};
use tidings_storage::{MediaRepository, StorageError};

use crate::conn::{Row, corrupt, params};
use crate::store::SqlStore;

/// Whether anything carries the file `m`.
macro_rules! carried {
    () => {
        "EXISTS (SELECT 1 FROM attachments a WHERE a.media_id = m.id)"
    };
}
pub(crate) use carried;

fn media(row: &Row<'_>) -> Result<StoredMedia, StorageError> {
    let pixels = |column| -> Result<u32, StorageError> {
        let value = row.int(column)?;
        u32::try_from(value).map_err(|_| corrupt("media", &value))
    };
    let (width, height) = (pixels(7)?, pixels(8)?);
    let channel = ChannelId(row.id(2)?);
    Ok(StoredMedia {
        media: Media {
            id: MediaId(row.id(0)?),
            filename: row.text(3)?,
            content_type: row.text(4)?,
            size: row.count(5)?,
            sha256: row.hash(6)?,
            dimensions: (width > 0 && height > 0).then_some((width, height)),
        },
        uploader: UserId(row.id(1)?),
        channel: (channel != ChannelId::NIL).then_some(channel),
        created_at: Timestamp(row.int(10)?),
        used: row.bool(9)?,
    })
}

fn blob(row: &Row<'_>) -> Result<StoredBlob, StorageError> {
    Ok(StoredBlob { sha256: row.hash(0)?, name: row.text(1)? })
}

#[async_trait]
impl MediaRepository for SqlStore {
    async fn media(&self, id: MediaId) -> Result<Option<StoredMedia>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT id, uploader, channel_id, filename, content_type, size, sha256,
                             width, height, used, created_at FROM media WHERE id = ?1";
                conn.query_first(sql, params![id], media).await
            })
        })
        .await
    }

    async fn media_uses(&self, id: MediaId) -> Result<MediaUses, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT DISTINCT l.owner FROM attachments a
                           JOIN messages m ON m.id = a.message_id JOIN logs l ON l.id = m.log
                           WHERE a.media_id = ?1 ORDER BY l.owner";
                let channels = conn.query(sql, params![id], |row| row.id(0).map(ChannelId)).await?;
                Ok(MediaUses { channels })
            })
        })
        .await
    }

    async fn media_bytes(&self, user: UserId) -> Result<u64, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM media
                           WHERE uploader = ?1";
                let bytes = conn.query_first(sql, params![user], |row| row.count(0)).await?;
                Ok(bytes.unwrap_or(0))
            })
        })
        .await
    }

    async fn orphaned_media(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<MediaId>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = concat!(
                    "SELECT m.id FROM media m WHERE (m.used OR m.created_at < ?1) AND NOT ",
                    carried!(),
                    " ORDER BY m.id LIMIT ?2"
                );
                conn.query(sql, params![before, limit], |row| row.id(0).map(MediaId)).await
            })
        })
        .await
    }

    async fn blob(&self, sha256: &Digest) -> Result<Option<StoredBlob>, StorageError> {
        let sha256 = *sha256;
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT sha256, name FROM blobs WHERE sha256 = ?1";
                conn.query_first(sql, params![sha256], blob).await
            })
        })
        .await
    }

    async fn unused_blobs(&self, limit: usize) -> Result<Vec<StoredBlob>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT sha256, name FROM blobs b
                           WHERE NOT EXISTS (SELECT 1 FROM media m WHERE m.sha256 = b.sha256)
                           ORDER BY sha256 LIMIT ?1";
                conn.query(sql, params![limit], blob).await
            })
        })
        .await
    }

    async fn known_blobs(&self, names: &[String]) -> Result<Vec<bool>, StorageError> {
        let rows = names.iter().map(|name| params![name]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM blobs WHERE name = ?1";
                let found = conn.query_each(sql, rows, |_| Ok(())).await?;
                Ok(found.into_iter().map(|row| row.is_some()).collect())
            })
        })
        .await
    }
}

//! What nothing needs any more goes.

use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};

use super::Files;
use super::thumb::WIDTHS;
use crate::blobs::{BlobError, BlobName};
use crate::error::ApiError;

/// How long a file waits for something that carries it, in seconds: a day, for whoever writes a
/// long message, and far longer than an upload may take.
const GRACE_S: i64 = 24 * 3600;
/// How many rows are looked at in one go.
const STRIDE: usize = 200;

/// What a sweep has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that nothing carries.
    pub media: u64,
    /// Blobs that no file needs, and those that the database does not know.
    pub blobs: u64,
}

impl Files<'_> {
    /// Removes files that nothing carries (those that something did at once, others after a day),
    /// then blobs that no file needs, then whatever lies in the place for files for a day without
    /// being known. To be called about once an hour. Safe to drop and to call again.
    pub async fn sweep(&self) -> Result<Swept, ApiError> {
        let mut swept = Swept::default();
        self.sweep_media(&mut swept).await?;
        self.sweep_blobs(&mut swept).await?;
        for shard in 0..=u8::MAX {
            self.sweep_strays(&format!("{shard:02x}"), &mut swept).await?;
        }
        Ok(swept)
    }

    async fn sweep_media(&self, swept: &mut Swept) -> Result<(), ApiError> {
        let app = self.0;
        let before = app.now().plus_seconds(-GRACE_S);
        loop {
            let orphans = app.store().orphaned_media(before, STRIDE).await?;
            let mut removed = 0;
            for id in &orphans {
                let change = Change {
                    preconditions: vec![Precondition::MediaOrphaned(*id, before)],
                    records: vec![Record::DeleteMedia(*id)],
                    ..Change::default()
                };
                removed += u64::from(done(app.commit(change).await)?);
            }
            swept.media += removed;
            if orphans.len() < STRIDE || removed == 0 {
                return Ok(());
            }
        }
    }

    async fn sweep_blobs(&self, swept: &mut Swept) -> Result<(), ApiError> {
        let app = self.0;
        loop {
            let unused = app.store().unused_blobs(STRIDE).await?;
            let mut removed = 0;
            for blob in &unused {
                let change = Change {
                    preconditions: vec![Precondition::BlobUnused(blob.sha256)],
                    records: vec![Record::DeleteBlob(blob.sha256)],
                    ..Change::default()
                };
                // First the row, then the bytes: who uploads them again meanwhile brings their own.
                if done(app.commit(change).await)? {
                    removed += 1;
                    if let Ok(name) = blob.name.parse() {
                        self.remove(&name).await?;
                    }
                }
            }
            swept.blobs += removed;
            if unused.len() < STRIDE || removed == 0 {
                return Ok(());
            }
        }
    }

    async fn remove(&self, name: &BlobName) -> Result<(), BlobError> {
        for width in WIDTHS {
            self.0.blobs().delete(&name.thumb(width)).await?;
        }
        self.0.blobs().delete(name).await
    }

    /// What was put and never came into the database, or went out of it before the bytes could be
    /// removed.
    async fn sweep_strays(&self, shard: &str, swept: &mut Swept) -> Result<(), ApiError> {
        let app = self.0;
        let before = app.now().plus_seconds(-GRACE_S);
        let listed = app.blobs().list(shard).await?;
        let old: Vec<_> = listed.into_iter().filter(|blob| blob.put_at < before).collect();
        for part in old.chunks(STRIDE) {
            let names: Vec<_> = part.iter().map(|blob| blob.name.original().to_string()).collect();
            let known = app.store().known_blobs(&names).await?;
            for (blob, known) in part.iter().zip(known) {
                if !known {
                    app.blobs().delete(&blob.name).await?;
                    swept.blobs += 1;
                }
            }
        }
        Ok(())
    }
}

/// Whether a change was made; one that was refused has lost to somebody who needs the thing.
fn done<T>(result: Result<T, ChangeError>) -> Result<bool, ApiError> {
    match result {
        Ok(_) => Ok(true),
        Err(ChangeError::Refused(Refusal::Precondition(_))) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

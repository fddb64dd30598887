//! Blobs as files: `ab/abcd….id`, and uploads that are under way in `spool`.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tidings_domain::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::{BlobError, BlobName, Blobs, ByteStream, Listed};

/// How many bytes are read at once: few system calls, little memory for each download.
const PIECE: usize = 64 * 1024;

/// A folder of this machine.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    spool: PathBuf,
}

impl Folder {
    /// Opens the folder, which is made for its owner alone when it is not there, and removes what
    /// uploads of another process have left in its spool.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        let spool = root.join("spool");
        make_folder(&spool)?;
        empty(&spool)?;
        Ok(Self { root, spool })
    }

    fn path(&self, name: &BlobName) -> PathBuf {
        self.root.join(name.shard()).join(name.as_str())
    }
}

/// Makes a folder that only its owner may enter.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Removes all files of a folder.
pub(super) fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

fn failed(name: &str, error: &io::Error) -> BlobError {
    match error.kind() {
        io::ErrorKind::NotFound => BlobError::NotFound { name: name.to_owned() },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BlobError::Full,
        _ => BlobError::Unavailable { detail: error.to_string() },
    }
}

/// Runs what waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static>(
    name: String,
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(job).await {
        Ok(done) => done.map_err(|error| failed(&name, &error)),
        Err(error) => Err(BlobError::Unavailable { detail: error.to_string() }),
    }
}

#[async_trait]
impl Blobs for Folder {
    fn spool(&self) -> &Path {
        &self.spool
    }

    async fn put(&self, name: &BlobName, file: &Path) -> Result<(), BlobError> {
        let (to, from) = (self.path(name), file.to_owned());
        blocking(name.to_string(), move || {
            // First the bytes, then the name, then the folder that holds the name: whatever the
            // database says later is there after a power cut.
            File::open(&from)?.sync_all()?;
            let folder = to.parent().unwrap_or(Path::new("."));
            if !folder.exists() {
                make_folder(folder)?;
                sync_folder(folder.parent())?;
            }
            fs::rename(&from, &to)?;
            sync_folder(Some(folder))
        })
        .await
    }

    async fn read(&self, name: &BlobName, range: Range<u64>) -> Result<ByteStream, BlobError> {
        let text = name.to_string();
        let there = |error: io::Error| failed(&text, &error);
        let mut file = tokio::fs::File::open(self.path(name)).await.map_err(there)?;
        let length = file.metadata().await.map_err(there)?.len();
        if range.end > length {
            return Err(BlobError::NotFound { name: text });
        }
        file.seek(io::SeekFrom::Start(range.start)).await.map_err(there)?;
        let part = file.take(range.end.saturating_sub(range.start));
        let pieces = ReaderStream::with_capacity(part, PIECE);
        Ok(pieces.map_err(move |error| failed(&text, &error)).boxed())
    }

    async fn size(&self, name: &BlobName) -> Result<u64, BlobError> {
        let there = tokio::fs::metadata(self.path(name)).await;
        there.map(|there| there.len()).map_err(|error| failed(name.as_str(), &error))
    }

    async fn delete(&self, name: &BlobName) -> Result<(), BlobError> {
        match tokio::fs::remove_file(self.path(name)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed(name.as_str(), &error))
            }
            _ => Ok(()),
        }
    }

    async fn list(&self, shard: &str) -> Result<Vec<Listed>, BlobError> {
        let folder = self.root.join(shard);
        blocking(shard.to_owned(), move || {
            let mut listed = Vec::new();
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(listed),
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                // What somebody else put here is none of ours.
                let Some(Ok(name)) = name.to_str().map(str::parse) else { continue };
                let modified = entry.metadata()?.modified()?;
                let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
                let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
                listed.push(Listed { name, put_at: Timestamp(millis) });
            }
            Ok(listed)
        })
        .await
    }

    async fn ping(&self) -> Result<(), BlobError> {
        let there = tokio::fs::metadata(&self.spool).await;
        there.map(drop).map_err(|error| failed("spool", &error))
    }
}

fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

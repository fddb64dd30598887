//! Files that survive a crash and belong to their owner alone.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::OutboxError;

fn failed<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> OutboxError + use<'a> {
    move |source| OutboxError { what, path: path.to_owned(), source }
}

/// Makes `path` and what is missing above it, for the owner alone.
pub(super) fn create_private_dir(path: &Path) -> Result<(), OutboxError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("create", path))
}

/// The files in `dir`; none when it is not there.
pub(super) fn list(dir: &Path) -> Result<Vec<PathBuf>, OutboxError> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("read", dir))?,
    };
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed("read", dir))).collect()
}

/// Reads a file; `None` when it is not there. One that cannot be read as `T` is an error: it was
/// written whole, so somebody changed it, and nothing may pass it in line.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, OutboxError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(failed("read", path))?,
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| failed("understand", path)(error.into()))
}

/// Puts a whole file (0600) in place of whatever is there: it is there whole or not at all, even
/// when the machine loses its power.
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<(), OutboxError> {
    let beside = path.with_extension("json.new");
    let write = || {
        let mut bytes = serde_json::to_vec(value)?;
        bytes.push(b'\n');
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        sync_dir_of(path)
    };
    write().map_err(failed("write", path))
}

/// Removes a file for good; harmless when it is gone.
pub(super) fn remove(path: &Path) -> Result<(), OutboxError> {
    let remove = || match std::fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.and_then(|()| sync_dir_of(path)),
    };
    remove().map_err(failed("remove", path))
}

/// A name is durable only once its directory is.
fn sync_dir_of(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// A lock between processes, held until it is dropped; the operating system frees the locks of a
/// process that dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock; only for locks that are held for moments.
    pub(super) fn take(path: &Path) -> Result<Self, OutboxError> {
        let file = open_lock(path)?;
        file.lock().map_err(failed("lock", path))?;
        Ok(Self { _file: file })
    }

    /// The lock, or `None` while somebody else has it.
    pub(super) fn try_take(path: &Path) -> Result<Option<Self>, OutboxError> {
        let file = open_lock(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", path)(error)),
        }
    }
}

fn open_lock(path: &Path) -> Result<File, OutboxError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed("open", path))
}

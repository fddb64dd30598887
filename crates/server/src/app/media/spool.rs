//! A file on disk while it comes in.

use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::blobs::BlobError;
use crate::error::ApiError;

/// A file that is removed with this value, unless it was moved away.
#[derive(Debug)]
pub(super) struct Spooled {
    path: PathBuf,
    file: File,
}

impl Spooled {
    /// Makes a file of a name that nobody else uses.
    pub(super) async fn create(folder: &Path, id: Uuid) -> Result<Self, ApiError> {
        let path = folder.join(id.as_simple().to_string());
        let file = File::create_new(&path).await.map_err(|error| failed(&error))?;
        Ok(Self { path, file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        self.file.write_all(bytes).await.map_err(|error| failed(&error))
    }

    /// Puts other bytes in place of what was written.
    pub(super) async fn replace(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        let rewound = async {
            self.file.set_len(0).await?;
            self.file.rewind().await
        };
        rewound.await.map_err(|error| failed(&error))?;
        self.write(bytes).await?;
        self.flush().await
    }

    /// Hands everything to the operating system.
    pub(super) async fn flush(&mut self) -> Result<(), ApiError> {
        self.file.flush().await.map_err(|error| failed(&error))
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // It may have been moved away; what stays is removed at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn failed(error: &std::io::Error) -> ApiError {
    let full = [std::io::ErrorKind::StorageFull, std::io::ErrorKind::QuotaExceeded];
    if full.contains(&error.kind()) {
        return BlobError::Full.into();
    }
    BlobError::Unavailable { detail: error.to_string() }.into()
}

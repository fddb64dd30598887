//! Files: who uploaded them, what carries them, and which blob holds their bytes.
//!
//! Equal bytes are kept once: many files may share a blob. A blob's name is chosen by whoever puts
//! it and never used again, so that removing one can never hit bytes that come back meanwhile.

use async_trait::async_trait;
use tidings_domain::{ChannelId, Media, MediaId, Timestamp, UserId};

use crate::change::Digest;
use crate::error::StorageError;

/// A file as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMedia {
    /// What everyone who may see it is told.
    pub media: Media,
    /// Who uploaded it.
    pub uploader: UserId,
    /// The only channel whose messages may carry it.
    pub channel: Option<ChannelId>,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Whether something has ever carried it.
    pub used: bool,
}

/// Bytes that files share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// The name under which they are kept.
    pub name: String,
}

/// Everything that carries a file now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaUses {
    /// Conversations with messages that carry it, each once, by id.
    pub channels: Vec<ChannelId>,
}

impl MediaUses {
    /// Whether nothing carries it.
    pub const fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }
}

/// Reads of files.
#[async_trait]
pub trait MediaRepository {
    /// The file.
    async fn media(&self, id: MediaId) -> Result<Option<StoredMedia>, StorageError>;

    /// What carries the file.
    async fn media_uses(&self, id: MediaId) -> Result<MediaUses, StorageError>;

    /// How many bytes the files of a user have, counted for each file.
    async fn media_bytes(&self, user: UserId) -> Result<u64, StorageError>;

    /// Files that nothing carries and that something did or that are older than `before`, by id,
    /// at most `limit`.
    async fn orphaned_media(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<MediaId>, StorageError>;

    /// Where these bytes are kept.
    async fn blob(&self, sha256: &Digest) -> Result<Option<StoredBlob>, StorageError>;

    /// Blobs that no file needs, at most `limit`.
    async fn unused_blobs(&self, limit: usize) -> Result<Vec<StoredBlob>, StorageError>;

    /// Which of these names are names of blobs, in the order of the question.
    async fn known_blobs(&self, names: &[String]) -> Result<Vec<bool>, StorageError>;
}

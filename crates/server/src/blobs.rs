//! Where the bytes of files are kept: a port, and its adapters for a folder and for S3.
//!
//! A blob is written once under a name of its own, never changed, and removed when the database
//! knows of nothing that needs it. The database says which blob holds what; here are only bytes.

mod folder;
mod s3;

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tidings_domain::Timestamp;
use uuid::Uuid;

pub use folder::Folder;
pub use s3::{S3, S3Options};

/// Bytes of a blob, piece by piece.
pub type ByteStream = BoxStream<'static, Result<Bytes, BlobError>>;

/// Why bytes cannot be kept or read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// There is no such blob.
    #[error("there is no blob {name}")]
    NotFound {
        /// What was asked for.
        name: String,
    },
    /// There is no room; nothing was kept.
    #[error("the place for files is full")]
    Full,
    /// The place for files does not answer, or not as it should; trying again may help.
    #[error("the place for files does not work: {detail}")]
    Unavailable {
        /// What the system or the other side said.
        detail: String,
    },
}

/// The name of a blob: the SHA-256 of its bytes, so that an operator can check them, and an id that
/// makes it unique. Made of hexadecimal digits, dots and a `w` alone, whatever a file is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobName(String);

/// The text is not the name of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a blob")]
pub struct InvalidBlobName;

impl BlobName {
    /// A name that nobody has used.
    pub fn new(sha256: &[u8; 32], id: Uuid) -> Self {
        Self(format!("{}.{}", hex::encode(sha256), id.as_simple()))
    }

    /// The picture of this width that is made from the blob.
    #[must_use]
    pub fn thumb(&self, width: u32) -> Self {
        Self(format!("{}.w{width}", self.0))
    }

    /// The blob that a picture was made from; itself for every other.
    #[must_use]
    pub fn original(&self) -> Self {
        Self(self.0.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Blobs are spread over 256 folders, by the first byte of their hash.
    pub fn shard(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }
}

impl FromStr for BlobName {
    type Err = InvalidBlobName;
    fn from_str(text: &str) -> Result<Self, InvalidBlobName> {
        let is_hex = |part: &str, length: usize| {
            part.len() == length
                && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let width = |part: &str| {
            part.strip_prefix('w').is_some_and(|digits| {
                (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
            })
        };
        let parts: Vec<_> = text.split('.').collect();
        let good = match parts[..] {
            [sha256, id] => is_hex(sha256, 64) && is_hex(id, 32),
            [sha256, id, thumb] => is_hex(sha256, 64) && is_hex(id, 32) && width(thumb),
            _ => false,
        };
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidBlobName) }
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A blob that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: BlobName,
    /// When it was put.
    pub put_at: Timestamp,
}

/// A place for bytes.
#[async_trait]
pub trait Blobs: fmt::Debug + Send + Sync + 'static {
    /// A folder in which uploads are gathered until they are put. Nothing else is in it, and what
    /// is left over from another process may be removed.
    fn spool(&self) -> &Path;

    /// Keeps the bytes of a file under a name that nobody has used, durably when this returns. The
    /// file may be gone afterwards. Safe to drop: then the blob is there whole or not at all, and
    /// the sweep finds it.
    async fn put(&self, name: &BlobName, file: &Path) -> Result<(), BlobError>;

    /// Bytes of a blob, from the start of the range up to its end.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], also when the range ends beyond the blob.
    async fn read(&self, name: &BlobName, range: Range<u64>) -> Result<ByteStream, BlobError>;

    /// How many bytes a blob has.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    async fn size(&self, name: &BlobName) -> Result<u64, BlobError>;

    /// Removes a blob; one that is not there is removed already.
    async fn delete(&self, name: &BlobName) -> Result<(), BlobError>;

    /// The blobs of one shard (`00` to `ff`), in any order.
    async fn list(&self, shard: &str) -> Result<Vec<Listed>, BlobError>;

    /// Answers when the place does.
    async fn ping(&self) -> Result<(), BlobError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_digits_and_nothing_else() {
        let name = BlobName::new(&[0xab; 32], Uuid::from_u128(7));
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert_eq!(name.shard(), "ab");
        let thumb = name.thumb(320);
        assert_eq!(thumb.as_str().parse(), Ok(thumb.clone()));
        assert_eq!((thumb.original(), name.original()), (name.clone(), name.clone()));
        let text = name.as_str();
        for bad in [
            "",
            "..",
            "../../etc/passwd",
            &text.to_uppercase(),
            &text.replace('.', "/"),
            &format!("{text}.w"),
            &format!("{text}.w123456"),
            &format!("{text}.w1.w1"),
            &format!("{text}\0"),
        ] {
            assert_eq!(bad.parse::<BlobName>(), Err(InvalidBlobName), "{bad}");
        }
    }
}

//! Files: taking them in, handing them out.

mod picture;
mod sniff;
mod spool;
mod sweep;
mod thumb;
mod upload;

use std::ops::Range;

use tidings_domain::Media;
use tidings_storage::StorageError;

use super::App;
use crate::access::MediaReader;
use crate::blobs::{BlobName, ByteStream};
use crate::error::ApiError;

pub use sweep::Swept;
pub use thumb::Thumb;
pub use upload::Upload;

/// From [`App::media`].
#[derive(Debug, Clone, Copy)]
pub struct Files<'a>(pub(super) &'a App);

impl Files<'_> {
    /// Bytes of the file.
    ///
    /// # Errors
    /// When the place for files fails. The range must lie within the file.
    pub async fn read(
        &self,
        right: &MediaReader,
        range: Range<u64>,
    ) -> Result<ByteStream, ApiError> {
        let name = self.blob(&right.media().media).await?;
        Ok(self.0.blobs().read(&name, range).await?)
    }

    /// The blob that holds the file's bytes.
    async fn blob(&self, media: &Media) -> Result<BlobName, ApiError> {
        let corrupt = |detail: String| StorageError::Corrupt { place: "blobs", detail };
        let found = self.0.store().blob(&media.sha256).await?;
        let found = found.ok_or_else(|| corrupt(format!("there is none for {}", media.id)))?;
        Ok(found.name.parse().map_err(|_| corrupt(found.name))?)
    }
}

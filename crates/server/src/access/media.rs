//! The right to a file: it follows what carries it.

use tidings_domain::MediaId;
use tidings_storage::media::{MediaUses, StoredMedia};
use tidings_wire::Code;

use super::{Access, Caller};
use crate::error::ApiError;

/// Somebody who may see a file: whoever may see something that carries it, and whoever uploaded it
/// for as long as nothing has carried it, or something still does.
#[derive(Debug, Clone)]
pub struct MediaReader(StoredMedia);

impl MediaReader {
    /// The file.
    pub const fn media(&self) -> &StoredMedia {
        &self.0
    }
}

impl Access<'_> {
    /// Somebody who may see the file.
    pub async fn media(&self, caller: &Caller, id: MediaId) -> Result<MediaReader, ApiError> {
        let stored = self.0.store().media(id).await?.ok_or_else(ApiError::not_found)?;
        let own = stored.uploader == caller.user_id();
        if own && !stored.used {
            return Ok(MediaReader(stored));
        }
        let uses = self.0.store().media_uses(id).await?;
        if (own && !uses.is_empty()) || self.sees_one(caller, &uses).await? {
            return Ok(MediaReader(stored));
        }
        Err(ApiError::not_found())
    }

    async fn sees_one(&self, caller: &Caller, uses: &MediaUses) -> Result<bool, ApiError> {
        for channel in &uses.channels {
            if seen(self.reader(caller, *channel).await)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a right was given; a failure stays one.
fn seen<T>(right: Result<T, ApiError>) -> Result<bool, ApiError> {
    match right {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

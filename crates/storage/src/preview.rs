//! Whose links may be looked up.

use async_trait::async_trait;
use uuid::Uuid;

use crate::error::StorageError;

/// Reads of the switches of previews.
#[async_trait]
pub trait PreviewRepository {
    /// Whether the links of all of these, channels and users by their ids, may be looked up.
    async fn previews_on(&self, owners: &[Uuid]) -> Result<bool, StorageError>;
}

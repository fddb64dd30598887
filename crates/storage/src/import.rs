//! What was made from which record of an import.

use async_trait::async_trait;
use uuid::Uuid;

use crate::error::StorageError;

/// Reads of import sources.
#[async_trait]
pub trait ImportRepository {
    /// What was made from each source, in the order of the question; at most 10,000 sources.
    async fn sources(&self, sources: &[String]) -> Result<Vec<Option<Uuid>>, StorageError>;
}

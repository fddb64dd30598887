//! Import sources.

use std::collections::HashMap;

use async_trait::async_trait;
use uuid::Uuid;

use crate::error::StorageError;
use crate::import::ImportRepository;
use crate::memory::MemoryStore;

#[derive(Debug, Default)]
pub(super) struct Sources(HashMap<String, Uuid>);

impl Sources {
    pub(super) fn get(&self, source: &str) -> Option<Uuid> {
        self.0.get(source).copied()
    }

    pub(super) fn bind(&mut self, source: String, target: Uuid) {
        self.0.insert(source, target);
    }
}

#[async_trait]
impl ImportRepository for MemoryStore {
    async fn sources(&self, sources: &[String]) -> Result<Vec<Option<Uuid>>, StorageError> {
        let state = self.state();
        Ok(sources.iter().map(|source| state.sources.get(source)).collect())
    }
}

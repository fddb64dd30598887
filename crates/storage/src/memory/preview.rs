//! Whose links may be looked up.

use std::collections::HashSet;

use async_trait::async_trait;
use uuid::Uuid;

use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::preview::PreviewRepository;

#[derive(Debug, Default)]
pub(super) struct Previews {
    off: HashSet<Uuid>,
}

impl Previews {
    pub(super) fn set(&mut self, owner: Uuid, on: bool) {
        if on {
            self.off.remove(&owner);
        } else {
            self.off.insert(owner);
        }
    }
}

#[async_trait]
impl PreviewRepository for MemoryStore {
    async fn previews_on(&self, owners: &[Uuid]) -> Result<bool, StorageError> {
        let state = self.state();
        Ok(owners.iter().all(|owner| !state.previews.off.contains(owner)))
    }
}

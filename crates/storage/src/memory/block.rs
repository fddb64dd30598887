//! Block lists.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};

use crate::block::{BlockRepository, StoredBlock};
use crate::error::StorageError;
use crate::memory::MemoryStore;

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Blocks(BTreeMap<(UserId, UserId), Timestamp>);

impl Blocks {
    pub(super) fn add(&mut self, block: StoredBlock) {
        self.0.entry((block.user_id, block.blocked)).or_insert(block.created_at);
    }

    pub(super) fn remove(&mut self, user: UserId, blocked: UserId) {
        self.0.remove(&(user, blocked));
    }

    /// Whether the first has blocked the second.
    pub(super) fn has(&self, user: UserId, blocked: UserId) -> bool {
        self.0.contains_key(&(user, blocked))
    }

    /// Whether one of the two has blocked the other.
    pub(super) fn between(&self, one: UserId, other: UserId) -> bool {
        self.has(one, other) || self.has(other, one)
    }
}

#[async_trait]
impl BlockRepository for MemoryStore {
    async fn blocks_of(&self, user: UserId) -> Result<Vec<StoredBlock>, StorageError> {
        let state = self.state();
        let blocks = state.blocks.0.iter().filter(|((by, _), _)| *by == user);
        let blocks = blocks.map(|((user_id, blocked), created_at)| StoredBlock {
            user_id: *user_id,
            blocked: *blocked,
            created_at: *created_at,
        });
        Ok(blocks.take(LIST_MAX).collect())
    }

    async fn blocked_between(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<Vec<bool>, StorageError> {
        let state = self.state();
        Ok(others.iter().map(|other| state.blocks.between(user, *other)).collect())
    }
}

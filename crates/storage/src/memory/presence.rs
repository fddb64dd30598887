//! Who may see whom, and when somebody was last here.

use async_trait::async_trait;
use tidings_domain::UserId;

use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::presence::{Acquaintance, PresenceRepository};

#[async_trait]
impl PresenceRepository for MemoryStore {
    async fn acquaintances(
        &self,
        viewer: UserId,
        targets: &[UserId],
    ) -> Result<Vec<Acquaintance>, StorageError> {
        let state = self.state();
        let known = |target: &UserId| Acquaintance {
            allowed: state.projections.share_a_channel(viewer, *target)
                && !state.blocks.between(viewer, *target),
            last_seen: state.seen.get(target).copied(),
        };
        Ok(targets.iter().map(known).collect())
    }
}

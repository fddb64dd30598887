//! What a store knows of presence: who may see whom, and when somebody was last here. Presence
//! itself is never stored.

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};

use crate::error::StorageError;

/// What one person may know of another's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acquaintance {
    /// Whether they share a channel or DM and neither has blocked the other.
    pub allowed: bool,
    /// When the other was last seen, to the minute; `None` for never. To be told only when allowed.
    pub last_seen: Option<Timestamp>,
}

/// Reads behind presence.
#[async_trait]
pub trait PresenceRepository {
    /// What the viewer may know of each target, in the order of the question. The same work is
    /// done for each, whether it is somebody or nobody.
    async fn acquaintances(
        &self,
        viewer: UserId,
        targets: &[UserId],
    ) -> Result<Vec<Acquaintance>, StorageError>;
}

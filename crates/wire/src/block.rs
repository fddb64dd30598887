//! Block lists and status texts.

use serde::{Deserialize, Serialize};

use crate::message::Author;
use crate::time::Time;

/// Somebody whom one has blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Block {
    /// Whom.
    pub user: Author,
    /// Since when.
    pub created_at: Time,
}

/// `PUT /v1/me/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetStatus {
    /// What others read beside the name, at most 140 characters; empty for nothing.
    pub status: String,
}

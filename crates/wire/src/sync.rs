//! Long poll: `GET /v1/sync`.

use serde::{Deserialize, Serialize};

use crate::account::Me;
use crate::channel::Channel;
use crate::community::Community;
use crate::event::Event;

/// Everything that a client needs to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Snapshot {
    /// One's own account.
    pub user: Me,
    /// The communities that one is in.
    pub communities: Vec<Community>,
    /// The channels and DMs that one is in, with heads and read markers.
    pub channels: Vec<Channel>,
}

/// The answer to `GET /v1/sync`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sync {
    /// The cursor after this answer.
    pub next: String,
    /// Where to begin; only without `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// What was committed since; only with `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Event>>,
    /// Whether to ask again at once; only with `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
}

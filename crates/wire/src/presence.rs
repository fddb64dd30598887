//! Presence: whether somebody is there, as far as the asker may know.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Somebody's presence; also the data of `presence.changed`. Of somebody who may not be seen, is
/// invisible, or does not exist it says what it says of somebody who is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Presence {
    /// When they were last there, coarsely: `now`, `5m`, `1h`, `1d` (at least so long ago) or `7d+`.
    pub last_seen: String,
    /// `online`, `away` or `offline`.
    pub state: String,
    /// Who.
    pub user_id: Uuid,
}

/// `GET /v1/presence`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PresenceQuery {
    /// Ids with commas between them, at most 256.
    pub users: String,
}

/// `POST /v1/heartbeat`, and the frame `presence.set`. What is absent stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Heartbeat {
    /// `online`, `away` or `invisible`; of a new lease `online` when absent.
    #[schema(pattern = "^(online|away|invisible)$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How long the device counts as there without another sign, 15 to 300 seconds; of a new lease
    /// 60 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 15, maximum = 300)]
    pub ttl_s: Option<u64>,
}

/// The frames `presence.watch` and `presence.unwatch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Whom.
    pub users: Vec<Uuid>,
}

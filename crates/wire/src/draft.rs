//! What people have begun to write.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Time;

/// A message that is not sent yet; also the data of `draft.updated`, which one's own connections
/// hear and nobody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Draft {
    /// What stands there; empty when nothing does.
    pub body: String,
    /// Where it will be sent.
    pub channel_id: Uuid,
    /// The thread, by its top-level message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// When it was last changed; absent when nothing stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Time>,
}

/// `PUT /v1/channels/{id}/draft`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PutDraft {
    /// What stands there now, at most 16,000 characters; empty takes the draft away.
    #[schema(max_length = 16_000)]
    pub body: String,
}

/// The query of `/v1/channels/{id}/draft`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DraftQuery {
    /// The thread, by its top-level message; without it the channel itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Uuid>,
}

//! Query strings of lists.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Pages of lists other than messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before.
    pub after: Option<Uuid>,
    /// How many items, 1 to 200; 200 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Pages of messages. At most one of `before`, `after` and `around`; the newest page without any.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessagesQuery {
    /// Messages right before this `seq`.
    pub before: Option<u64>,
    /// Messages right after this `seq`.
    pub after: Option<u64>,
    /// Messages on both sides of this `seq`.
    pub around: Option<u64>,
    /// How many messages, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// Replies to this message instead of the channel's timeline.
    pub thread: Option<Uuid>,
}

/// `GET /v1/threads`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThreadsQuery {
    /// Only threads with unread replies.
    #[serde(default)]
    pub unread: bool,
    /// The `next` of the page before.
    pub after: Option<Uuid>,
    /// How many threads, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Pages of logs and sigchains.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SeqQuery {
    /// Entries after this `seq`; from the first on when absent.
    pub after: Option<u64>,
    /// How many entries, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// `GET /v1/users`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HandleQuery {
    /// `name@host`, or `name` alone for this server.
    pub handle: String,
}

/// `GET /v1/search`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// Words, `"phrases"`, and filters: `from:ana in:#ops has:link before:2026-05-01 -word`.
    pub q: String,
    /// Only in this channel or DM.
    pub channel: Option<Uuid>,
    /// Only in this community.
    pub community: Option<Uuid>,
    /// How many results, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

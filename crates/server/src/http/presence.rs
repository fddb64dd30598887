//! `/v1/presence` and `/v1/heartbeat`.

use axum::Extension;
use axum::body::Body;
use http::{StatusCode, Uri};
use tidings_domain::UserId;
use tidings_wire::List;
use tidings_wire::presence::{Heartbeat, Presence, PresenceQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::BODY_MAX;
use super::extract::{Query, read_body};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::realtime::Realtime;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(heartbeat))
}

/// Read who is there. Whoever may not be seen, is invisible, or does not exist looks like somebody
/// who is not there.
#[utoipa::path(
    get,
    path = "/v1/presence",
    tag = "users",
    params(PresenceQuery),
    responses((status = 200, body = List<Presence>))
)]
async fn read(
    Extension(realtime): Extension<Realtime>,
    caller: Caller,
    uri: Uri,
    Query(query): Query<PresenceQuery>,
) -> Result<Listing<Presence>, ApiError> {
    let mut users = Vec::new();
    for id in query.users.split(',').map(str::trim) {
        let id = id
            .parse()
            .map_err(|_| ApiError::field("users", "invalid", "ids with commas between them"))?;
        users.push(UserId(id));
    }
    let items = realtime.presence().read(&caller, &users).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Give a sign of life: renews the presence of this device. A body is not needed.
#[utoipa::path(
    post,
    path = "/v1/heartbeat",
    tag = "users",
    request_body = Option<Heartbeat>,
    responses((status = 204))
)]
async fn heartbeat(
    Extension(realtime): Extension<Realtime>,
    caller: Caller,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let bytes = read_body(body, BODY_MAX).await?;
    let sign = if bytes.trim_ascii().is_empty() {
        Heartbeat::default()
    } else {
        serde_json::from_slice::<Option<Heartbeat>>(&bytes)
            .map(Option::unwrap_or_default)
            .map_err(|error| ApiError::bad_request(format!("The body cannot be read: {error}.")))?
    };
    realtime.presence().beat(&caller, &sign)?;
    Ok(StatusCode::NO_CONTENT)
}

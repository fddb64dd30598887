//! `/v1/me/blocks` and `/v1/me/status`.

use axum::Extension;
use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::UserId;
use tidings_wire::List;
use tidings_wire::account::UpdateMe;
use tidings_wire::block::{Block, SetStatus};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::realtime::Realtime;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(add, remove))
        .routes(routes!(set_status))
}

/// List whom one has blocked.
#[utoipa::path(
    get,
    path = "/v1/me/blocks",
    tag = "accounts",
    responses((status = 200, body = List<Block>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Listing<Block>, ApiError> {
    let items = app.blocks().list(&caller).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Block somebody. Neither can write directly to the other or see whether they are there.
#[utoipa::path(
    put,
    path = "/v1/me/blocks/{user_id}",
    tag = "accounts",
    params(("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn add(
    State(app): State<App>,
    Extension(realtime): Extension<Realtime>,
    caller: Caller,
    Path(user): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().profile(&caller, user).await?;
    app.blocks().add(&caller, &right).await?;
    realtime.presence().recheck(caller.user_id(), user).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Unblock somebody. 204 for anybody who was not blocked, too.
#[utoipa::path(
    delete,
    path = "/v1/me/blocks/{user_id}",
    tag = "accounts",
    params(("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn remove(
    State(app): State<App>,
    Extension(realtime): Extension<Realtime>,
    caller: Caller,
    Path(user): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    app.blocks().remove(&caller, user).await?;
    realtime.presence().recheck(caller.user_id(), user).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Set one's status text; an empty one takes it back.
#[utoipa::path(
    put,
    path = "/v1/me/status",
    tag = "accounts",
    request_body = SetStatus,
    responses((status = 204))
)]
async fn set_status(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<SetStatus>,
) -> Result<StatusCode, ApiError> {
    let update = UpdateMe { status: Some(request.status), ..UpdateMe::default() };
    app.accounts().update_me(&caller, update).await?;
    Ok(StatusCode::NO_CONTENT)
}

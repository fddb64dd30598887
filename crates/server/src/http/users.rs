//! `/v1/users`: profiles and devices.

use axum::extract::State;
use http::Uri;
use tidings_domain::UserId;
use tidings_wire::List;
use tidings_wire::account::{Device, Profile};
use tidings_wire::query::HandleQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Query};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(by_handle)).routes(routes!(get)).routes(routes!(devices))
}

/// Find somebody by handle.
#[utoipa::path(
    get,
    path = "/v1/users",
    tag = "users",
    params(HandleQuery),
    responses((status = 200, body = Profile))
)]
async fn by_handle(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<HandleQuery>,
) -> Result<Json<Profile>, ApiError> {
    Ok(Json(app.accounts().by_handle(&caller, &query.handle).await?))
}

/// Get somebody's profile.
#[utoipa::path(
    get,
    path = "/v1/users/{id}",
    tag = "users",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Profile))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Json<Profile>, ApiError> {
    let right = app.access().profile(&caller, id).await?;
    Ok(Json(app.accounts().profile(&right)))
}

/// List the devices that somebody's sigchain certifies now.
#[utoipa::path(
    get,
    path = "/v1/users/{id}/devices",
    tag = "users",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<Device>))
)]
async fn devices(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<UserId>,
) -> Result<Listing<Device>, ApiError> {
    let right = app.access().profile(&caller, id).await?;
    let items = app.chains().devices(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

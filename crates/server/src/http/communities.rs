//! `/v1/communities`.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::CommunityId;
use tidings_wire::List;
use tidings_wire::community::{Community, CreateCommunity, UpdateCommunity};
use tidings_wire::query::PageQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Query};
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update))
}

/// List the communities that one is in.
#[utoipa::path(
    get,
    path = "/v1/communities",
    tag = "communities",
    params(PageQuery),
    responses((status = 200, body = List<Community>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Community>, ApiError> {
    let limit = super::extract::limit(page.limit, 200)?;
    let after = page.after.unwrap_or_default();
    let mut communities = app.communities().list(&caller).await?;
    communities.retain(|community| community.id > after);
    Ok(Listing::new(&uri, by_id(communities, limit, |community| community.id)))
}

/// Make a community with `#general`.
#[utoipa::path(
    post,
    path = "/v1/communities",
    tag = "communities",
    request_body = CreateCommunity,
    responses((status = 201, body = Community))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<CreateCommunity>,
) -> Result<(StatusCode, Json<Community>), ApiError> {
    Ok((StatusCode::CREATED, Json(app.communities().create(&caller, &request).await?)))
}

/// Get a community.
#[utoipa::path(
    get,
    path = "/v1/communities/{id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Community))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CommunityId>,
) -> Result<Json<Community>, ApiError> {
    let right = app.access().member(&caller, id).await?;
    Ok(Json(app.communities().get(&right).await?))
}

/// Change a community (admins).
#[utoipa::path(
    patch,
    path = "/v1/communities/{id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path)),
    request_body = UpdateCommunity,
    responses((status = 200, body = Community))
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CommunityId>,
    Json(request): Json<UpdateCommunity>,
) -> Result<Json<Community>, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    Ok(Json(app.communities().update(&right, &request).await?))
}

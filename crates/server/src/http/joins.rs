//! Requests to join.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::{CommunityId, UserId};
use tidings_wire::List;
use tidings_wire::community::JoinRequest;
use tidings_wire::query::PageQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Path, Path2, Query};
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(own))
        .routes(routes!(withdraw))
}

/// List who waits to be let in, and who was refused not long ago (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/join-requests",
    tag = "invites",
    params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = List<JoinRequest>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
    Query(page): Query<PageQuery>,
) -> Result<Listing<JoinRequest>, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    let limit = super::extract::limit(page.limit, 50)?;
    let after = UserId(page.after.unwrap_or_default());
    let requests = app.joins().list(&right, after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(requests, limit, |request| request.user.id)))
}

/// Let somebody in who asked (admins).
#[utoipa::path(
    post,
    path = "/v1/communities/{id}/join-requests/{user_id}/approve",
    tag = "invites",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn approve(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    app.joins().approve(&right, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Do not let somebody in who asked (admins).
#[utoipa::path(
    post,
    path = "/v1/communities/{id}/join-requests/{user_id}/refuse",
    tag = "invites",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn refuse(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    app.joins().refuse(&right, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List where one asked to be let in.
#[utoipa::path(
    get,
    path = "/v1/me/join-requests",
    tag = "invites",
    responses((status = 200, body = List<JoinRequest>))
)]
async fn own(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Listing<JoinRequest>, ApiError> {
    let items = app.joins().own(&caller).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Take one's own request to join back.
#[utoipa::path(
    delete,
    path = "/v1/me/join-requests/{community_id}",
    tag = "invites",
    params(("community_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CommunityId>,
) -> Result<StatusCode, ApiError> {
    app.joins().withdraw(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

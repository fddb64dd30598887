//! `/v1/communities/{id}/members`.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::{CommunityId, UserId};
use tidings_wire::List;
use tidings_wire::community::{Member, UpdateMember};
use tidings_wire::query::PageQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Path2, Query};
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(update, remove))
}

/// List the members of a community.
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/members",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = List<Member>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Member>, ApiError> {
    let limit = super::extract::limit(page.limit, 200)?;
    let right = app.access().member(&caller, id).await?;
    let after = UserId(page.after.unwrap_or_default());
    let members = app.members().list(&right, after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(members, limit, |member| member.user.id)))
}

/// Give a member another role (owners) or nickname (oneself, or admins).
#[utoipa::path(
    patch,
    path = "/v1/communities/{id}/members/{user_id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    request_body = UpdateMember,
    responses((status = 200, body = Member))
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
    Json(request): Json<UpdateMember>,
) -> Result<Json<Member>, ApiError> {
    let right = app.access().member(&caller, id).await?;
    Ok(Json(app.members().update(&right, user, &request).await?))
}

/// Leave a community, or remove somebody else (admins).
#[utoipa::path(
    delete,
    path = "/v1/communities/{id}/members/{user_id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().member(&caller, id).await?;
    app.members().remove(&right, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

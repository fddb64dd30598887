//! Invites.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, Uri};
use tidings_domain::CommunityId;
use tidings_wire::List;
use tidings_wire::community::{
    Accepted, Community, CreateInvite, Invite, InvitePreview, JoinRequest,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Address, Json, Path};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(preview, delete))
        .routes(routes!(accept))
}

/// Make an invite (admins).
#[utoipa::path(
    post,
    path = "/v1/communities/{id}/invites",
    tag = "invites",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateInvite,
    responses((status = 201, body = Invite))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CommunityId>,
    Json(request): Json<CreateInvite>,
) -> Result<(StatusCode, Json<Invite>), ApiError> {
    let right = app.access().admin(&caller, id).await?;
    let invite = app.invites().create(&right, &caller, &request).await?;
    Ok((StatusCode::CREATED, Json(invite)))
}

/// List the invites of a community that still work (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/invites",
    tag = "invites",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<Invite>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
) -> Result<Listing<Invite>, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    let items = app.invites().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// See where an invite leads, without an account.
#[utoipa::path(
    get,
    path = "/v1/invites/{code}",
    tag = "invites",
    security(()),
    params(("code" = String, Path)),
    responses((status = 200, body = InvitePreview))
)]
async fn preview(
    State(app): State<App>,
    Address(address): Address,
    Path(code): Path<String>,
) -> Result<Json<InvitePreview>, ApiError> {
    Ok(Json(app.invites().preview(&code, address).await?))
}

/// Accept an invite: 200 when one is in, 202 when an admin has to let one in.
#[utoipa::path(
    post,
    path = "/v1/invites/{code}/accept",
    tag = "invites",
    params(("code" = String, Path)),
    responses((status = 200, body = Community), (status = 202, body = JoinRequest))
)]
async fn accept(
    State(app): State<App>,
    caller: Caller,
    Address(address): Address,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    Ok(match app.invites().accept(&caller, &code, address).await? {
        Accepted::Joined(community) => Json(community).into_response(),
        Accepted::Waiting(request) => (StatusCode::ACCEPTED, Json(request)).into_response(),
    })
}

/// Take an invite back (whoever made it, and admins).
#[utoipa::path(
    delete,
    path = "/v1/invites/{code}",
    tag = "invites",
    params(("code" = String, Path)),
    responses((status = 204))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.invites().delete(&caller, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}

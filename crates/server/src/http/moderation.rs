//! Bans, mutes, and the log of administrative acts.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::{CommunityId, RestrictionKind, UserId};
use tidings_wire::List;
use tidings_wire::moderation::{AuditEntry, Restrict, Restriction};
use tidings_wire::query::PageQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Path2, Query};
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(bans))
        .routes(routes!(ban, unban))
        .routes(routes!(mutes))
        .routes(routes!(mute, unmute))
        .routes(routes!(audit))
        .routes(routes!(server_audit))
}

async fn list(
    app: &App,
    caller: &Caller,
    uri: &Uri,
    id: CommunityId,
    page: PageQuery,
    kind: RestrictionKind,
) -> Result<Listing<Restriction>, ApiError> {
    let limit = super::extract::limit(page.limit, 200)?;
    let right = app.access().admin(caller, id).await?;
    let after = UserId(page.after.unwrap_or_default());
    let rows = app.moderation().list(&right, kind, after, limit + 1).await?;
    Ok(Listing::new(uri, by_id(rows, limit, |row| row.user.id)))
}

/// List the bans that stand (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/bans",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = List<Restriction>))
)]
async fn bans(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Restriction>, ApiError> {
    list(&app, &caller, &uri, id, page, RestrictionKind::Ban).await
}

/// Ban somebody who is or was a member: they leave, and no invite lets them in (admins).
#[utoipa::path(
    put,
    path = "/v1/communities/{id}/bans/{user_id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    request_body = Restrict,
    responses((status = 204))
)]
async fn ban(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
    Json(request): Json<Restrict>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    app.moderation().ban(&right, user, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lift a ban (admins).
#[utoipa::path(
    delete,
    path = "/v1/communities/{id}/bans/{user_id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn unban(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    app.moderation().lift(&right, RestrictionKind::Ban, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the mutes that stand (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/mutes",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = List<Restriction>))
)]
async fn mutes(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Restriction>, ApiError> {
    list(&app, &caller, &uri, id, page, RestrictionKind::Mute).await
}

/// Mute a member: they cannot post, edit or react in the community's channels (admins).
#[utoipa::path(
    put,
    path = "/v1/communities/{id}/mutes/{user_id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    request_body = Restrict,
    responses((status = 204))
)]
async fn mute(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
    Json(request): Json<Restrict>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    app.moderation().mute(&right, user, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lift a mute (admins).
#[utoipa::path(
    delete,
    path = "/v1/communities/{id}/mutes/{user_id}",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn unmute(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<CommunityId, UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    app.moderation().lift(&right, RestrictionKind::Mute, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List what administrators did in a community, newest first; `after` goes on to older ones (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/audit",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = List<AuditEntry>))
)]
async fn audit(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
    Query(page): Query<PageQuery>,
) -> Result<Listing<AuditEntry>, ApiError> {
    let limit = super::extract::limit(page.limit, 50)?;
    let right = app.access().admin(&caller, id).await?;
    let acts = app.audit().list(&right, page.after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(acts, limit, |act| act.id)))
}

/// List what was done to the whole server, newest first; `after` goes on to older ones (the
/// server's owner).
#[utoipa::path(
    get,
    path = "/v1/admin/audit",
    tag = "administration",
    params(PageQuery),
    responses((status = 200, body = List<AuditEntry>))
)]
async fn server_audit(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(page): Query<PageQuery>,
) -> Result<Listing<AuditEntry>, ApiError> {
    let limit = super::extract::limit(page.limit, 50)?;
    let right = app.access().server_owner(&caller)?;
    let acts = app.audit().list_server(&right, page.after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(acts, limit, |act| act.id)))
}

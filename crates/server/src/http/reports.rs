//! Reports of messages.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::{CommunityId, MessageId, ReportId};
use tidings_wire::List;
use tidings_wire::report::{Report, ReportMessage, ReportsQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Query, limit};
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

/// Reports of a page when the caller names no number.
const PAGE: usize = 50;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(list))
        .routes(routes!(list_direct))
        .routes(routes!(resolve))
}

/// Report a message to the admins of the community; one of a DM to the server's owner.
#[utoipa::path(
    post,
    path = "/v1/messages/{id}/report",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    request_body = ReportMessage,
    responses((status = 204))
)]
async fn report(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Json(request): Json<ReportMessage>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().message(&caller, id).await?;
    app.reports().add(&right, &request.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List reports of messages in the community, newest first (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/reports",
    tag = "communities",
    params(("id" = uuid::Uuid, Path), ReportsQuery),
    responses((status = 200, body = List<Report>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
    Query(query): Query<ReportsQuery>,
) -> Result<Listing<Report>, ApiError> {
    let limit = limit(query.limit, PAGE)?;
    let right = app.access().admin(&caller, id).await?;
    let all = query.all.unwrap_or(false);
    let reports = app.reports().list(&right, all, query.after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(reports, limit, |report| report.id)))
}

/// List reports of messages in DMs, newest first (the server's owner).
#[utoipa::path(
    get,
    path = "/v1/admin/reports",
    tag = "administration",
    params(ReportsQuery),
    responses((status = 200, body = List<Report>))
)]
async fn list_direct(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(query): Query<ReportsQuery>,
) -> Result<Listing<Report>, ApiError> {
    let limit = limit(query.limit, PAGE)?;
    let right = app.access().server_owner(&caller)?;
    let all = query.all.unwrap_or(false);
    let reports = app.reports().list_direct(&right, all, query.after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(reports, limit, |report| report.id)))
}

/// Mark a report as dealt with.
#[utoipa::path(
    post,
    path = "/v1/reports/{id}/resolve",
    tag = "communities",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ReportId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().report(&caller, id).await?;
    app.reports().resolve(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

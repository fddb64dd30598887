//! `/v1/drafts` and `/v1/channels/{id}/draft`.

use axum::extract::State;
use http::Uri;
use tidings_domain::{ChannelId, MessageId};
use tidings_wire::List;
use tidings_wire::draft::{Draft, DraftQuery, PutDraft};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Query};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, write))
}

/// List what one has begun to write anywhere, the latest first.
#[utoipa::path(
    get,
    path = "/v1/drafts",
    tag = "messages",
    responses((status = 200, body = List<Draft>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Listing<Draft>, ApiError> {
    let items = app.drafts().list(&caller).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Read what one has begun to write in a channel, DM or thread.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/draft",
    tag = "messages",
    params(("id" = uuid::Uuid, Path), DraftQuery),
    responses((status = 200, body = Draft))
)]
async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Query(query): Query<DraftQuery>,
) -> Result<axum::Json<Draft>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    Ok(axum::Json(app.drafts().get(&right, query.thread.map(MessageId)).await?))
}

/// Keep what one has begun to write; one's other devices hear `draft.updated`.
#[utoipa::path(
    put,
    path = "/v1/channels/{id}/draft",
    tag = "messages",
    params(("id" = uuid::Uuid, Path), DraftQuery),
    request_body = PutDraft,
    responses((status = 200, body = Draft))
)]
async fn write(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Query(query): Query<DraftQuery>,
    Json(request): Json<PutDraft>,
) -> Result<axum::Json<Draft>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    let parent = query.thread.map(MessageId);
    Ok(axum::Json(app.drafts().put(&right, parent, request.body).await?))
}

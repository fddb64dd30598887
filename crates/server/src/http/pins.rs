//! Pinned and saved messages.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::{ChannelId, MessageId};
use tidings_wire::List;
use tidings_wire::message::Message;
use tidings_wire::query::PageQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Path, Query};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pin, unpin))
        .routes(routes!(pins))
        .routes(routes!(save, unsave))
        .routes(routes!(saved))
}

/// Pin a message to its channel.
#[utoipa::path(
    put,
    path = "/v1/messages/{id}/pin",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn pin(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().message(&caller, id).await?;
    app.pins().add(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the pin of a message out.
#[utoipa::path(
    delete,
    path = "/v1/messages/{id}/pin",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn unpin(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().message(&caller, id).await?;
    app.pins().remove(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the pinned messages of a channel, the newest pin first.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/pins",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<Message>))
)]
async fn pins(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<ChannelId>,
) -> Result<Listing<Message>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    let items = app.pins().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Save a message for later; nobody else sees it.
#[utoipa::path(
    put,
    path = "/v1/messages/{id}/save",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn save(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().message(&caller, id).await?;
    app.pins().save(&right, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let go of a saved message.
#[utoipa::path(
    delete,
    path = "/v1/messages/{id}/save",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn unsave(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().message(&caller, id).await?;
    app.pins().save(&right, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List what one has saved, newest message first.
#[utoipa::path(
    get,
    path = "/v1/saved",
    tag = "messages",
    params(PageQuery),
    responses((status = 200, body = List<Message>))
)]
async fn saved(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Message>, ApiError> {
    let limit = super::extract::limit(page.limit, 50)?;
    // The place in the list from which it goes on, which is what `after` says everywhere.
    let before = MessageId(page.after.unwrap_or(uuid::Uuid::max()));
    let (items, next) = app.pins().saved(&caller, before, limit).await?;
    let next = next.map(|id| id.to_string());
    Ok(Listing::new(&uri, List { items, next, prev: None }))
}

//! Outgoing webhooks.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use tidings_domain::{ChannelId, CommunityId, WebhookId};
use tidings_wire::List;
use tidings_wire::outgoing::{
    CreateOutgoingWebhook, Delivery, OutgoingWebhook, UpdateOutgoingWebhook,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path};
use super::idempotency::ShowsSecret;
use super::listing::Listing;
use crate::access::{Caller, OutgoingPlace};
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_of_community, create_for_community))
        .routes(routes!(list_of_channel, create_for_channel))
        .routes(routes!(get, update, delete))
        .routes(routes!(deliveries))
        .routes(routes!(test))
        .routes(routes!(rotate))
}

/// Tell a receiver what happens in a community and its public channels (admins). The secret is shown
/// once.
#[utoipa::path(
    post,
    path = "/v1/communities/{id}/webhooks/outgoing",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateOutgoingWebhook,
    responses((status = 201, body = OutgoingWebhook))
)]
async fn create_for_community(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CommunityId>,
    Json(request): Json<CreateOutgoingWebhook>,
) -> Result<Response, ApiError> {
    let right = OutgoingPlace::Community(app.access().admin(&caller, id).await?);
    Ok(secret(StatusCode::CREATED, app.outgoing().create(&right, &request).await?))
}

/// Tell a receiver what happens in a channel (admins). The secret is shown once.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/webhooks/outgoing",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateOutgoingWebhook,
    responses((status = 201, body = OutgoingWebhook))
)]
async fn create_for_channel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<CreateOutgoingWebhook>,
) -> Result<Response, ApiError> {
    let right = OutgoingPlace::Channel(app.access().manager(&caller, id).await?);
    Ok(secret(StatusCode::CREATED, app.outgoing().create(&right, &request).await?))
}

/// List the outgoing webhooks of a community itself (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/webhooks/outgoing",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<OutgoingWebhook>))
)]
async fn list_of_community(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
) -> Result<Listing<OutgoingWebhook>, ApiError> {
    let right = OutgoingPlace::Community(app.access().admin(&caller, id).await?);
    let items = app.outgoing().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// List the outgoing webhooks of a channel (admins).
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/webhooks/outgoing",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<OutgoingWebhook>))
)]
async fn list_of_channel(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<ChannelId>,
) -> Result<Listing<OutgoingWebhook>, ApiError> {
    let right = OutgoingPlace::Channel(app.access().manager(&caller, id).await?);
    let items = app.outgoing().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Read an outgoing webhook (admins).
#[utoipa::path(
    get,
    path = "/v1/webhooks/outgoing/{id}",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = OutgoingWebhook))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<Json<OutgoingWebhook>, ApiError> {
    let right = app.access().outgoing(&caller, id).await?;
    Ok(Json(app.outgoing().get(&right)))
}

/// Change an outgoing webhook, turn it off, or on again (admins).
#[utoipa::path(
    patch,
    path = "/v1/webhooks/outgoing/{id}",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    request_body = UpdateOutgoingWebhook,
    responses((status = 200, body = OutgoingWebhook))
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Json(request): Json<UpdateOutgoingWebhook>,
) -> Result<Json<OutgoingWebhook>, ApiError> {
    let right = app.access().outgoing(&caller, id).await?;
    Ok(Json(app.outgoing().update(&right, &request).await?))
}

/// Delete an outgoing webhook (admins).
#[utoipa::path(
    delete,
    path = "/v1/webhooks/outgoing/{id}",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().outgoing(&caller, id).await?;
    app.outgoing().delete(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The newest attempts of an outgoing webhook, newest first, about a hundred (admins).
#[utoipa::path(
    get,
    path = "/v1/webhooks/outgoing/{id}/deliveries",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<Delivery>))
)]
async fn deliveries(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<WebhookId>,
) -> Result<Listing<Delivery>, ApiError> {
    let right = app.access().outgoing(&caller, id).await?;
    let items = app.outgoing().deliveries(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Send the receiver an event of the type `webhook.test`, once, and tell what came of it (admins).
#[utoipa::path(
    post,
    path = "/v1/webhooks/outgoing/{id}/test",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Delivery))
)]
async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<Json<Delivery>, ApiError> {
    let right = app.access().outgoing(&caller, id).await?;
    Ok(Json(app.outgoing().test(&right).await?))
}

/// Replace the secret of an outgoing webhook (admins). The new one is shown once; for a day, requests
/// carry a signature by the old one, too.
#[utoipa::path(
    post,
    path = "/v1/webhooks/outgoing/{id}/secret",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = OutgoingWebhook))
)]
async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<Response, ApiError> {
    let right = app.access().outgoing(&caller, id).await?;
    Ok(secret(StatusCode::OK, app.outgoing().rotate(&right).await?))
}

fn secret(status: StatusCode, webhook: OutgoingWebhook) -> Response {
    let mut response = (status, Json(webhook)).into_response();
    response.extensions_mut().insert(ShowsSecret);
    response
}

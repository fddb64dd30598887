//! Notifications, and what one chooses to be told.

use axum::extract::State;
use tidings_domain::ChannelId;
use tidings_wire::attention::{
    Attention, Notifications, NotificationsQuery, Notify, ReadNotifications, SetNotify,
    UnreadNotifications,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Query};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(get, set))
        .routes(routes!(notify))
}

/// List what has called one, newest first.
#[utoipa::path(
    get,
    path = "/v1/notifications",
    tag = "attention",
    params(NotificationsQuery),
    responses((status = 200, body = Notifications))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<NotificationsQuery>,
) -> Result<Json<Notifications>, ApiError> {
    let limit = super::extract::limit(query.limit, 50)?;
    let unread = query.unread.unwrap_or(false);
    Ok(Json(app.notifications().list(&caller, unread, query.before, limit).await?))
}

/// Mark notifications as seen.
#[utoipa::path(
    post,
    path = "/v1/notifications/read",
    tag = "attention",
    request_body = ReadNotifications,
    responses((status = 200, body = UnreadNotifications))
)]
async fn read(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<ReadNotifications>,
) -> Result<Json<UnreadNotifications>, ApiError> {
    Ok(Json(app.notifications().read(&caller, &request).await?))
}

/// Get one's keywords and quiet times.
#[utoipa::path(
    get,
    path = "/v1/me/attention",
    tag = "attention",
    responses((status = 200, body = Attention))
)]
async fn get(State(app): State<App>, caller: Caller) -> Result<Json<Attention>, ApiError> {
    Ok(Json(app.attention().get(&caller).await?))
}

/// Choose keywords and quiet times; what is absent is none.
#[utoipa::path(
    put,
    path = "/v1/me/attention",
    tag = "attention",
    request_body = Attention,
    responses((status = 200, body = Attention))
)]
async fn set(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Attention>,
) -> Result<Json<Attention>, ApiError> {
    Ok(Json(app.attention().set(&caller, request).await?))
}

/// Choose how much of a channel calls for attention, or mute it.
#[utoipa::path(
    put,
    path = "/v1/channels/{id}/notify",
    tag = "attention",
    params(("id" = uuid::Uuid, Path)),
    request_body = SetNotify,
    responses((status = 200, body = Notify))
)]
async fn notify(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<SetNotify>,
) -> Result<Json<Notify>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    Ok(Json(app.attention().notify(&right, &request).await?))
}

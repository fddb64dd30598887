//! Whether links are looked up.

use axum::extract::State;
use http::StatusCode;
use tidings_domain::ChannelId;
use tidings_wire::message::PreviewSwitch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(of_channel, set_for_channel))
        .routes(routes!(of_caller, set_for_caller))
}

/// Whether the server looks up what links in this channel lead to.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/previews",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PreviewSwitch))
)]
async fn of_channel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<Json<PreviewSwitch>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    Ok(Json(PreviewSwitch { enabled: app.previews().of_channel(&right).await? }))
}

/// Have the server look up what links in this channel lead to, or not (admins; in a DM everybody).
#[utoipa::path(
    put,
    path = "/v1/channels/{id}/previews",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    request_body = PreviewSwitch,
    responses((status = 204))
)]
async fn set_for_channel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<PreviewSwitch>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().previews(&caller, id).await?;
    app.previews().set_for_channel(&right, request.enabled).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the server looks up what the links of one's own messages lead to.
#[utoipa::path(
    get,
    path = "/v1/me/previews",
    tag = "messages",
    responses((status = 200, body = PreviewSwitch))
)]
async fn of_caller(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<PreviewSwitch>, ApiError> {
    Ok(Json(PreviewSwitch { enabled: app.previews().of_caller(&caller).await? }))
}

/// Have the server look up what the links of one's own messages lead to, or not.
#[utoipa::path(
    put,
    path = "/v1/me/previews",
    tag = "messages",
    request_body = PreviewSwitch,
    responses((status = 204))
)]
async fn set_for_caller(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<PreviewSwitch>,
) -> Result<StatusCode, ApiError> {
    app.previews().set_for_caller(&caller, request.enabled).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! `/v1/dms`.

use axum::extract::State;
use http::StatusCode;
use tidings_wire::channel::{Channel, CreateDm};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Json;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(open))
}

/// Open the direct conversation with these people. 200 when there was one.
#[utoipa::path(
    post,
    path = "/v1/dms",
    tag = "channels",
    request_body = CreateDm,
    responses((status = 201, body = Channel), (status = 200, body = Channel))
)]
async fn open(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<CreateDm>,
) -> Result<(StatusCode, Json<Channel>), ApiError> {
    let (channel, new) = app.dms().open(&caller, &request).await?;
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(channel)))
}

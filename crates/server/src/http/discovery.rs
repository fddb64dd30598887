//! What a server says of itself.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use tidings_wire::discovery::{Discovery, Limits, Readiness};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Json;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(discover))
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
}

/// Describe the server: its name, origin, limits and features.
#[utoipa::path(
    get,
    path = "/.well-known/tidings",
    tag = "discovery",
    security(()),
    responses((status = 200, body = Discovery))
)]
async fn discover(State(app): State<App>) -> Result<Json<Discovery>, ApiError> {
    let settings = app.settings();
    Ok(Json(Discovery {
        name: settings.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        gateway_id: app.gateway_id(),
        origin: settings.public_url.clone(),
        api: format!("{}/v1", settings.public_url),
        registration: app.registration().policy().await?.to_owned(),
        oauth: app.providers().public().await?,
        limits: Limits { attachment_bytes: settings.attachment_bytes, ..Limits::V1 },
        features: Vec::new(),
        export_key: settings.export_key.map(|key| key.to_string()),
    }))
}

/// Say that the process runs.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    security(()),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
async fn healthz() -> &'static str {
    "ok"
}

/// Say whether every part that the server needs answers.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness))
)]
async fn readyz(State(app): State<App>) -> Response {
    let readiness = app.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// Figures for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    security(()),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let handle = app.metrics().ok_or_else(ApiError::not_found)?;
    handle.run_upkeep();
    // The exposition format's own type; scrapers choose their parser by it.
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], handle.render()).into_response())
}

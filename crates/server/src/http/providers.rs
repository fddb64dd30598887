//! Providers of sign-in and the keys of tokens, for the server's owner.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_wire::List;
use tidings_wire::signin::{Jwks, Provider, PutProvider};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, delete)).routes(routes!(rotate))
}

/// List the providers of sign-in (server owner).
#[utoipa::path(
    get,
    path = "/v1/admin/providers",
    tag = "administration",
    responses((status = 200, body = List<Provider>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Listing<Provider>, ApiError> {
    let right = app.access().server_owner(&caller)?;
    let items = app.providers().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Configure a provider of sign-in (server owner); it is asked who it is first.
#[utoipa::path(
    put,
    path = "/v1/admin/providers/{provider}",
    tag = "administration",
    params(("provider" = String, Path)),
    request_body = PutProvider,
    responses((status = 200, body = Provider), (status = 201, body = Provider))
)]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(request): Json<PutProvider>,
) -> Result<(StatusCode, Json<Provider>), ApiError> {
    let right = app.access().server_owner(&caller)?;
    let (provider, new) = app.providers().put(&right, &id, &request).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(provider)))
}

/// Remove a provider of sign-in, and all links with it (server owner).
#[utoipa::path(
    delete,
    path = "/v1/admin/providers/{provider}",
    tag = "administration",
    params(("provider" = String, Path)),
    responses((status = 204))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().server_owner(&caller)?;
    app.providers().delete(&right, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign tokens with a new key from now on (server owner).
#[utoipa::path(
    post,
    path = "/v1/admin/keys/rotate",
    tag = "administration",
    responses((status = 200, body = Jwks))
)]
async fn rotate(State(app): State<App>, caller: Caller) -> Result<Json<Jwks>, ApiError> {
    let right = app.access().server_owner(&caller)?;
    Ok(Json(app.access_tokens().rotate(&right).await?))
}

//! `/v1/accounts`, `/v1/me`, and what the server's owner does with accounts.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use tidings_domain::UserId;
use tidings_wire::account::{LoggedIn, Me, Register, ResetCode, UpdateMe};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Address, Json, Path};
use super::idempotency::ShowsSecret;
use super::sessions::logged_in;
use crate::access::Caller;
use crate::app::App;
use crate::auth::cookie::{self, Jar};
use crate::auth::origin;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(me, update_me))
        .routes(routes!(reset))
}

/// Make an account and log its first device in.
#[utoipa::path(
    post,
    path = "/v1/accounts",
    tag = "accounts",
    security(()),
    request_body = Register,
    responses((status = 201, body = LoggedIn))
)]
async fn register(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Json(request): Json<Register>,
) -> Result<Response, ApiError> {
    if request.cookie {
        origin::check_cookie_wish(&headers, app.settings())?;
    }
    let binder = cookie::take(Jar::Binder, &headers, app.settings().secure());
    let answer = app.registration().register(&request, binder, address).await?;
    Ok(logged_in(&app, answer, request.cookie))
}

/// Get one's own account.
#[utoipa::path(get, path = "/v1/me", tag = "accounts", responses((status = 200, body = Me)))]
async fn me(State(app): State<App>, caller: Caller) -> Result<Json<Me>, ApiError> {
    Ok(Json(app.accounts().me(&caller).await?))
}

/// Change one's own account.
#[utoipa::path(
    patch,
    path = "/v1/me",
    tag = "accounts",
    request_body = UpdateMe,
    responses((status = 200, body = Me))
)]
async fn update_me(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<UpdateMe>,
) -> Result<Json<Me>, ApiError> {
    Ok(Json(app.accounts().update_me(&caller, request).await?))
}

/// Make a code with which somebody who lost phrase and devices registers anew (server owner).
#[utoipa::path(
    post,
    path = "/v1/admin/users/{id}/reset",
    tag = "administration",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 201, body = ResetCode))
)]
async fn reset(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Response, ApiError> {
    let right = app.access().server_owner(&caller)?;
    let code = app.resets().create(&right, id).await?;
    let mut response = (StatusCode::CREATED, Json(code)).into_response();
    response.extensions_mut().insert(ShowsSecret);
    Ok(response)
}

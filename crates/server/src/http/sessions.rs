//! `/v1/auth/challenge` and `/v1/sessions`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use tidings_domain::SessionId;
use tidings_wire::List;
use tidings_wire::account::{Challenge, CreateChallenge, CreateSession, LoggedIn, Session};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Address, Json, Path, Query};
use super::idempotency::ShowsSecret;
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::auth::{cookie, origin};
use crate::error::ApiError;
use tidings_wire::query::PageQuery;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(challenge))
        .routes(routes!(list, create))
        .routes(routes!(delete_current))
        .routes(routes!(delete))
}

/// Get a challenge to sign; alike for identities that have an account here and those that have not.
#[utoipa::path(
    post,
    path = "/v1/auth/challenge",
    tag = "sessions",
    security(()),
    request_body = CreateChallenge,
    responses((status = 200, body = Challenge))
)]
async fn challenge(
    State(app): State<App>,
    Address(address): Address,
    Json(request): Json<CreateChallenge>,
) -> Result<Json<Challenge>, ApiError> {
    Ok(Json(app.sessions().challenge(&request.identity, address)?))
}

/// Log a device in.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "sessions",
    security(()),
    request_body = CreateSession,
    responses((status = 201, body = LoggedIn))
)]
async fn create(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Json(request): Json<CreateSession>,
) -> Result<Response, ApiError> {
    if request.cookie {
        origin::check_cookie_wish(&headers, app.settings())?;
    }
    let answer = app.sessions().create(&request, address).await?;
    Ok(logged_in(&app, answer, request.cookie))
}

/// The answer with a new session: its token in the body, or in a cookie.
pub(super) fn logged_in(app: &App, mut answer: LoggedIn, in_cookie: bool) -> Response {
    let token = if in_cookie { answer.session.token.take() } else { None };
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    let cookie = token.and_then(|token| cookie::set(&token.0, app.settings().secure()));
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.extensions_mut().insert(ShowsSecret);
    response
}

/// List one's own sessions.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    tag = "sessions",
    params(PageQuery),
    responses((status = 200, body = List<Session>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Session>, ApiError> {
    let limit = super::extract::limit(page.limit, 200)?;
    let mut sessions = app.sessions().list(&caller).await?;
    sessions.sort_unstable_by_key(|session| session.id);
    let after = page.after.unwrap_or_default();
    sessions.retain(|session| session.id > after);
    Ok(Listing::new(&uri, by_id(sessions, limit, |session| session.id)))
}

/// Log out.
#[utoipa::path(
    delete,
    path = "/v1/sessions/current",
    tag = "sessions",
    responses((status = 204))
)]
async fn delete_current(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    app.sessions().delete(&caller, caller.session_id()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie::clear(app.settings().secure()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// End one of one's own sessions.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    tag = "sessions",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, ApiError> {
    app.sessions().delete(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

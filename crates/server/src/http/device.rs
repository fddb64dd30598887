//! Terminals that are logged in from elsewhere (RFC 8628).

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tidings_wire::Code;
use tidings_wire::signin::{
    DeviceAuthorization, DeviceAuthorizationRequest, DeviceRequest, OauthError, TokenAnswer,
    TokenRequest,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Address, Json, Path, Query};
use super::form;
use super::idempotency::ShowsSecret;
use super::pages::{escape, page};
use super::problem::Verbatim;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

/// The one grant that the token endpoint takes.
pub(super) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(authorize))
        .routes(routes!(token))
        .routes(routes!(look))
        .routes(routes!(approve))
        .routes(routes!(deny))
        .routes(routes!(show, answer))
}

/// Get codes for a terminal that wants to be logged in.
#[utoipa::path(
    post,
    path = "/v1/oauth/device",
    tag = "sign-in",
    security(()),
    request_body(
        content = DeviceAuthorizationRequest,
        content_type = "application/x-www-form-urlencoded"
    ),
    responses((status = 200, body = DeviceAuthorization), (status = 400, body = OauthError))
)]
async fn authorize(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let request = form::read::<DeviceAuthorizationRequest>(&headers, body).await?;
        app.grants().begin(&request, address).await
    };
    match answer.await {
        Ok(codes) => uncached(Json(codes).into_response()),
        Err(error) => oauth_error(error),
    }
}

/// Poll for the token of a terminal.
#[utoipa::path(
    post,
    path = "/v1/oauth/token",
    tag = "sign-in",
    security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenAnswer), (status = 400, body = OauthError))
)]
async fn token(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let request = form::read::<TokenRequest>(&headers, body).await?;
        if request.grant_type != DEVICE_GRANT {
            return Ok(Err("unsupported_grant_type"));
        }
        let Some(code) = request.device_code else { return Ok(Err("invalid_request")) };
        let answer = app.grants().poll(&code, address).await?;
        Ok(answer.map_err(crate::app::grants::Poll::as_str))
    };
    match answer.await {
        Ok(Ok(answer)) => uncached(Json(answer).into_response()),
        Ok(Err(word)) => refuse(StatusCode::BAD_REQUEST, word, describe(word)),
        Err(error) => oauth_error(error),
    }
}

fn describe(word: &str) -> &'static str {
    match word {
        "authorization_pending" => "Nobody has answered yet. Poll again after the interval.",
        "slow_down" => "Too soon. From now on wait five seconds longer between polls.",
        "access_denied" => "Somebody said no.",
        "expired_token" => "The code is wrong, was used, or nobody answered in time. Begin again.",
        "unsupported_grant_type" => "The only grant here is the device grant of RFC 8628.",
        _ => "The request lacks something; device_code is needed.",
    }
}

/// Refusals as OAuth clients read them. What is no fault of theirs stays a problem document.
fn oauth_error(error: ApiError) -> Response {
    match error.code() {
        Code::BadRequest | Code::Unprocessable | Code::UnsupportedMediaType => {
            refuse(StatusCode::BAD_REQUEST, "invalid_request", error.detail())
        }
        _ => error.into_response(),
    }
}

fn refuse(status: StatusCode, word: &str, description: &str) -> Response {
    let body = OauthError { error: word.to_owned(), error_description: description.to_owned() };
    let mut response = uncached((status, Json(body)).into_response());
    response.extensions_mut().insert(Verbatim);
    response
}

fn uncached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(ShowsSecret);
    response
}

/// See which terminal shows a code.
#[utoipa::path(
    get,
    path = "/v1/auth/device/{user_code}",
    tag = "sign-in",
    params(("user_code" = String, Path)),
    responses((status = 200, body = DeviceRequest))
)]
async fn look(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<Json<DeviceRequest>, ApiError> {
    Ok(Json(app.grants().look(&caller, &code).await?))
}

/// Log the terminal in that shows a code, as oneself.
#[utoipa::path(
    post,
    path = "/v1/auth/device/{user_code}/approve",
    tag = "sign-in",
    params(("user_code" = String, Path)),
    responses((status = 204))
)]
async fn approve(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.grants().answer(&caller, &code, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Turn the terminal away that shows a code.
#[utoipa::path(
    post,
    path = "/v1/auth/device/{user_code}/deny",
    tag = "sign-in",
    params(("user_code" = String, Path)),
    responses((status = 204))
)]
async fn deny(
    State(app): State<App>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.grants().answer(&caller, &code, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What may stand in the address of the page.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
struct PageQuery {
    /// The code that the terminal shows.
    #[serde(default)]
    code: Option<String>,
}

/// The page on which a person types the code of a terminal.
#[utoipa::path(
    get,
    path = "/device",
    tag = "sign-in",
    security(()),
    params(PageQuery),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 404, body = String, content_type = "text/html", description = "No terminal waits.")
    )
)]
async fn show(
    State(app): State<App>,
    caller: Result<Caller, ApiError>,
    Query(query): Query<PageQuery>,
) -> Response {
    let code = query.code.unwrap_or_default();
    let code: String = code.chars().take(64).collect();
    let Ok(caller) = caller else { return not_logged_in(&app, &code).await };
    if code.is_empty() {
        return page(StatusCode::OK, "Log a terminal in", FORM);
    }
    match app.grants().look(&caller, &code).await {
        Ok(request) => page(StatusCode::OK, "Log a terminal in", &question(&request)),
        Err(error) => failed(&error),
    }
}

/// Asks for the code.
const FORM: &str = "<form method=\"get\" action=\"/device\">\n<p><label>The code that the terminal \
                    shows: <input name=\"code\" autocomplete=\"off\" required></label>\n\
                    <button>Go on</button></p>\n</form>";

fn question(request: &DeviceRequest) -> String {
    let code = escape(&request.user_code);
    format!(
        "<p><strong>{name}</strong> shows the code <strong>{code}</strong> and wants to be logged in \
         as you. Say yes only if it is yours, and in front of you: whoever it belongs to will read \
         and write everything that you can.</p>\n<form method=\"post\" action=\"/device\">\n\
         <input type=\"hidden\" name=\"code\" value=\"{code}\">\n<p><button name=\"answer\" \
         value=\"approve\">Yes, log it in</button>\n<button name=\"answer\" value=\"deny\">No</button>\
         </p>\n</form>",
        name = escape(&request.device_name),
    )
}

async fn not_logged_in(app: &App, code: &str) -> Response {
    let mut body = format!(
        "<p>You are not logged in in this browser. On a terminal where you are, run <code>tidings \
         sessions approve {}</code>.</p>",
        if code.is_empty() { "CODE".to_owned() } else { escape(code) }
    );
    for provider in app.providers().public().await.unwrap_or_default() {
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            "\n<p><a href=\"/v1/auth/oauth/{}/start?return=/device\">Sign in with {}</a></p>",
            escape(&provider.id),
            escape(&provider.name)
        );
    }
    page(StatusCode::OK, "Log a terminal in", &body)
}

fn failed(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::NOT_FOUND);
    let text = match error.code() {
        Code::NotFound => "No terminal waits under this code. Compare it, or begin again there.",
        _ => error.detail(),
    };
    page(status, "Log a terminal in", &format!("<p>{}</p>\n{FORM}", escape(text)))
}

/// What the page sends.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct Answer {
    /// The code that the terminal shows.
    code: String,
    /// `approve` or `deny`.
    answer: String,
}

/// Say yes or no on the page.
#[utoipa::path(
    post,
    path = "/device",
    tag = "sign-in",
    request_body(content = Answer, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 404, body = String, content_type = "text/html", description = "No terminal waits.")
    )
)]
async fn answer(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let request: Answer = form::read(&headers, body).await?;
    let yes = match request.answer.as_str() {
        "approve" => true,
        "deny" => false,
        _ => return Err(ApiError::field("answer", "unknown", "one of: approve, deny")),
    };
    Ok(match app.grants().answer(&caller, &request.code, yes).await {
        Ok(()) if yes => page(StatusCode::OK, "The terminal is logged in", "<p>Go back to it.</p>"),
        Ok(()) => {
            page(StatusCode::OK, "The terminal was turned away", "<p>You can close this.</p>")
        }
        Err(error) => failed(&error),
    })
}

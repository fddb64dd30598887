//! `/v1/auth/oauth`: signing in through a provider, and links with providers.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;
use tidings_wire::List;
use tidings_wire::signin::{Link, SignIn, SignInProof, SignedIn, TicketInfo};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Address, Json, Path, Query};
use super::idempotency::ShowsSecret;
use super::listing::Listing;
use super::pages::{escape, page};
use crate::access::Caller;
use crate::app::App;
use crate::app::signin::{Beginning, Callback, Outcome};
use crate::auth::cookie::{self, Jar};
use crate::auth::origin;
use crate::error::ApiError;
use crate::signin::Intent;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(callback))
        .routes(routes!(ticket))
        .routes(routes!(session))
        .routes(routes!(links, link))
        .routes(routes!(unlink))
}

/// How a browser begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct StartQuery {
    /// `sign_in` (when absent) to be logged in, `ticket` for a ticket to link or to register with.
    #[serde(default)]
    intent: Option<String>,
    /// A program on the same machine to go back to: `http://127.0.0.1:PORT/…` (RFC 8252).
    #[serde(default)]
    redirect_uri: Option<String>,
    /// What that program wants to see again.
    #[serde(default)]
    state: Option<String>,
    /// The S256 challenge of that program's verifier (RFC 7636).
    #[serde(default)]
    code_challenge: Option<String>,
    /// A path of this server to go back to; a ticket stands behind its `#sign_in=`.
    #[serde(default, rename = "return")]
    back: Option<String>,
}

/// Go to a provider to sign in.
#[utoipa::path(
    get,
    path = "/v1/auth/oauth/{provider}/start",
    tag = "sign-in",
    security(()),
    params(("provider" = String, Path), StartQuery),
    responses((status = 303, description = "To the provider."))
)]
async fn start(
    State(app): State<App>,
    Address(address): Address,
    Path(id): Path<String>,
    Query(query): Query<StartQuery>,
) -> Result<Response, ApiError> {
    let intent = match query.intent.as_deref() {
        None | Some("sign_in") => Intent::SignIn,
        Some("ticket") => Intent::Ticket,
        Some(_) => return Err(ApiError::field("intent", "unknown", "one of: sign_in, ticket")),
    };
    let beginning = Beginning {
        intent,
        redirect_uri: query.redirect_uri,
        state: query.state,
        challenge: query.code_challenge,
        back: query.back,
    };
    let begun = app.signin().begin(&id, beginning, address).await?;
    let cookie = cookie::put(Jar::Flow, &begun.cookie, app.settings().secure());
    Ok(redirect(&begun.url, [cookie]))
}

/// Come back from a provider.
#[utoipa::path(
    get,
    path = "/v1/auth/oauth/{provider}/callback",
    tag = "sign-in",
    security(()),
    params(
        ("provider" = String, Path),
        ("code" = Option<String>, Query),
        ("state" = Option<String>, Query),
        ("iss" = Option<String>, Query),
        ("error" = Option<String>, Query)
    ),
    responses(
        (status = 303, description = "To the program or page that it began with."),
        (status = 200, body = String, content_type = "text/html", description = "Nobody is linked."),
        (status = 400, body = String, content_type = "text/html", description = "It cannot be read."),
        (status = 401, body = String, content_type = "text/html", description = "It did not work.")
    )
)]
async fn callback(
    State(app): State<App>,
    Address(address): Address,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let secure = app.settings().secure();
    let carried = cookie::take(Jar::Flow, &headers, secure);
    let outcome = match read_callback(&uri) {
        Ok(query) => app.signin().finish(&id, &query, carried, address).await,
        Err(error) => Err(error),
    };
    let spent = cookie::empty(Jar::Flow, secure);
    match outcome {
        Ok(Outcome::Go { url, cookie }) => {
            let kept = cookie.and_then(|binder| cookie::put(Jar::Binder, &binder, secure));
            redirect(&url, [spent, kept])
        }
        Ok(Outcome::LoggedIn { token, url }) => {
            redirect(&url, [spent, cookie::set(&token, secure)])
        }
        Ok(Outcome::Unknown { provider, label }) => {
            let body = format!(
                "<p>{provider} knows you as <strong>{label}</strong>, and no account here is linked \
                 with that.</p>\n<p>If you have an account, link it: <code>tidings links add \
                 {id}</code>. If you have none, make one: <code>tidings register --server {server} \
                 --username NAME --provider {id}</code>.</p>",
                provider = escape(&provider),
                label = escape(&label),
                id = escape(&id),
                server = escape(&app.settings().public_url),
            );
            with_cookies(page(StatusCode::OK, "Nobody is linked", &body), [spent])
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.code().status());
            let body = format!("<p>{}</p>", escape(error.detail()));
            let status = status.unwrap_or(StatusCode::UNAUTHORIZED);
            with_cookies(page(status, "The sign-in did not work", &body), [spent])
        }
    }
}

/// What came back; of a field that comes twice nothing is believed.
fn read_callback(uri: &Uri) -> Result<Callback, ApiError> {
    let unreadable = || ApiError::bad_request("The provider's answer cannot be read.");
    let query = uri.query().unwrap_or_default();
    let url = reqwest::Url::parse(&format!("http://form/?{query}")).map_err(|_| unreadable())?;
    let mut callback = Callback::default();
    for (name, value) in url.query_pairs() {
        let field = match &*name {
            "code" => &mut callback.code,
            "state" => &mut callback.state,
            "iss" => &mut callback.iss,
            "error" => &mut callback.error,
            _ => continue,
        };
        if field.replace(value.into_owned()).is_some() {
            return Err(unreadable());
        }
    }
    Ok(callback)
}

/// See whom a sign-in was about; uses nothing up.
#[utoipa::path(
    post,
    path = "/v1/auth/oauth/ticket",
    tag = "sign-in",
    security(()),
    request_body = SignInProof,
    responses((status = 200, body = TicketInfo))
)]
async fn ticket(
    State(app): State<App>,
    headers: HeaderMap,
    Json(proof): Json<SignInProof>,
) -> Result<Json<TicketInfo>, ApiError> {
    let binder = cookie::take(Jar::Binder, &headers, app.settings().secure());
    Ok(Json(app.signin().look(&proof, binder).await?))
}

/// Log in by a sign-in, without a device.
#[utoipa::path(
    post,
    path = "/v1/auth/oauth/session",
    tag = "sign-in",
    security(()),
    request_body = SignIn,
    responses((status = 201, body = SignedIn))
)]
async fn session(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, ApiError> {
    let secure = app.settings().secure();
    let binder = cookie::take(Jar::Binder, &headers, secure);
    if request.cookie || binder.is_some() {
        origin::check_cookie_wish(&headers, app.settings())?;
    }
    let name = request.device_name.as_deref();
    let mut answer = app.signin().session(&request.proof, binder, name, address).await?;
    let token = if request.cookie { answer.session.token.take() } else { None };
    let cookie = token.and_then(|token| cookie::set(&token.0, secure));
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    response.extensions_mut().insert(ShowsSecret);
    Ok(with_cookies(response, [cookie]))
}

/// List the providers that know one.
#[utoipa::path(
    get,
    path = "/v1/me/links",
    tag = "sign-in",
    responses((status = 200, body = List<Link>))
)]
async fn links(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Listing<Link>, ApiError> {
    let items = app.signin().links(&caller).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Link one's account with whom a sign-in was about.
#[utoipa::path(
    post,
    path = "/v1/me/links",
    tag = "sign-in",
    request_body = SignInProof,
    responses((status = 201, body = Link))
)]
async fn link(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(proof): Json<SignInProof>,
) -> Result<(StatusCode, Json<Link>), ApiError> {
    let binder = cookie::take(Jar::Binder, &headers, app.settings().secure());
    Ok((StatusCode::CREATED, Json(app.signin().link(&caller, &proof, binder).await?)))
}

/// End a link.
#[utoipa::path(
    delete,
    path = "/v1/me/links/{provider}",
    tag = "sign-in",
    params(("provider" = String, Path)),
    responses((status = 204))
)]
async fn unlink(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.signin().unlink(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn redirect<const N: usize>(url: &str, cookies: [Option<HeaderValue>; N]) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return ApiError::bad_request("The address to go to cannot be written.").into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    with_cookies((StatusCode::SEE_OTHER, headers).into_response(), cookies)
}

fn with_cookies<const N: usize>(
    mut response: Response,
    cookies: [Option<HeaderValue>; N],
) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

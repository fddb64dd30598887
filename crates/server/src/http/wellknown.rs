//! What others look for at fixed places: our keys, our OAuth endpoints, our people.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, Uri, header};
use tidings_domain::Scope;
use tidings_wire::account::Me;
use tidings_wire::signin::{
    AccessToken, AuthorizationServer, CreateAccessToken, Jrd, JrdLink, Jwks,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::device::DEVICE_GRANT;
use super::extract::Json;
use super::idempotency::ShowsSecret;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(jwks))
        .routes(routes!(metadata))
        .routes(routes!(webfinger))
        .routes(routes!(token))
}

/// Get a short-lived signed token for one's session, for this server or another service.
#[utoipa::path(
    post,
    path = "/v1/auth/token",
    tag = "sessions",
    request_body = CreateAccessToken,
    responses((status = 200, body = AccessToken))
)]
async fn token(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<CreateAccessToken>,
) -> Result<Response, ApiError> {
    let answer = app.access_tokens().create(&caller, &request).await?;
    let mut response = Json(answer).into_response();
    response.extensions_mut().insert(ShowsSecret);
    Ok(response)
}

/// The public keys of our tokens (RFC 7517).
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "discovery",
    security(()),
    responses((status = 200, body = Jwks, content_type = "application/jwk-set+json"))
)]
async fn jwks(State(app): State<App>) -> Result<Response, ApiError> {
    let keys = app.access_tokens().public().await?;
    Ok(public("application/jwk-set+json", Json(keys).into_response()))
}

/// What an OAuth client must know of us (RFC 8414).
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "discovery",
    security(()),
    responses((status = 200, body = AuthorizationServer))
)]
async fn metadata(State(app): State<App>) -> Response {
    let issuer = &app.settings().public_url;
    let at = |path: &str| format!("{issuer}{path}");
    let scopes = Scope::ALL.into_iter().map(|scope| scope.as_str().to_owned());
    let answer = AuthorizationServer {
        issuer: issuer.clone(),
        token_endpoint: at("/v1/oauth/token"),
        device_authorization_endpoint: at("/v1/oauth/device"),
        jwks_uri: at("/.well-known/jwks.json"),
        response_types_supported: Vec::new(),
        grant_types_supported: vec![DEVICE_GRANT.to_owned()],
        token_endpoint_auth_methods_supported: vec!["none".to_owned()],
        scopes_supported: scopes.collect(),
        service_documentation: at("/openapi.json"),
    };
    public("application/json", Json(answer).into_response())
}

/// Find somebody who wants to be found, as `acct:user@host` (RFC 7033).
#[utoipa::path(
    get,
    path = "/.well-known/webfinger",
    tag = "discovery",
    security(()),
    params(
        (
            "resource" = String,
            Query,
            pattern = "^[A-Za-z][A-Za-z0-9+.-]*:",
            description = "`acct:user@host`; exactly one."
        ),
        ("rel" = Option<Vec<String>>, Query, description = "Which links; all of them when absent.")
    ),
    responses((status = 200, body = Jrd, content_type = "application/jrd+json"))
)]
async fn webfinger(State(app): State<App>, uri: Uri) -> Result<Response, ApiError> {
    let query = uri.query().unwrap_or_default();
    let url = reqwest::Url::parse(&format!("http://form/?{query}"));
    let url = url.map_err(|_| ApiError::bad_request("The query cannot be read."))?;
    let all = |name: &str| -> Vec<String> {
        let pairs = url.query_pairs().filter(|(key, _)| key == name);
        pairs.map(|(_, value)| value.into_owned()).collect()
    };
    let [resource]: [String; 1] = all("resource").try_into().map_err(|_| {
        ApiError::bad_request("Name exactly one resource, such as acct:ana@example.org.")
    })?;
    let Some((scheme, rest)) = resource.split_once(':') else {
        return Err(ApiError::bad_request("The resource must be a URI, such as acct:ana@host."));
    };
    // RFC 7565: the host follows the last @.
    let (user, host) = match rest.rsplit_once('@') {
        Some(parts) if scheme.eq_ignore_ascii_case("acct") => parts,
        _ => return Err(ApiError::not_found()),
    };
    let found = app.accounts().discoverable(user, host).await?;
    let rels = all("rel");
    let mut answer = describe(&app, &found);
    answer.links.retain(|link| rels.is_empty() || rels.contains(&link.rel));
    Ok(public("application/jrd+json", Json(answer).into_response()))
}

fn describe(app: &App, user: &Me) -> Jrd {
    let settings = app.settings();
    let origin = &settings.public_url;
    let link = |rel: &str, path: String| JrdLink {
        rel: rel.to_owned(),
        kind: Some("application/json".to_owned()),
        href: format!("{origin}{path}"),
    };
    let mut properties = BTreeMap::new();
    let mut links = vec![
        link("self", format!("/v1/users/{}", user.id)),
        link("http://webfinger.net/rel/profile-page", format!("/v1/users/{}", user.id)),
    ];
    if let Some(identity) = &user.identity {
        properties.insert(format!("{origin}/rel/identity"), identity.clone());
        links.push(link(
            &format!("{origin}/rel/sigchain"),
            format!("/v1/identities/{identity}/chain"),
        ));
    }
    if let Some(avatar) = user.avatar {
        let avatar = format!("/v1/media/{avatar}");
        links.push(JrdLink {
            rel: "http://webfinger.net/rel/avatar".to_owned(),
            kind: None,
            href: format!("{origin}{avatar}"),
        });
    }
    let subject = format!("acct:{}@{}", user.username, settings.authority());
    Jrd { subject, aliases: Vec::new(), properties, links }
}

/// An answer that pages of every origin may read.
fn public(kind: &'static str, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    *response.status_mut() = StatusCode::OK;
    response
}

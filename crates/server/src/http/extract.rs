//! What handlers take from a request, each refused with a problem document.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tidings_wire::Code;

use super::trace::Connection;
use super::{BODY_MAX, forwarded, problem};
use crate::access::{Caller, scope};
use crate::app::App;
use crate::auth::{cookie, origin};
use crate::error::ApiError;

/// How long a body may take to arrive. A client that sends one byte a second holds a connection
/// and nothing else; this is when it loses that too.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body of at most 1 MiB, read or written.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(ApiError::new(
                Code::UnsupportedMediaType,
                "Send a JSON body with Content-Type: application/json.",
            ));
        }
        let bytes = read_body(body, BODY_MAX).await?;
        // A list would be read as the fields in their order, which no client means.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(ApiError::bad_request("The body must be a JSON object."));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| ApiError::bad_request(format!("The body cannot be read: {error}.")))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.to_ascii_lowercase().ends_with("+json"))
}

/// A whole body of at most `max` bytes.
pub(super) async fn read_body(body: Body, max: usize) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(BODY_PATIENCE, Limited::new(body, max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(problem::too_large(max)),
        Ok(Err(_)) => Err(ApiError::bad_request("The body broke off.")),
        Err(_) => Err(ApiError::bad_request("The body took too long to arrive.")),
    }
}

/// A query string.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match axum::extract::Query::from_request_parts(parts, app).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(error) => Err(ApiError::bad_request(format!("{}.", error.body_text()))),
        }
    }
}

/// The one variable part of a path. What cannot be an id names nothing: 404.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: FromStr> FromRequestParts<App> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let [first] = path_parts(parts, app).await?;
        Ok(Self(parse(&first)?))
    }
}

/// The two variable parts of a path.
#[derive(Debug, Clone)]
pub struct Path2<A, B>(pub A, pub B);

impl<A: FromStr, B: FromStr> FromRequestParts<App> for Path2<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let [first, second] = path_parts(parts, app).await?;
        Ok(Self(parse(&first)?, parse(&second)?))
    }
}

fn parse<T: FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

async fn path_parts<const N: usize>(parts: &mut Parts, app: &App) -> Result<[String; N], ApiError> {
    let found = RawPathParams::from_request_parts(parts, app).await;
    let found = found.map_err(|_| ApiError::not_found())?;
    let found: Vec<String> = found.iter().map(|(_, value)| value.to_owned()).collect();
    found.try_into().map_err(|_| ApiError::not_found())
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = authenticate(parts, app).await?;
        if caller.scopes().is_some() {
            let route = parts.extensions.get::<MatchedPath>();
            caller.admit(scope::need(&parts.method, route.map_or("", MatchedPath::as_str)))?;
        }
        Ok(caller)
    }
}

/// Who sends the request: a bearer token, or else a cookie that comes from our own pages.
pub(crate) async fn authenticate(parts: &Parts, app: &App) -> Result<Caller, ApiError> {
    if let Some(token) = bearer(&parts.headers) {
        let caller = app.sessions().authenticate(token).await?;
        return Ok(caller.at(Address::of(parts, app).0));
    }
    let settings = app.settings();
    let token = cookie::read(&parts.headers, settings.secure());
    let token = token.ok_or_else(ApiError::unauthorized)?;
    origin::check(&parts.method, &parts.headers, settings)?;
    let caller = app.sessions().authenticate(token).await?;
    Ok(caller.at(Address::of(parts, app).0))
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Where a request comes from, behind the operator's own proxies, as limits count it: an IPv4 address, or the /64 of an IPv6 one,
/// which is what one household has. `None` when there is no network in between.
#[derive(Debug, Clone, Copy)]
pub struct Address(pub Option<IpAddr>);

impl FromRequestParts<App> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &App,
    ) -> Result<Self, std::convert::Infallible> {
        Ok(Self::of(parts, app))
    }
}

impl Address {
    pub(super) fn of(parts: &Parts, app: &App) -> Self {
        let peer = parts.extensions.get::<Connection>().map(|connection| connection.peer.ip());
        let trusted = &app.settings().trusted_proxies;
        let client = peer.map(|peer| forwarded::client(peer, &parts.headers, trusted));
        Self(client.map(|ip| match ip {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
        }))
    }
}

/// A limit of a list, 1 to 200.
///
/// # Errors
/// `unprocessable` outside of that.
pub fn limit(asked: Option<u32>, default: usize) -> Result<usize, ApiError> {
    match asked {
        None => Ok(default),
        Some(limit @ 1..=200) => Ok(limit as usize),
        Some(_) => Err(ApiError::field("limit", "out_of_range", "must be 1 to 200")),
    }
}

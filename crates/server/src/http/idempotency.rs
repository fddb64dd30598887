//! `Idempotency-Key` on every POST: the same request under the same key is answered as before, for
//! 24 hours, without being done again.

use std::sync::PoisonError;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tidings_domain::UserId;
use tidings_storage::operation::StoredResponse;
use tidings_storage::{Change, Record};
use tidings_wire::Code;

use super::BODY_MAX;
use super::extract::{Address, authenticate, read_body};
use crate::app::App;
use crate::error::ApiError;

/// Marks a response that shows a secret: it is not stored, and a repeat is a conflict.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShowsSecret;

/// How long answers are kept, in seconds.
const LIFETIME_S: i64 = 24 * 3600;
/// Longest key, in characters.
const KEY_MAX: usize = 255;
/// Says that the answer is the one of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !is_taken(request.uri().path()) {
        return next.run(request).await;
    }
    match key(request.headers()).map(|key| key.map(str::to_owned)) {
        Ok(Some(key)) => {
            keyed(&app, &key, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        Ok(None) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Whether a POST to this path is answered as before under the same key. Imports are idempotent by
/// themselves, files are kept once however often they come, and both are too long to be held in
/// memory. Webhooks take the key for what the sender calls the delivery.
pub(super) fn is_taken(path: &str) -> bool {
    !["/v1/admin/imports", "/v1/media"].contains(&path) && !path.starts_with("/hook/")
}

/// The key under which a request may be repeated, 1 to 255 visible ASCII characters; `None` when it
/// has none.
///
/// # Errors
/// `bad_request` for what is no key.
pub fn key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > KEY_MAX {
        let detail = format!("Idempotency-Key has 1 to {KEY_MAX} visible ASCII characters.");
        return Err(ApiError::bad_request(detail));
    }
    Ok(Some(key))
}

/// Holds a key while its request is being answered.
struct Busy<'a>(&'a App, (UserId, [u8; 32]));

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy_keys().lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

async fn keyed(app: &App, key: &str, request: Request, next: Next) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    // Strangers are told apart by their address, so that none can ask for another's answer.
    let address = Address::of(&parts, app).0;
    let (user, whose) = match authenticate(&parts, app).await {
        Ok(caller) => (caller.user_id(), String::new()),
        Err(error) if error.code() == Code::Unauthorized => {
            (UserId::NIL, address.map(|address| address.to_string()).unwrap_or_default())
        }
        Err(other) => return Err(other),
    };
    let body = read_body(body, BODY_MAX).await?;
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let key = digest(&[b"key", whose.as_bytes(), path.as_bytes(), key.as_bytes()]);
    let asked = digest(&[b"POST", path.as_bytes(), &body]);

    let held = app.busy_keys().lock().unwrap_or_else(PoisonError::into_inner).insert((user, key));
    if !held {
        return Err(ApiError::conflict("A request with this key is being answered. Wait for it."));
    }
    let _busy = Busy(app, (user, key));
    let now = app.now();
    let there = app.store().response(user, &key).await?;
    if let Some(there) = there.filter(|there| now < there.expires_at) {
        return replay(there, asked);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    // What was refused or failed has changed nothing; doing it again is right.
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = read_body(body, usize::MAX).await?;
    let secret = parts.extensions.get::<ShowsSecret>().is_some()
        || parts.headers.contains_key(header::SET_COOKIE);
    let record = Record::PutResponse(StoredResponse {
        user_id: user,
        key,
        request: asked,
        status: parts.status.as_u16(),
        body: (!secret).then(|| body.to_vec()),
        expires_at: now.plus_seconds(LIFETIME_S),
    });
    app.commit(Change { records: vec![record], ..Change::default() }).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(there: StoredResponse, asked: [u8; 32]) -> Result<Response, ApiError> {
    if there.request != asked {
        return Err(ApiError::new(
            Code::IdempotencyMismatch,
            "Another request came under this Idempotency-Key. Use a new key for each request.",
        ));
    }
    let Some(body) = there.body else {
        return Err(ApiError::conflict(
            "This request was done, and its answer showed a secret that is not kept.",
        ));
    };
    let empty = body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(there.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    if !empty {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

//! Around every request: its trace id, its span, its figures, and the headers that every answer
//! carries.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use super::problem;
use crate::app::App;

/// The connection that a request came by. Whoever upgrades it keeps this value: it holds the
/// connection's place among those that the server allows at a time.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Who dialed.
    pub peer: SocketAddr,
    pub(crate) _place: Arc<OwnedSemaphorePermit>,
}

const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let trace_id =
        traceparent(request.headers()).unwrap_or_else(|| hex::encode(app.random::<16>()));
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("http.request", trace_id, %method, route);
    let began = app.clock().elapsed();
    let response = async {
        let response = problem::finish(next.run(request).await, &trace_id);
        let took = app.clock().elapsed().saturating_sub(began);
        let status = response.status().as_u16();
        tracing::debug!(status, micros = took.as_micros(), "answered");
        let labels = [("method", method.to_string()), ("route", route.clone())];
        metrics::histogram!("http_request_seconds", &labels).record(took.as_secs_f64());
        metrics::counter!(
            "http_requests_total",
            "method" => method.to_string(),
            "route" => route.clone(),
            "status" => status.to_string()
        )
        .increment(1);
        response
    };
    let mut response = response.instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert(TRACE_ID, value);
    }
    if app.settings().secure() {
        let value = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

/// Answers are data, never pages: nothing in them runs, frames, or is kept by a cache.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The trace id of a `traceparent` header (W3C Trace Context, section 3.2): 32 lowercase
/// hexadecimal digits, not all zero; `None` when it is not well-formed.
pub fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace_id, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let fine = hex(version, 2)
        && version != "ff"
        && hex(trace_id, 32)
        && trace_id.bytes().any(|b| b != b'0')
        && hex(parent, 16);
    fine.then(|| trace_id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_trace_ids_are_taken_over() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_static(text));
            traceparent(&headers)
        };
        let id = "0af7651916cd43dd8448eb211c80319c";
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(of(good).as_deref(), Some(id));
        for bad in [
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c",
            "",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}

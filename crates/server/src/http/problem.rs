//! Problem documents (RFC 9457) for everything that goes wrong, whoever says so.

use std::any::Any;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use tidings_wire::account::ChainConflict;
use tidings_wire::{Code, Problem};

use crate::error::ApiError;

/// The media type of problem documents.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Marks a refusal that is not a problem document because its reader expects other words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verbatim;

impl IntoResponse for ApiError {
    /// Only status and headers: the body is written by `finish`, which knows the trace id.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code().status());
        let mut response = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code() == Code::Unauthorized {
            // RFC 9110, section 11.6.1: a 401 names what would be accepted.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem document of a response that is one, ours or the framework's.
pub(super) fn finish(mut response: Response, trace_id: &str) -> Response {
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None if response.extensions().get::<Verbatim>().is_some() => return response,
        None => match foreign(&response) {
            Some(error) => error,
            None => return response,
        },
    };
    if response.status().is_server_error() {
        let cause = std::error::Error::source(&error).map(chain).unwrap_or_default();
        tracing::error!(code = error.code().as_str(), cause, "a request failed");
    }
    let code = error.code();
    let problem = Problem {
        kind: format!("about:blank#{code}"),
        title: code.title().to_owned(),
        status: response.status().as_u16(),
        code,
        detail: error.detail().to_owned(),
        trace_id: trace_id.to_owned(),
        errors: error.errors().to_vec(),
    };
    let body = match error.head().cloned() {
        Some(head) => serde_json::to_vec(&ChainConflict { problem, head }),
        None => serde_json::to_vec(&problem),
    };
    let body = body.unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, PROBLEM);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
    response
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// What the framework refused by itself.
fn foreign(response: &Response) -> Option<ApiError> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    Some(match status {
        StatusCode::NOT_FOUND => ApiError::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => ApiError::new(
            Code::MethodNotAllowed,
            "This path does not know this method; see the Allow header.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => too_large(super::BODY_MAX),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(Code::UnsupportedMediaType, "Send application/json.")
        }
        status if status.is_client_error() => ApiError::bad_request("The request cannot be read."),
        _ => ApiError::new(Code::Internal, "Something went wrong here."),
    })
}

/// A body with too many bytes.
pub(super) fn too_large(max: usize) -> ApiError {
    ApiError::new(Code::TooLarge, format!("A request body has at most {max} bytes here."))
}

/// A handler panicked: a defect of ours, which ends this request and nothing else.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the box over")]
pub(super) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    #[derive(Debug, thiserror::Error)]
    #[error("a handler panicked: {0}")]
    struct Panicked(String);
    let text = cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    ApiError::internal(Panicked(text)).into_response()
}

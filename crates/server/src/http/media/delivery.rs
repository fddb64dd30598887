//! How a file goes out: never as something that runs.

use std::ops::Range;

use axum::body::Body;
use axum::response::Response;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tidings_domain::Media;
use tidings_wire::Code;

use super::names::{disposition, text};
use super::range::{Asked, asked};
use crate::app::media::Thumb;
use crate::blobs::ByteStream;
use crate::error::ApiError;

/// Whatever a file holds, a browser that opens it gives it no script, no form, no frame and no
/// part of our origin.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
/// The bytes under an id never change; only who may see them does.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// A file on its way out.
pub(super) struct Delivery {
    kind: HeaderValue,
    disposition: HeaderValue,
    tag: String,
    length: u64,
}

impl Delivery {
    /// The file as it was uploaded.
    pub(super) fn of_file(media: &Media) -> Self {
        let inline = is_shown(&media.content_type);
        let kind = match media.content_type.as_str() {
            // Nothing opens these under their own names.
            "text/html" | "text/xml" | "image/svg+xml" => "application/octet-stream".to_owned(),
            kind if kind.starts_with("text/") => format!("{kind}; charset=utf-8"),
            kind => kind.to_owned(),
        };
        let octets = HeaderValue::from_static("application/octet-stream");
        Self {
            kind: HeaderValue::from_str(&kind).unwrap_or(octets),
            disposition: disposition(inline, &media.filename),
            tag: format!("\"{}\"", hex::encode(media.sha256)),
            length: media.size,
        }
    }

    /// A smaller picture of the file.
    pub(super) fn of_thumb(media: &Media, thumb: &Thumb) -> Self {
        Self {
            kind: HeaderValue::from_static(thumb.content_type),
            disposition: disposition(true, &media.filename),
            tag: format!("\"{}-w{}\"", hex::encode(media.sha256), thumb.width),
            length: thumb.bytes.len() as u64,
        }
    }

    /// The answer to a GET or HEAD; `open` reads a part of the bytes.
    pub(super) async fn answer(
        self,
        method: &Method,
        headers: &HeaderMap,
        open: impl AsyncFnOnce(Range<u64>) -> Result<ByteStream, ApiError>,
    ) -> Result<Response, ApiError> {
        if matches(&text(headers, header::IF_NONE_MATCH.as_str()), &self.tag) {
            return Ok(self.head(StatusCode::NOT_MODIFIED, Body::empty()));
        }
        // A part of another version than the one at hand would fit to nothing.
        let same =
            headers.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == self.tag.as_bytes());
        let wanted = text(headers, header::RANGE.as_str());
        let asked = if same { asked(&wanted, self.length) } else { Asked::All };
        let (status, range) = match asked {
            Asked::All => (StatusCode::OK, 0..self.length),
            Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
            Asked::Nothing => return Ok(self.unsatisfiable()),
        };
        let body = if *method == Method::HEAD {
            Body::empty()
        } else {
            Body::from_stream(open(range.clone()).await?.map(|piece: super::Piece| piece))
        };
        let length = self.length;
        let mut response = self.head(status, body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        if status == StatusCode::PARTIAL_CONTENT {
            let text = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(header::CONTENT_RANGE, value);
            }
        }
        Ok(response)
    }

    fn head(self, status: StatusCode, body: Body) -> Response {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.kind);
        headers.insert(header::CONTENT_DISPOSITION, self.disposition);
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(header::CACHE_CONTROL, CACHE);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    fn unsatisfiable(&self) -> Response {
        use axum::response::IntoResponse as _;
        let detail = format!("The file has {} bytes.", self.length);
        let mut response = ApiError::new(Code::RangeNotSatisfiable, detail).into_response();
        if let Ok(value) = HeaderValue::from_str(&format!("bytes */{}", self.length)) {
            response.headers_mut().insert(header::CONTENT_RANGE, value);
        }
        response
    }
}

/// Whether browsers show it without running anything; everything else is saved.
fn is_shown(kind: &str) -> bool {
    let picture = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
    picture.contains(&kind)
        || kind.starts_with("audio/")
        || kind.starts_with("video/")
        || kind == "text/plain"
}

/// Whether `If-None-Match` names the tag (weak comparison, RFC 9110, section 13.1.2).
fn matches(header: &str, tag: &str) -> bool {
    let mut tags = header.split(',').map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_one_by_one() {
        for (header, known) in [
            ("\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(matches(header, "\"a\""), known, "{header}");
        }
    }

    #[test]
    fn what_could_run_is_saved() {
        for kind in ["text/html", "image/svg+xml", "text/xml", "application/pdf", "text/csv"] {
            assert!(!is_shown(kind), "{kind}");
        }
    }
}

//! Bodies as forms, which OAuth uses.

use axum::body::Body;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use tidings_wire::Code;

use super::extract::read_body;
use crate::error::ApiError;

/// Most bytes of a form of ours.
const FORM_MAX: usize = 16 << 10;

/// Reads a form; of a field that comes twice nothing is believed (RFC 6749, section 3.1).
pub(super) async fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
) -> Result<T, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(ApiError::new(
            Code::UnsupportedMediaType,
            "Send a form with Content-Type: application/x-www-form-urlencoded.",
        ));
    }
    let bytes = read_body(body, FORM_MAX).await?;
    let unreadable = || ApiError::bad_request("The form cannot be read.");
    let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('#'));
    let url = text.and_then(|text| reqwest::Url::parse(&format!("http://form/?{text}")).ok());
    let url = url.ok_or_else(unreadable)?;
    let mut fields = serde_json::Map::new();
    for (name, value) in url.query_pairs() {
        if fields.insert(name.into_owned(), value.into_owned().into()).is_some() {
            return Err(ApiError::bad_request("A field of the form comes twice."));
        }
    }
    serde_json::from_value(fields.into())
        .map_err(|error| ApiError::bad_request(format!("The form cannot be read: {error}.")))
}

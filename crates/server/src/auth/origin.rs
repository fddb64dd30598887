//! Where a request comes from: browsers say so, and nobody else sends cookies.

use http::{HeaderMap, Method, header};

use crate::error::ApiError;
use crate::settings::Settings;

/// Checks a request that is authenticated by cookie: a page of another origin must not write, nor
/// open a stream, in the name of whoever looks at it. Reads need no check: their answers stay with
/// the browser, and no GET has effects.
///
/// # Errors
/// `forbidden` when the request comes from elsewhere, or does not say where it comes from.
pub fn check(method: &Method, headers: &HeaderMap, settings: &Settings) -> Result<(), ApiError> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    check_upgrade(headers, settings)
}

/// As [`check`], for SSE and WebSocket upgrades, which are GETs but hand out events.
///
/// # Errors
/// As [`check`].
pub fn check_upgrade(headers: &HeaderMap, settings: &Settings) -> Result<(), ApiError> {
    if named(headers, settings) == Some(true) { Ok(()) } else { Err(foreign()) }
}

/// Checks a request that asks for a cookie: who says where it comes from must come from here, so
/// that no page logs its visitors in as somebody else.
///
/// # Errors
/// `forbidden` when the request comes from elsewhere.
pub fn check_cookie_wish(headers: &HeaderMap, settings: &Settings) -> Result<(), ApiError> {
    if named(headers, settings) == Some(false) { Err(foreign()) } else { Ok(()) }
}

fn foreign() -> ApiError {
    ApiError::forbidden("This request comes from another site, so its cookie does not count.")
}

/// Whether the request says that it comes from here; `None` when it does not say anything.
fn named(headers: &HeaderMap, settings: &Settings) -> Option<bool> {
    let site = headers.get("sec-fetch-site");
    let origin = headers.get(header::ORIGIN);
    let site = site.map(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    let origin =
        origin.map(|origin| origin.to_str().is_ok_and(|origin| accepted(origin, settings)));
    match (site, origin) {
        (None, None) => None,
        (site, origin) => Some(site.unwrap_or(true) && origin.unwrap_or(true)),
    }
}

/// Whether an origin is one of ours: the public one, a listen address, or its localhost forms.
/// The `Host` header is never asked: whoever dials chooses it.
pub fn accepted(origin: &str, settings: &Settings) -> bool {
    settings.origins.iter().any(|ours| ours.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn writes_with_a_cookie_must_come_from_here() {
        let settings = Settings::new("https://chat.example.org");
        let ours = ("origin", "https://chat.example.org");
        let theirs = ("origin", "https://evil.example.org");
        let same = ("sec-fetch-site", "same-origin");
        let sibling = ("sec-fetch-site", "same-site");
        for (pairs, fine) in [
            (vec![ours], true),
            (vec![same], true),
            (vec![ours, same], true),
            (vec![theirs], false),
            (vec![theirs, same], false),
            (vec![ours, sibling], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("origin", "null")], false),
            (vec![], false),
        ] {
            let headers = headers(&pairs);
            assert_eq!(check(&Method::POST, &headers, &settings).is_ok(), fine, "{pairs:?}");
            assert_eq!(check_upgrade(&headers, &settings).is_ok(), fine, "{pairs:?}");
            assert!(check(&Method::GET, &headers, &settings).is_ok());
            let wish = check_cookie_wish(&headers, &settings).is_ok();
            assert_eq!(wish, fine || pairs.is_empty(), "{pairs:?}");
        }
    }
}

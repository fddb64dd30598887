//! The session cookie of browsers.

use http::{HeaderMap, HeaderValue, header};

/// Browsers may keep the cookie for 400 days at most; the session itself ends long before
/// (RFC 6265bis, section 5.5). The server decides, so the cookie need not be renewed.
const MAX_AGE_S: u32 = 400 * 24 * 3600;

/// The cookie's name. Under TLS the prefix binds it to this host (RFC 6265bis, section 4.1.3.2).
pub const fn name(secure: bool) -> &'static str {
    if secure { "__Host-tidings_session" } else { "tidings_session" }
}

/// `Set-Cookie` of a new session.
pub(crate) fn set(token: &str, secure: bool) -> Option<HeaderValue> {
    write(token, MAX_AGE_S, secure)
}

/// `Set-Cookie` that takes the session away.
pub(crate) fn clear(secure: bool) -> Option<HeaderValue> {
    write("", 0, secure)
}

fn write(value: &str, max_age_s: u32, secure: bool) -> Option<HeaderValue> {
    write_to(name(secure), value, max_age_s, secure)
}

fn write_to(name: &str, value: &str, max_age_s: u32, secure: bool) -> Option<HeaderValue> {
    let tail = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{tail}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What browsers keep for the few minutes of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jar {
    /// The sealed flow, until the provider has answered.
    Flow,
    /// What shows that a ticket is this browser's.
    Binder,
}

impl Jar {
    const fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Flow, true) => "__Host-tidings_sign_in",
            (Self::Flow, false) => "tidings_sign_in",
            (Self::Binder, true) => "__Host-tidings_ticket",
            (Self::Binder, false) => "tidings_ticket",
        }
    }
}

/// `Set-Cookie` of a jar, for 15 minutes: it travels along when the provider sends the browser back,
/// and with nothing else from elsewhere (`Lax`).
pub(crate) fn put(jar: Jar, value: &str, secure: bool) -> Option<HeaderValue> {
    write_to(jar.name(secure), value, 900, secure)
}

/// `Set-Cookie` that empties a jar.
pub(crate) fn empty(jar: Jar, secure: bool) -> Option<HeaderValue> {
    write_to(jar.name(secure), "", 0, secure)
}

/// What is in a jar of a request.
pub(crate) fn take(jar: Jar, headers: &HeaderMap, secure: bool) -> Option<&str> {
    read_from(jar.name(secure), headers)
}

/// The token in a request's cookies.
pub fn read(headers: &HeaderMap, secure: bool) -> Option<&str> {
    read_from(name(secure), headers)
}

fn read_from<'a>(name: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_tls_the_cookie_is_bound_to_the_host() {
        let value = set("AAAA", true).unwrap();
        assert!(value.is_sensitive());
        let value = value.to_str().unwrap();
        assert!(value.starts_with("__Host-tidings_session=AAAA"), "{value}");
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(value.contains(part), "{value}");
        }
        assert!(!set("AAAA", false).unwrap().to_str().unwrap().contains("Secure"));
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; xtidings_session=no"));
        headers.append(header::COOKIE, HeaderValue::from_static("c; tidings_session=yes ;d=e"));
        assert_eq!(read(&headers, false), Some("yes"));
        assert_eq!(read(&headers, true), None);
    }
}

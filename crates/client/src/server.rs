//! Which server is meant: the origin that a person typed and that signatures are bound to.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// The origin of a server, `scheme://host[:port]`, without path, query or credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// `scheme://host[:port]`, in lower case and without a default port: what is signed.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// `host[:port]`: what stands after the `@` of a handle.
    pub fn authority(&self) -> String {
        let origin = self.origin();
        origin.split_once("://").map_or_else(|| origin.clone(), |(_, rest)| rest.to_owned())
    }

    /// Whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address of a path; every segment is percent-encoded as needed.
    pub(crate) fn path(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // Only an address that cannot be a base has no segments, and `from_str` refuses those.
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }

    /// The address of a path and query as a person typed them; `None` when they would leave this
    /// origin.
    pub(crate) fn join(&self, path: &str) -> Option<Url> {
        let url = self.0.join(path).ok()?;
        (path.starts_with('/') && url.origin() == self.0.origin()).then_some(url)
    }

    /// The address of the WebSocket endpoint.
    pub(crate) fn web_socket(&self) -> String {
        let scheme = if self.is_tls() { "wss" } else { "ws" };
        format!("{scheme}://{}/v1/ws", self.authority())
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerUrlError {
    /// It does not begin with a scheme that we speak.
    #[error("a server's address begins with http:// or https://")]
    Scheme,
    /// It is not an address at all.
    #[error("this is not an address; one looks like https://chat.example.org")]
    Invalid,
    /// There is more than scheme, host and port.
    #[error("a server's address has a host and perhaps a port, but no path, query or password")]
    Extra,
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(ServerUrlError::Scheme);
        }
        let url = Url::parse(text).map_err(|_| ServerUrlError::Invalid)?;
        if url.host_str().is_none() || url.cannot_be_a_base() {
            return Err(ServerUrlError::Invalid);
        }
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if bare { Ok(Self(url)) } else { Err(ServerUrlError::Extra) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_origins() {
        for (text, origin, authority) in [
            ("http://127.0.0.1:8420", "http://127.0.0.1:8420", "127.0.0.1:8420"),
            ("https://Chat.Example.org/", "https://chat.example.org", "chat.example.org"),
            ("https://chat.example.org:443", "https://chat.example.org", "chat.example.org"),
            ("http://[::1]:8420/", "http://[::1]:8420", "[::1]:8420"),
        ] {
            let server: ServerUrl = text.parse().unwrap();
            assert_eq!(
                (server.origin().as_str(), server.authority().as_str()),
                (origin, authority)
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for (text, error) in [
            ("chat.example.org", ServerUrlError::Scheme),
            ("localhost:8420", ServerUrlError::Scheme),
            ("ftp://x", ServerUrlError::Scheme),
            ("", ServerUrlError::Scheme),
            ("https://", ServerUrlError::Invalid),
            ("https://x/chat", ServerUrlError::Extra),
            ("https://me:pw@x", ServerUrlError::Extra),
            ("https://x?y", ServerUrlError::Extra),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(error), "{text}");
        }
    }

    #[test]
    fn segments_cannot_escape_their_place() {
        let server: ServerUrl = "http://h".parse().unwrap();
        let url = server.path(&["v1", "invites", "../me?x#y/z"]);
        assert_eq!(url.as_str(), "http://h/v1/invites/..%2Fme%3Fx%23y%2Fz");
        assert_eq!(
            server.join("/v1/me?x=1").map(String::from).as_deref(),
            Some("http://h/v1/me?x=1")
        );
        for bad in ["v1/me", "//evil/v1", "http://evil/", ""] {
            assert_eq!(server.join(bad), None, "{bad}");
        }
    }
}

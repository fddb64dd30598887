//! One sign-in on its way: what a browser carries to the provider and back, and what it has after.
//!
//! Both are sealed by the server and kept by the browser, so a flood of beginnings fills no table.
//! That each works only once is kept by the writer when it is used.

use std::fmt;

use serde::{Deserialize, Serialize};
use tidings_domain::Timestamp;

use super::provider::Somebody;

/// How long a sign-in may take, in seconds: time for a password and a second factor.
pub const LIFETIME_S: i64 = 600;
/// How long its outcome may be used, in seconds: time to choose a username and to write down a
/// recovery phrase.
pub const TICKET_S: i64 = 900;

/// What a browser wants at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// To be logged in.
    #[default]
    SignIn,
    /// A ticket, whatever it is for: to link, or to register.
    Ticket,
}

/// Where the browser goes in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Return {
    /// To a page that says how it went.
    Here,
    /// To a path of ours.
    Path(String),
    /// To a program on the same machine (RFC 8252, section 7.3), with what that program gave as
    /// `state`, and the S256 challenge of the verifier that it will show (RFC 7636).
    Loopback {
        /// `http://127.0.0.1:PORT/…`
        uri: String,
        /// Echoed.
        state: String,
        /// base64url of SHA-256 of the verifier.
        challenge: String,
    },
}

/// What the cookie of a sign-in holds until the provider has answered.
#[derive(Clone, Serialize, Deserialize)]
pub struct Flow {
    /// Names it for the writer.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// What must come back.
    pub state: String,
    /// What must stand in the ID token.
    pub nonce: String,
    /// The PKCE verifier towards the provider.
    pub verifier: String,
    /// What the browser wants.
    pub intent: Intent,
    /// Where it goes.
    pub back: Return,
    /// Milliseconds since 1970 when it ends.
    pub expires_at: i64,
}

/// Who may use a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bind {
    /// Whoever has the verifier of this S256 challenge.
    Challenge(String),
    /// The browser whose cookie has this.
    Browser(String),
}

/// Says that a provider knows somebody: the outcome of a sign-in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Ticket {
    /// Names it for the writer.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// Whom the provider knows.
    pub somebody: Somebody,
    /// Who may use it.
    pub bind: Bind,
    /// Milliseconds since 1970 when it ends.
    pub expires_at: i64,
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl Flow {
    /// Whether it may still be used.
    pub const fn is_alive(&self, now: Timestamp) -> bool {
        now.0 < self.expires_at
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl Ticket {
    /// Whether it may still be used.
    pub const fn is_alive(&self, now: Timestamp) -> bool {
        now.0 < self.expires_at
    }
}

/// Whether an address is a program's on the same machine, as RFC 8252 has it: plain HTTP, an address
/// of loopback (no name, which could lead elsewhere), a port.
pub fn is_loopback(uri: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(uri) else { return false };
    url.scheme() == "http"
        && matches!(url.host_str(), Some("127.0.0.1" | "[::1]"))
        && url.port().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// Whether a path stays on this server: neither another host (`//`) nor what browsers make one
/// (`/\`).
pub fn is_own_path(path: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_loopback() {
        for (uri, fine) in [
            ("http://127.0.0.1:4000/done", true),
            ("http://[::1]:4000/", true),
            ("https://127.0.0.1:4000/", false),
            ("http://127.0.0.1/", false),
            ("http://localhost:4000/", false),
            ("http://127.0.0.1.evil.example:4000/", false),
            ("http://evil@127.0.0.1:4000/", false),
            ("http://127.0.0.1:4000/?a=b", false),
            ("http://127.0.0.1:4000/#a", false),
            ("http://10.0.0.1:4000/", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(uri), fine, "{uri}");
        }
    }

    #[test]
    fn paths_lead_nowhere_else() {
        for (path, fine) in [
            ("/", true),
            ("/app/sign-in", true),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example", false),
            ("/a?b", false),
            ("/a#b", false),
            ("/a\r\nb", false),
            ("", false),
        ] {
            assert_eq!(is_own_path(path), fine, "{path}");
        }
    }
}

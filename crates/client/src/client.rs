//! The handle to one server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tidings_wire::account::Secret;

use crate::error::ClientError;
use crate::request::Request;
use crate::server::ServerUrl;

/// How long connecting may take: three retransmissions of the first packet fit (1 + 2 + 4 s), and
/// a person still waits for it.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next request: less than the 30 seconds after which servers
/// close it, so that no request is written into one that is being closed.
const IDLE: Duration = Duration::from_secs(15);

/// A connection pool to one server, with a session token once logged in. Clones share the pool.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    tls: Arc<ClientConfig>,
    server: ServerUrl,
    token: Option<Secret>,
}

impl Client {
    /// Prepares to speak to `server`; connects with the first request.
    ///
    /// Fails with [`ClientError::Tls`] when `server` is `https` and the operating system has no
    /// certificates to trust.
    pub fn new(server: ServerUrl) -> Result<Self, ClientError> {
        let tls = tls_config(&server)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&tls))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE)
            // A redirect to elsewhere would carry the token with it, and no route of ours has one.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ClientError::Protocol {
                server: server.origin(),
                status: None,
                why: error.to_string(),
            })?;
        Ok(Self { http, tls, server, token: None })
    }

    /// The same client, acting for the session that `token` belongs to.
    #[must_use]
    pub fn with_token(self, token: Secret) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The server.
    pub const fn server(&self) -> &ServerUrl {
        &self.server
    }

    pub(crate) const fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    pub(crate) const fn tls(&self) -> &Arc<ClientConfig> {
        &self.tls
    }

    pub(crate) fn get(&self, path: &[&str]) -> Request<'_> {
        self.request(http::Method::GET, path)
    }

    pub(crate) fn post(&self, path: &[&str]) -> Request<'_> {
        self.request(http::Method::POST, path)
    }

    pub(crate) fn put(&self, path: &[&str]) -> Request<'_> {
        self.request(http::Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &[&str]) -> Request<'_> {
        self.request(http::Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &[&str]) -> Request<'_> {
        self.request(http::Method::DELETE, path)
    }

    fn request(&self, method: http::Method, path: &[&str]) -> Request<'_> {
        Request::new(self, self.http.request(method, self.server.path(path)))
    }

    /// A request to a path with its query as a person wrote it; `None` when the path does not
    /// begin with `/` or leads to another server.
    pub(crate) fn request_to(&self, method: http::Method, path: &str) -> Option<Request<'_>> {
        let url = self.server.join(path)?;
        Some(Request::new(self, self.http.request(method, url)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.server)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// One configuration for HTTP and WebSocket, so that both trust the same certificates: those of
/// the operating system, where a company's own authority is installed. For `http` it stays empty,
/// because a machine without any certificates must still reach a server on loopback.
fn tls_config(server: &ServerUrl) -> Result<Arc<ClientConfig>, ClientError> {
    let failed =
        |error: rustls::Error| ClientError::Tls { server: server.origin(), why: error.to_string() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = if server.is_tls() {
        builder.with_platform_verifier().map_err(failed)?
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty())
    };
    Ok(Arc::new(builder.with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_does_not_show_in_debug() {
        let client = Client::new("http://localhost".parse().unwrap()).unwrap();
        let shown = format!("{:?}", client.with_token(Secret("abc".to_owned())));
        assert!(shown.contains("[redacted]") && !shown.contains("abc"), "{shown}");
    }
}

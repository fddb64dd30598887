//! Discovery, health, and requests that have no method here.

use tidings_wire::Code;
use tidings_wire::discovery::{Discovery, Readiness};

use crate::client::Client;
use crate::error::ClientError;
pub use crate::request::RawAnswer;

impl Client {
    /// What the server says about itself: `GET /.well-known/tidings`.
    ///
    /// Fails with [`ClientError::Protocol`] when something else answers under this address.
    pub async fn discover(&self) -> Result<Discovery, ClientError> {
        let why = "there is nothing of Tidings at /.well-known/tidings".to_owned();
        let status = match self.get(&[".well-known", "tidings"]).read().await {
            Err(ClientError::Protocol { status, .. }) if status.is_none_or(|code| code < 500) => {
                status
            }
            Err(ClientError::Problem { problem, .. }) if problem.code == Code::NotFound => {
                Some(404)
            }
            answer => return answer,
        };
        Err(ClientError::Protocol { server: self.server().origin(), status, why })
    }

    /// Whether the process lives: `GET /healthz`.
    pub async fn health(&self) -> Result<(), ClientError> {
        self.get(&["healthz"]).done().await
    }

    /// Whether every part that the server needs answers: `GET /readyz`. A server that is not ready
    /// answers too, with `ready: false`.
    pub async fn readiness(&self) -> Result<Readiness, ClientError> {
        let answer = self.get(&["readyz"]).raw().await?;
        serde_json::from_slice(&answer.body).map_err(|error| ClientError::Protocol {
            server: self.server().origin(),
            status: Some(answer.status),
            why: format!("its readiness cannot be read ({error})"),
        })
    }

    /// The server's metrics in the text format of Prometheus: `GET /metrics`.
    pub async fn metrics(&self) -> Result<Vec<u8>, ClientError> {
        self.get(&["metrics"]).bytes().await
    }

    /// The API's description in `OpenAPI` 3.1, as JSON: `GET /openapi.json`.
    pub async fn openapi(&self) -> Result<Vec<u8>, ClientError> {
        self.get(&["openapi.json"]).bytes().await
    }

    /// Any request with the session's token, for what has no method here. `path` begins with `/`
    /// and may have a query; `body` is sent as JSON. Refusals are answers, not errors.
    ///
    /// Fails with [`ClientError::Protocol`] when `path` would leave the server.
    pub async fn raw(
        &self,
        method: http::Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<RawAnswer, ClientError> {
        let Some(request) = self.request_to(method, path) else {
            return Err(ClientError::Protocol {
                server: self.server().origin(),
                status: None,
                why: format!("{path} is no path of it; a path begins with a single /"),
            });
        };
        match body {
            Some(body) => request.body("application/json", body).raw().await,
            None => request.raw().await,
        }
    }
}

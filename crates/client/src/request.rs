//! One request and its answer: the only place that reads HTTP answers.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tidings_wire::Problem;

use crate::client::Client;
use crate::error::ClientError;

/// How long an answer may take: the server gives up on its database far sooner, and longer than
/// this a person takes it for broken.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Most bytes of an answer: a page of 1,000 events of 16,000 characters, each of four bytes and
/// twice (Markdown and HTML), with room to spare.
const ANSWER_MAX: usize = 192 << 20;

/// A request on its way.
pub(crate) struct Request<'a> {
    client: &'a Client,
    builder: reqwest::RequestBuilder,
    timeout: Duration,
}

/// A raw answer: what `tidings api` shows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RawAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came, at most 192 MiB.
    pub body: Vec<u8>,
    /// The problem, when the body is one.
    pub problem: Option<Problem>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(client: &'a Client, builder: reqwest::RequestBuilder) -> Self {
        let builder = match client.token() {
            Some(token) => builder.bearer_auth(&token.0),
            None => builder,
        };
        Self { client, builder, timeout: ANSWER_TIMEOUT }
    }

    pub(crate) fn query(mut self, name: &str, value: impl Serialize) -> Self {
        self.builder = self.builder.query(&[(name, value)]);
        self
    }

    /// Adds a query parameter, or nothing for `None`.
    pub(crate) fn query_some(self, name: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        self.builder = self.builder.json(body);
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.builder = self.builder.header(http::header::CONTENT_TYPE, content_type).body(body);
        self
    }

    /// A body that is read while it is sent.
    pub(crate) fn streamed(mut self, body: reqwest::Body) -> Self {
        self.builder = self.builder.body(body);
        self
    }

    pub(crate) fn header(mut self, name: http::HeaderName, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub(crate) const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends it and reads the answer as `T`.
    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let server = self.client.server().origin();
        let (status, body) = self.accepted().await?;
        serde_json::from_slice(&body).map_err(|error| ClientError::Protocol {
            server,
            status: Some(status),
            why: format!("its answer cannot be read ({error})"),
        })
    }

    /// Sends it; any success will do, whatever it says.
    pub(crate) async fn done(self) -> Result<(), ClientError> {
        self.accepted().await.map(drop)
    }

    /// Sends it and gives the body of a success as it is.
    pub(crate) async fn bytes(self) -> Result<Vec<u8>, ClientError> {
        self.accepted().await.map(|(_, body)| body)
    }

    /// Sends it and gives the answer as it is, refusals too.
    pub(crate) async fn raw(self) -> Result<RawAnswer, ClientError> {
        let timeout = self.timeout;
        let client = self.client;
        let response = self.start(Some(timeout)).await?;
        let status = response.status().as_u16();
        let body = body_of(client, timeout, response).await?;
        let problem = if status >= 400 { serde_json::from_slice(&body).ok() } else { None };
        Ok(RawAnswer { status, body, problem })
    }

    /// Sends it and hands over a success as soon as its head is there; the body may last forever.
    pub(crate) async fn stream(self) -> Result<reqwest::Response, ClientError> {
        let (client, timeout) = (self.client, self.timeout);
        let server = client.server().origin();
        let response = tokio::time::timeout(timeout, self.start(None))
            .await
            .map_err(|_| ClientError::Timeout { server, seconds: timeout.as_secs() })??;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(client, timeout, response).await)
    }

    async fn accepted(self) -> Result<(u16, Vec<u8>), ClientError> {
        let (client, timeout) = (self.client, self.timeout);
        let response = self.start(Some(timeout)).await?;
        if response.status().is_success() {
            let status = response.status().as_u16();
            return Ok((status, body_of(client, timeout, response).await?));
        }
        Err(refusal(client, timeout, response).await)
    }

    async fn start(self, timeout: Option<Duration>) -> Result<reqwest::Response, ClientError> {
        let builder = match timeout {
            Some(timeout) => self.builder.timeout(timeout),
            None => self.builder,
        };
        builder.send().await.map_err(|error| {
            ClientError::from_reqwest(&self.client.server().origin(), self.timeout, &error)
        })
    }
}

async fn body_of(
    client: &Client,
    timeout: Duration,
    mut response: reqwest::Response,
) -> Result<Vec<u8>, ClientError> {
    let server = client.server().origin();
    let mut body = Vec::new();
    loop {
        let chunk = response
            .chunk()
            .await
            .map_err(|error| ClientError::from_reqwest(&server, timeout, &error))?;
        let Some(chunk) = chunk else { return Ok(body) };
        if body.len() + chunk.len() > ANSWER_MAX {
            let status = Some(response.status().as_u16());
            let why = format!("its answer has more than {ANSWER_MAX} bytes");
            return Err(ClientError::Protocol { server, status, why });
        }
        body.extend_from_slice(&chunk);
    }
}

/// Turns an answer that is no success into an error.
async fn refusal(client: &Client, timeout: Duration, response: reqwest::Response) -> ClientError {
    let server = client.server().origin();
    let status = response.status();
    let header = |name| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    if status.is_redirection() {
        let target = header(http::header::LOCATION).unwrap_or_default();
        let why = format!("it points to {target} instead");
        return ClientError::Protocol { server, status: Some(status.as_u16()), why };
    }
    let retry_after = header(http::header::RETRY_AFTER)
        .and_then(|seconds| seconds.parse().ok())
        .map(Duration::from_secs);
    let body = match body_of(client, timeout, response).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ClientError::Problem { problem: Box::new(problem), retry_after },
        Err(_) => ClientError::Protocol {
            server,
            status: Some(status.as_u16()),
            why: format!("it answered {status} without saying why"),
        },
    }
}

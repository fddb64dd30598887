//! Signing in through a provider, and logging terminals in from elsewhere.
//!
//! A browser does what a person must see; a program on the same machine waits for it on loopback
//! (RFC 8252), and shows in the end that it was the one who asked (RFC 7636).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tidings_wire::List;
use tidings_wire::account::Secret;
use tidings_wire::signin::{
    AccessToken, CreateAccessToken, DeviceAuthorization, DeviceRequest, Jwks, Link, OauthError,
    Provider, PutProvider, SignIn, SignInProof, SignedIn, TicketInfo, TokenAnswer,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::client::Client;
use crate::error::ClientError;

/// How long a browser is waited for: as long as the server keeps a sign-in.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long one connection of a browser may take to say what it wants.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest head of a request that a browser sends here, in bytes.
const HEAD_MAX: usize = 32 << 10;
/// What the grant is called (RFC 8628, section 3.4).
const DEVICE_GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";

/// A sign-in that a browser is to do, and a listener that it comes back to.
#[derive(Debug)]
pub struct BrowserSignIn {
    listener: TcpListener,
    url: String,
    state: String,
    verifier: Secret,
    server: String,
}

/// What became of a terminal's wish to be logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Polled {
    /// It is.
    LoggedIn(Box<TokenAnswer>),
    /// Nobody has answered yet; ask again after the interval.
    Pending,
    /// Too soon; from now on the interval is five seconds longer.
    SlowDown,
    /// Somebody said no.
    Denied,
    /// Nobody answered in time.
    Expired,
}

impl Client {
    /// Prepares a sign-in through a provider. `secrets` are 64 random bytes: the first half comes
    /// back with the browser, the other shows in the end who had asked.
    pub async fn browser_sign_in(
        &self,
        provider: &str,
        secrets: &[u8; 64],
    ) -> Result<BrowserSignIn, ClientError> {
        let server = self.server().origin();
        let failed = |error: std::io::Error| ClientError::Protocol {
            server: server.clone(),
            status: None,
            why: format!("this machine cannot listen for the browser: {error}"),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let (state, verifier) = secrets.split_at(32);
        let (state, verifier) = (URL_SAFE_NO_PAD.encode(state), URL_SAFE_NO_PAD.encode(verifier));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut url = self.server().path(&["v1", "auth", "oauth", provider, "start"]);
        url.query_pairs_mut()
            .append_pair("redirect_uri", &format!("http://127.0.0.1:{port}/done"))
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge);
        let (url, verifier) = (url.into(), Secret(verifier));
        Ok(BrowserSignIn { listener, url, state, verifier, server })
    }

    /// Whom a sign-in was about; uses nothing up.
    pub async fn ticket(&self, proof: &SignInProof) -> Result<TicketInfo, ClientError> {
        self.post(&["v1", "auth", "oauth", "ticket"]).json(proof).read().await
    }

    /// Logs in by a sign-in, without a device.
    pub async fn sign_in(
        &self,
        proof: SignInProof,
        device_name: &str,
    ) -> Result<SignedIn, ClientError> {
        let request = SignIn { proof, device_name: Some(device_name.to_owned()), cookie: false };
        self.post(&["v1", "auth", "oauth", "session"]).json(&request).read().await
    }

    /// The providers that know one.
    pub async fn links(&self) -> Result<Vec<Link>, ClientError> {
        let list: List<Link> = self.get(&["v1", "me", "links"]).read().await?;
        Ok(list.items)
    }

    /// Links one's account with whom a sign-in was about.
    pub async fn create_link(&self, proof: &SignInProof) -> Result<Link, ClientError> {
        self.post(&["v1", "me", "links"]).json(proof).read().await
    }

    /// Ends a link.
    pub async fn delete_link(&self, provider: &str) -> Result<(), ClientError> {
        self.delete(&["v1", "me", "links", provider]).done().await
    }

    /// Asks for codes with which this machine is logged in from elsewhere (RFC 8628).
    pub async fn begin_device_grant(
        &self,
        device_name: &str,
    ) -> Result<DeviceAuthorization, ClientError> {
        let mut form = self.server().path(&[]);
        form.query_pairs_mut()
            .append_pair("client_id", "tidings")
            .append_pair("device_name", device_name);
        let form = form.query().unwrap_or_default().as_bytes().to_vec();
        let kind = "application/x-www-form-urlencoded";
        self.post(&["v1", "oauth", "device"]).body(kind, form).read().await
    }

    /// Asks whether somebody has answered.
    pub async fn poll_device_grant(&self, code: &Secret) -> Result<Polled, ClientError> {
        let form = format!("grant_type={DEVICE_GRANT}&client_id=tidings&device_code={}", code.0);
        let kind = "application/x-www-form-urlencoded";
        let request = self.post(&["v1", "oauth", "token"]).body(kind, form.into_bytes());
        let answer = request.raw().await?;
        if answer.status == 200
            && let Ok(token) = serde_json::from_slice::<TokenAnswer>(&answer.body)
        {
            return Ok(Polled::LoggedIn(Box::new(token)));
        }
        if let Some(problem) = answer.problem {
            return Err(ClientError::Problem { problem: Box::new(problem), retry_after: None });
        }
        let refusal: Option<OauthError> = serde_json::from_slice(&answer.body).ok();
        match refusal.as_ref().map(|refusal| refusal.error.as_str()) {
            Some("authorization_pending") => Ok(Polled::Pending),
            Some("slow_down") => Ok(Polled::SlowDown),
            Some("access_denied") => Ok(Polled::Denied),
            Some("expired_token") => Ok(Polled::Expired),
            _ => Err(ClientError::Protocol {
                server: self.server().origin(),
                status: Some(answer.status),
                why: "its answer to a terminal cannot be read".to_owned(),
            }),
        }
    }

    /// Which terminal shows a code.
    pub async fn device_request(&self, code: &str) -> Result<DeviceRequest, ClientError> {
        self.get(&["v1", "auth", "device", code]).read().await
    }

    /// Logs the terminal in that shows a code, or turns it away.
    pub async fn answer_device(&self, code: &str, approve: bool) -> Result<(), ClientError> {
        let verb = if approve { "approve" } else { "deny" };
        self.post(&["v1", "auth", "device", code, verb]).done().await
    }

    /// A short-lived signed token for another service.
    pub async fn access_token(
        &self,
        request: &CreateAccessToken,
    ) -> Result<AccessToken, ClientError> {
        self.post(&["v1", "auth", "token"]).json(request).read().await
    }

    /// The providers of sign-in with their configuration.
    pub async fn providers(&self) -> Result<Vec<Provider>, ClientError> {
        let list: List<Provider> = self.get(&["v1", "admin", "providers"]).read().await?;
        Ok(list.items)
    }

    /// Configures a provider of sign-in.
    pub async fn put_provider(
        &self,
        id: &str,
        request: &PutProvider,
    ) -> Result<Provider, ClientError> {
        self.put(&["v1", "admin", "providers", id]).json(request).read().await
    }

    /// Removes a provider of sign-in, and every link with it.
    pub async fn delete_provider(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&["v1", "admin", "providers", id]).done().await
    }

    /// Signs tokens with a new key from now on.
    pub async fn rotate_keys(&self) -> Result<Jwks, ClientError> {
        self.post(&["v1", "admin", "keys", "rotate"]).read().await
    }
}

impl BrowserSignIn {
    /// Where the browser goes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the browser comes back with a ticket.
    ///
    /// Fails with [`ClientError::Timeout`] after ten minutes: the server has forgotten the sign-in
    /// then.
    pub async fn wait(self) -> Result<SignInProof, ClientError> {
        let (server, seconds) = (self.server.clone(), PATIENCE.as_secs());
        let ticket = async {
            loop {
                // A connection that breaks off is somebody else's: the browser comes again.
                let Ok((socket, _)) = self.listener.accept().await else { continue };
                let taken = tokio::time::timeout(REQUEST_TIMEOUT, self.take(socket)).await;
                if let Ok(Some(ticket)) = taken {
                    return SignInProof {
                        ticket: Secret(ticket),
                        verifier: Some(self.verifier.clone()),
                    };
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, ticket).await;
        waited.map_err(|_| ClientError::Timeout { server, seconds })
    }

    /// Reads one request and answers it; the ticket when it has one and is of this sign-in.
    async fn take(&self, mut socket: TcpStream) -> Option<String> {
        let mut head = Vec::new();
        let mut part = [0; 4096];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = socket.read(&mut part).await.ok().filter(|read| *read > 0)?;
            head.extend_from_slice(part.get(..read)?);
            if head.len() > HEAD_MAX {
                return None;
            }
        }
        let found = ticket_in(&head, &self.state);
        let (status, text) = match found {
            Some(_) => ("200 OK", "Signed in. Go back to the terminal; you can close this."),
            None => ("404 Not Found", "There is nothing here."),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        // Whether or not the browser hears it, the ticket is here.
        let _ = socket.write_all(answer.as_bytes()).await;
        let _ = socket.shutdown().await;
        found
    }
}

/// The ticket in the first line of a request, when its `state` is ours.
fn ticket_in(head: &[u8], state: &str) -> Option<String> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let target = line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let url = reqwest::Url::parse("http://127.0.0.1/").ok()?.join(target).ok()?;
    let field = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    let ours = url.path() == "/done" && field("state").as_deref() == Some(state);
    field("ticket").filter(|_| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_ticket_is_taken() {
        for (line, ticket) in [
            ("GET /done?ticket=abc&state=mine HTTP/1.1", Some("abc")),
            ("GET /done?state=mine&ticket=abc HTTP/1.1", Some("abc")),
            ("GET /done?ticket=abc&state=other HTTP/1.1", None),
            ("GET /done?ticket=abc HTTP/1.1", None),
            ("GET /done?state=mine HTTP/1.1", None),
            ("GET /other?ticket=abc&state=mine HTTP/1.1", None),
            ("POST /done?ticket=abc&state=mine HTTP/1.1", None),
            ("GET /favicon.ico HTTP/1.1", None),
            ("", None),
        ] {
            let head = format!("{line}\r\nHost: x\r\n\r\n");
            assert_eq!(ticket_in(head.as_bytes(), "mine").as_deref(), ticket, "{line}");
        }
        assert_eq!(ticket_in(b"GET /\xff HTTP/1.1\r\n\r\n", "mine"), None);
    }
}

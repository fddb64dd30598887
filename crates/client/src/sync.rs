//! Following the log: one stream of updates over three transports, with one cursor.
//!
//! [`Follow::start`] starts one task, which owns the connection and the cursor. Its inbox is the
//! server, its outbox a bounded channel: a reader that is slow slows the connection, and the
//! server falls back to the log. The task ends with a fatal error (after handing it over) or when
//! the [`Follow`] is dropped.
//!
//! What a program does with updates must be safe to repeat from the last cursor that it kept.
//! Within one `Follow` no event comes twice, whatever happens to the connection.

pub mod event_stream;

mod backoff;
mod poll;
mod seen;
mod sse;
mod web_socket;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tidings_wire::account::Secret;
use tidings_wire::sync::Snapshot;
use tidings_wire::{Code, Event};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::client::Client;
use crate::error::ClientError;
use backoff::Backoff;
use seen::Seen;

/// After this long without a byte a connection counts as dead. The server says something every
/// 15 s, so this is three heartbeats: two may get lost on a bad line.
pub const SILENCE: Duration = Duration::from_secs(45);

/// Updates that wait for the program: a page of history, so that catching up is not one update
/// per wake-up.
const WAITING: usize = 256;

/// Longest cursor that is accepted, in bytes: ours have fewer than 50.
const CURSOR_MAX: usize = 512;

/// "Everything committed before this point has been seen by me." Opaque; works on any transport,
/// on any node, and after a restart of the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

/// The text cannot be a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: one has only letters, digits and ._~-")]
pub struct InvalidCursor;

impl Cursor {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        let sized = !text.is_empty() && text.len() <= CURSOR_MAX;
        if sized && text.bytes().all(fine) { Ok(Self(text.to_owned())) } else { Err(InvalidCursor) }
    }
}

/// How events travel. They are the same on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// WebSocket: least work for both sides.
    #[default]
    WebSocket,
    /// Server-sent events: passes where WebSocket does not.
    Sse,
    /// Long poll: passes everywhere.
    Poll,
}

/// One thing that a follower learns.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// There is a connection, at the beginning and after each loss.
    Connected,
    /// Where to begin: sent when no cursor was given, and after [`Update::SnapshotNeeded`].
    Snapshot {
        /// Everything as it stands.
        snapshot: Box<Snapshot>,
        /// The cursor from which events follow.
        next: Cursor,
    },
    /// Something happened.
    Event {
        /// What.
        event: Box<Event>,
        /// The cursor after it; `None` for ephemeral events, and on long poll for all events of a
        /// page but its last.
        next: Option<Cursor>,
    },
    /// The cursor moved past what this account may not see.
    Moved {
        /// Where to.
        next: Cursor,
    },
    /// The server does not know the cursor any more (or never did): what happened since then is
    /// not told one by one. A [`Update::Snapshot`] follows.
    SnapshotNeeded {
        /// The cursor that expired.
        expired: Cursor,
    },
    /// The connection is lost; the next try comes by itself.
    Disconnected {
        /// Why.
        error: ClientError,
        /// When the next try is.
        retry_in: Duration,
    },
}

/// A follower of everything that an account may see.
#[derive(Debug)]
pub struct Follow {
    updates: mpsc::Receiver<Result<Update, ClientError>>,
    _task: DropGuard,
}

impl Follow {
    /// Follows from `since`, or from now on. Must be called within a Tokio runtime.
    pub fn start(client: Client, transport: Transport, since: Option<Cursor>) -> Self {
        let (sender, updates) = mpsc::channel(WAITING);
        let driver = Driver {
            client,
            transport,
            cursor: since,
            seen: Seen::default(),
            updates: sender,
            resume: None,
            backoff: Backoff::default(),
            silence: SILENCE,
        };
        Self::drive(driver, updates)
    }

    fn drive(driver: Driver, updates: mpsc::Receiver<Result<Update, ClientError>>) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        // Boxed because a connection with its buffers is large.
        let run = Box::pin(driver.run());
        drop(TaskTracker::new().spawn(async move { stopped.run_until_cancelled(run).await }));
        Self { updates, _task: stop.drop_guard() }
    }

    /// The next update; `None` after an error, which is always the last. Safe to drop.
    pub async fn next(&mut self) -> Option<Result<Update, ClientError>> {
        self.updates.recv().await
    }
}

/// Why one connection ended.
enum End {
    /// Nobody listens any more.
    Dropped,
    /// It may come back.
    Lost(ClientError),
    /// The cursor is worth nothing here.
    Expired,
    /// Trying again would not help.
    Fatal(ClientError),
}

impl From<ClientError> for End {
    fn from(error: ClientError) -> Self {
        if error.code() == Some(Code::CursorExpired) {
            Self::Expired
        } else if error.is_transient() {
            Self::Lost(error)
        } else {
            Self::Fatal(error)
        }
    }
}

struct Driver {
    client: Client,
    transport: Transport,
    cursor: Option<Cursor>,
    seen: Seen,
    updates: mpsc::Sender<Result<Update, ClientError>>,
    /// What a WebSocket that comes back shows instead of the session's token.
    resume: Option<Secret>,
    backoff: Backoff,
    /// How long a connection may be silent: [`SILENCE`].
    silence: Duration,
}

impl Driver {
    async fn run(mut self) {
        loop {
            let Err(end) = self.connection().await;
            let passed_on = match end {
                End::Dropped => Err(End::Dropped),
                End::Fatal(error) => {
                    // Whether anybody hears it or not, this is the end.
                    let _ = self.updates.send(Err(error)).await;
                    Err(End::Dropped)
                }
                End::Expired => self.expire().await,
                End::Lost(error) => self.pause(error).await,
            };
            if passed_on.is_err() {
                return;
            }
        }
    }

    /// One connection, from where the cursor stands until it ends.
    async fn connection(&mut self) -> Result<std::convert::Infallible, End> {
        let cursor = match self.cursor.clone() {
            Some(cursor) => cursor,
            None => self.begin().await?,
        };
        match self.transport {
            Transport::WebSocket => self.web_socket(cursor).await,
            Transport::Sse => self.sse(cursor).await,
            Transport::Poll => self.poll(cursor).await,
        }
    }

    /// Takes a snapshot first, even where a transport could begin at the head by itself: a
    /// connection that broke before its first event would have no cursor to come back with.
    async fn begin(&mut self) -> Result<Cursor, End> {
        let (snapshot, next) = self.client.snapshot().await?;
        let update = Update::Snapshot { snapshot: Box::new(snapshot), next: next.clone() };
        self.tell(update).await?;
        self.cursor = Some(next.clone());
        Ok(next)
    }

    async fn expire(&mut self) -> Result<(), End> {
        self.seen = Seen::default();
        match self.cursor.take() {
            Some(expired) => self.tell(Update::SnapshotNeeded { expired }).await,
            None => Ok(()),
        }
    }

    async fn pause(&mut self, error: ClientError) -> Result<(), End> {
        let retry_in = self.backoff.next(error.retry_after());
        self.tell(Update::Disconnected { error, retry_in }).await?;
        tokio::time::sleep(retry_in).await;
        Ok(())
    }

    async fn tell(&self, update: Update) -> Result<(), End> {
        self.updates.send(Ok(update)).await.map_err(|_| End::Dropped)
    }

    /// Hands an event over unless it was handed over before, then moves the cursor.
    async fn deliver(&mut self, event: Event, next: Option<Cursor>) -> Result<(), End> {
        self.backoff.reset();
        let again = next.is_some() && next == self.cursor;
        if !again && self.seen.is_new(&event) {
            self.tell(Update::Event { event: Box::new(event), next: next.clone() }).await?;
        }
        if next.is_some() {
            self.cursor = next;
        }
        Ok(())
    }

    /// Moves the cursor where there was no event.
    async fn advance(&mut self, next: Cursor) -> Result<(), End> {
        self.backoff.reset();
        if self.cursor.as_ref() != Some(&next) {
            self.cursor = Some(next.clone());
            self.tell(Update::Moved { next }).await?;
        }
        Ok(())
    }

    /// A cursor as the server sent it.
    fn cursor_from(&self, text: &str) -> Result<Cursor, ClientError> {
        text.parse().map_err(|_| self.nonsense("its cursor has characters that no cursor has"))
    }

    fn nonsense(&self, why: impl Into<String>) -> ClientError {
        let server = self.client.server().origin();
        ClientError::Protocol { server, status: None, why: why.into() }
    }

    fn lost(&self, why: impl Into<String>) -> ClientError {
        ClientError::Unreachable { server: self.client.server().origin(), why: why.into() }
    }

    fn silent(&self) -> ClientError {
        ClientError::Timeout {
            server: self.client.server().origin(),
            seconds: self.silence.as_secs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};

    #[test]
    fn cursors_have_only_url_safe_characters() {
        for good in ["a", "A9.b_c~d-e", &"x".repeat(512)] {
            assert_eq!(
                good.parse::<Cursor>().map(|cursor| cursor.to_string()),
                Ok(good.to_owned())
            );
        }
        for bad in ["", "a b", "a/b", "é", "a\n", &"x".repeat(513)] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor), "{bad}");
        }
    }

    /// A server that answers each connection as told and then keeps it open without a word.
    fn silent_server(answer: impl Fn(&mut TcpStream, &str) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                    request.push(byte[0]);
                }
                answer(&mut stream, &String::from_utf8_lossy(&request));
                open.push(stream);
            }
        });
        address
    }

    fn follow(address: SocketAddr, transport: Transport) -> Follow {
        let client = Client::new(format!("http://{address}").parse().unwrap()).unwrap();
        let (sender, updates) = mpsc::channel(WAITING);
        let driver = Driver {
            client,
            transport,
            cursor: Some("c0".parse().unwrap()),
            seen: Seen::default(),
            updates: sender,
            resume: None,
            backoff: Backoff::default(),
            silence: Duration::from_millis(50),
        };
        Follow::drive(driver, updates)
    }

    async fn connects_and_is_given_up(mut follow: Follow) {
        for _ in 0..2 {
            assert!(matches!(follow.next().await, Some(Ok(Update::Connected))));
            assert!(matches!(
                follow.next().await,
                Some(Ok(Update::Disconnected { error: ClientError::Timeout { .. }, .. }))
            ));
        }
    }

    #[tokio::test]
    async fn a_silent_stream_is_given_up_and_begun_anew() {
        let address = silent_server(|stream, request| {
            assert!(request.contains("since=c0"), "{request}");
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
        });
        connects_and_is_given_up(follow(address, Transport::Sse)).await;
    }

    #[tokio::test]
    async fn a_silent_web_socket_is_given_up_and_begun_anew() {
        use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
        let address = silent_server(|stream, request| {
            let key = request.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("sec-websocket-key").then_some(value)
            });
            let accept = derive_accept_key(key.unwrap().as_bytes());
            let ready = serde_json::json!({"v": 1, "t": "session.ready", "id": "1", "body": {
                "user_id": uuid::Uuid::nil(), "session_id": uuid::Uuid::nil(),
                "resume_token": "r", "expires_at": "2026-01-01T00:00:00.000Z",
                "gateway_id": uuid::Uuid::nil(), "next": "c0"
            }})
            .to_string();
            let mut bytes = format!(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
                 connection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
            )
            .into_bytes();
            // An unmasked text frame with a length of 16 bits (RFC 6455, section 5.2).
            bytes.extend([0x81, 126]);
            bytes.extend(u16::try_from(ready.len()).unwrap().to_be_bytes());
            bytes.extend(ready.as_bytes());
            stream.write_all(&bytes).unwrap();
        });
        connects_and_is_given_up(follow(address, Transport::WebSocket)).await;
    }
}

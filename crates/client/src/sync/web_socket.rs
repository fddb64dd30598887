//! WebSocket: frames of `wire::frame`.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use tidings_wire::account::Secret;
use tidings_wire::frame::{
    ErrorBody, EventBody, FRAME_MAX, Frame, SessionReady, SessionResume, SessionStart, VERSION,
};
use tidings_wire::{Code, Event, Problem};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Utf8Bytes};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::{Cursor, Driver, End, SILENCE, Update};
use crate::error::ClientError;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long connecting and the first answer may take.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a ping goes out, as the server does when idle.
const PING_EVERY: Duration = Duration::from_secs(15);

/// The session does not hold.
const CLOSE_UNAUTHORIZED: u16 = 4001;

impl Driver {
    pub(super) async fn web_socket(&mut self, cursor: Cursor) -> Result<Infallible, End> {
        let start = tokio::time::timeout(START_TIMEOUT, self.start(cursor));
        let mut socket = match start.await {
            Ok(socket) => socket?,
            Err(_) => return Err(End::Lost(self.silent())),
        };
        self.tell(Update::Connected).await?;
        let mut heard = Instant::now();
        let mut pings = tokio::time::interval_at(heard + PING_EVERY, PING_EVERY);
        loop {
            let message = tokio::select! {
                message = tokio::time::timeout_at(heard + self.silence, socket.next()) => message,
                _ = pings.tick() => {
                    self.send(&mut socket, "ping", None, &Empty {}).await?;
                    continue;
                }
            };
            let message = message.map_err(|_| self.silent())?;
            heard = Instant::now();
            if let Some(text) = self.text(message)? {
                self.take_frame(&mut socket, &text).await?;
            }
        }
    }

    /// Connects and says from where to go on; the socket is ready for events.
    ///
    /// A connection that comes back shows the resume token of the last one that began, which stays
    /// good when the answer with its successor is lost on the way. A server that refuses it is
    /// asked anew with the session's own token, whose refusal is final.
    async fn start(&mut self, cursor: Cursor) -> Result<Socket, End> {
        let since = Some(cursor.as_str().to_owned());
        if let Some(resume_token) = self.resume.clone() {
            let resume = SessionResume { resume_token, since: since.clone() };
            match self.open("session.resume", &resume).await {
                Err(End::Fatal(error)) => {
                    tracing::debug!(%error, "the session is not resumed but started");
                    self.resume = None;
                }
                opened => return opened,
            }
        }
        let token = self.client.token().map(|token| Secret(token.0.clone()));
        self.open("session.start", &SessionStart { token, device_id: None, since }).await
    }

    /// Connects and sends `first`, until the server answers that it is ready.
    async fn open(&mut self, kind: &str, first: &(impl Serialize + Sync)) -> Result<Socket, End> {
        let server = self.client.server();
        let connector = server.is_tls().then(|| Connector::Rustls(self.client.tls().clone()));
        let config = WebSocketConfig::default()
            .max_message_size(Some(FRAME_MAX))
            .max_frame_size(Some(FRAME_MAX));
        let connected =
            connect_async_tls_with_config(server.web_socket(), Some(config), true, connector).await;
        let (mut socket, _) = connected.map_err(|error| self.refused(error))?;
        self.send(&mut socket, kind, Some("1"), first).await?;
        loop {
            let Some(text) = self.text(socket.next().await)? else { continue };
            let frame = self.frame(&text)?;
            match &*frame.t {
                "session.ready" => {
                    let ready: SessionReady = self.body(&frame)?;
                    self.resume = Some(ready.resume_token);
                    return Ok(socket);
                }
                "error" => return Err(self.told(&frame)?.into()),
                _ => self.take_frame(&mut socket, &text).await?,
            }
        }
    }

    /// The text of a message; `None` for what the protocol below takes care of.
    fn text(
        &self,
        message: Option<Result<Message, SocketError>>,
    ) -> Result<Option<Utf8Bytes>, End> {
        match message {
            Some(Ok(Message::Text(text))) => Ok(Some(text)),
            Some(Ok(Message::Close(frame))) => Err(self.closed(frame)),
            Some(Ok(_)) => Ok(None),
            Some(Err(SocketError::Capacity(error))) => {
                Err(End::Fatal(self.nonsense(error.to_string())))
            }
            Some(Err(error)) => Err(self.lost(error.to_string()).into()),
            None => Err(self.lost("the server ended the connection").into()),
        }
    }

    async fn take_frame(&mut self, socket: &mut Socket, text: &str) -> Result<(), End> {
        let frame = self.frame(text)?;
        match &*frame.t {
            "event" => {
                let EventBody { next, event } = self.body(&frame)?;
                let event: Event = serde_json::from_str(event.get())
                    .map_err(|error| self.nonsense(format!("an event cannot be read ({error})")))?;
                let next = next.map(|next| self.cursor_from(&next)).transpose()?;
                self.deliver(event, next).await
            }
            "ping" => self.send(socket, "pong", frame.id.as_deref(), &Empty {}).await,
            "error" => {
                let error = self.told(&frame)?;
                if matches!(error.code(), Some(Code::CursorExpired | Code::Unauthorized)) {
                    return Err(error.into());
                }
                tracing::warn!(%error, "the server refused a frame");
                Ok(())
            }
            // Frames of later versions are none of our business.
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        socket: &mut Socket,
        kind: &str,
        id: Option<&str>,
        body: &(impl Serialize + Sync),
    ) -> Result<(), End> {
        let unwritable = |error: serde_json::Error| self.nonsense(error.to_string());
        let body = serde_json::value::to_raw_value(body).map_err(unwritable)?;
        let frame = Frame {
            v: VERSION,
            t: Cow::Borrowed(kind),
            id: id.map(Cow::Borrowed),
            ts: None,
            body: &body,
        };
        let text = serde_json::to_string(&frame).map_err(unwritable)?;
        match tokio::time::timeout(SILENCE, socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(error.to_string()).into()),
            Err(_) => Err(self.silent().into()),
        }
    }

    fn frame<'a>(&self, text: &'a str) -> Result<Frame<'a>, ClientError> {
        serde_json::from_str(text)
            .map_err(|error| self.nonsense(format!("a frame cannot be read ({error})")))
    }

    fn body<'a, T: serde::Deserialize<'a>>(&self, frame: &Frame<'a>) -> Result<T, ClientError> {
        serde_json::from_str(frame.body.get()).map_err(|error| {
            self.nonsense(format!("a frame of type {} cannot be read ({error})", frame.t))
        })
    }

    fn told(&self, frame: &Frame<'_>) -> Result<ClientError, ClientError> {
        let body: ErrorBody = self.body(frame)?;
        let retry_after = body.retry_after_s.map(Duration::from_secs);
        Ok(problem(&body.code, body.message, retry_after))
    }

    fn closed(&self, frame: Option<CloseFrame>) -> End {
        let Some(frame) = frame else {
            return self.lost("the server closed the connection").into();
        };
        let code = u16::from(frame.code);
        if code == CLOSE_UNAUTHORIZED {
            return problem(Code::Unauthorized.as_str(), frame.reason.to_string(), None).into();
        }
        self.lost(format!("the server closed the connection ({code} {})", frame.reason)).into()
    }

    /// What an upgrade that failed means.
    fn refused(&self, error: SocketError) -> ClientError {
        let server = self.client.server().origin();
        let SocketError::Http(response) = error else {
            return ClientError::from_chain(&server, &error);
        };
        let body = response.body().as_deref().unwrap_or_default();
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => ClientError::Problem { problem: Box::new(problem), retry_after: None },
            Err(_) => ClientError::Protocol {
                server,
                status: Some(response.status().as_u16()),
                why: format!("it answered {} to a WebSocket", response.status()),
            },
        }
    }
}

/// The body of frames that say nothing.
#[derive(Serialize)]
struct Empty {}

/// An error that came as a code and a sentence.
fn problem(code: &str, detail: String, retry_after: Option<Duration>) -> ClientError {
    let code = serde_json::from_value(code.into()).unwrap_or(Code::Unknown);
    ClientError::Problem {
        problem: Box::new(Problem {
            kind: format!("about:blank#{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail,
            trace_id: String::new(),
            errors: Vec::new(),
        }),
        retry_after,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::sync::{Follow, Transport};
    use crate::{Client, Update};

    /// What a server answers to the first frame of a connection, before it ends it.
    enum Answer {
        /// `session.ready` with this resume token.
        Ready(&'static str),
        /// An `error` with this code.
        Refuse(&'static str),
        /// Nothing: the answer is lost.
        Lose,
    }

    /// Serves a connection for each answer; gives the first frame of each as it comes.
    fn server(
        listener: TcpListener,
        answers: impl IntoIterator<Item = Answer, IntoIter: Send> + Send + 'static,
    ) -> mpsc::Receiver<Value> {
        let (heard, frames) = mpsc::channel(16);
        let answers = answers.into_iter();
        drop(TaskTracker::new().spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                let first = socket.next().await.unwrap().unwrap();
                let frame = serde_json::from_str(first.to_text().unwrap()).unwrap();
                heard.send(frame).await.unwrap();
                let frame = match answer {
                    Answer::Ready(token) => {
                        json!({"v": 1, "t": "session.ready", "id": "1", "body": {
                            "user_id": uuid::Uuid::nil(), "session_id": uuid::Uuid::nil(),
                            "resume_token": token, "expires_at": "2026-01-01T00:00:00.000Z",
                            "gateway_id": uuid::Uuid::nil(), "next": "c0"
                        }})
                    }
                    Answer::Refuse(code) => json!({"v": 1, "t": "error", "id": "1", "body": {
                        "code": code, "message": "no"
                    }}),
                    Answer::Lose => continue,
                };
                socket.send(Message::text(frame.to_string())).await.unwrap();
            }
        }));
        frames
    }

    async fn follow(answers: Vec<Answer>, tries: usize) -> (Vec<Value>, Follow) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = Client::new(format!("http://{address}").parse().unwrap())
            .unwrap()
            .with_token(Secret("session".to_owned()));
        let mut frames = server(listener, answers);
        let follow = Follow::start(client, Transport::WebSocket, Some("c0".parse().unwrap()));
        let mut heard = Vec::new();
        for _ in 0..tries {
            let frame = frames.recv().await.unwrap();
            heard.push(json!([frame["t"], frame["body"]]));
        }
        (heard, follow)
    }

    #[tokio::test]
    async fn what_was_lost_is_resumed_until_a_new_token_came() {
        let answers =
            vec![Answer::Ready("r1"), Answer::Lose, Answer::Ready("r2"), Answer::Ready("r3")];
        let (heard, _follow) = follow(answers, 4).await;
        let resume =
            |token: &str| json!(["session.resume", {"resume_token": token, "since": "c0"}]);
        assert_eq!(
            heard,
            [
                json!(["session.start", {"token": "session", "since": "c0"}]),
                resume("r1"),
                resume("r1"),
                resume("r2"),
            ]
        );
    }

    #[tokio::test]
    async fn a_resume_that_is_refused_is_a_start() {
        let answers = vec![
            Answer::Ready("r1"),
            Answer::Refuse("unauthorized"),
            Answer::Ready("r2"),
            Answer::Refuse("unavailable"),
            Answer::Refuse("unauthorized"),
            Answer::Refuse("unauthorized"),
        ];
        let (heard, mut follow) = follow(answers, 6).await;
        let kinds: Vec<&str> = heard.iter().filter_map(|frame| frame[0].as_str()).collect();
        let [start, resume] = ["session.start", "session.resume"];
        // A server that is busy refuses no token; one that refuses both ends the session.
        assert_eq!(kinds, [start, resume, start, resume, resume, start]);
        assert_eq!(heard[4][1]["resume_token"], "r2");
        let last = loop {
            match follow.next().await {
                Some(Ok(Update::Connected | Update::Disconnected { .. })) => {}
                last => break last,
            }
        };
        let error = last.unwrap().unwrap_err();
        assert_eq!(error.code(), Some(Code::Unauthorized));
    }
}

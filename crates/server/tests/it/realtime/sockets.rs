//! Raw doors: what a client without our SDK sees.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tidings_domain::ChannelId;
use tidings_testkit::client::{Client, message};
use tidings_testkit::{Person, World};
use tidings_wire::message::CreateMessage;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A client that knows nothing of ours.
pub(crate) fn http() -> reqwest::Client {
    // Whoever comes first installs it for all; the rest find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// A token of a new session of somebody.
pub(crate) async fn token(world: &World, person: &Person) -> String {
    let identity = person.identity().public();
    let device = person.device();
    let session =
        world.stranger().create_session_with(identity, device.id, &device.secret).await.unwrap();
    session.session.token.unwrap().0
}

/// Posts a message.
pub(crate) async fn say(person: &Person, channel: ChannelId, body: &str) {
    say_as(person.client(), channel, body).await;
}

/// Posts a message.
pub(crate) async fn say_as(client: &Client, channel: ChannelId, body: &str) {
    let create = CreateMessage {
        client_id: message::new_client_id(),
        body: body.to_owned(),
        parent_id: None,
        broadcast: false,
        attachments: Vec::new(),
    };
    client.send(channel, &create).await.unwrap();
}

/// A WebSocket whose first frame was answered.
pub(crate) struct Ws {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The first answer.
    pub(crate) ready: Value,
}

impl Ws {
    pub(crate) async fn start(world: &World, token: &str, since: Option<&str>) -> Self {
        let start = json!({"v": 1, "t": "session.start", "body": {"since": since}});
        let socket = Self::open(world, Some(token), start).await;
        assert_eq!(socket.ready["t"], "session.ready", "{}", socket.ready);
        socket
    }

    pub(crate) async fn open(world: &World, token: Option<&str>, first: Value) -> Self {
        let url = world.server().origin().replace("http://", "ws://") + "/v1/ws";
        let mut request = url.into_client_request().unwrap();
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let (socket, _) = connect_async(request).await.unwrap();
        let mut socket = Self { socket, ready: Value::Null };
        socket.send(first).await;
        socket.ready = socket.next().await;
        socket
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_text(frame.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, frame: String) {
        self.socket.send(Message::text(frame)).await.unwrap();
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.socket.next().await.expect("a frame before the end").unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("a frame was expected, not {other:?}"),
            }
        }
    }

    /// The next event, with the cursor after it.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        loop {
            let mut frame = self.next().await;
            if frame["t"] == "event" {
                let next = frame["body"]["next"].as_str().unwrap_or_default().to_owned();
                return (next, frame["body"]["event"].take());
            }
        }
    }

    /// The code with which the server closes.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match self.socket.next().await.expect("a goodbye before the end").unwrap() {
                Message::Close(Some(frame)) => return frame.code.into(),
                Message::Close(None) => panic!("the server closed without a code"),
                _ => {}
            }
        }
    }
}

/// A stream of server-sent events.
pub(crate) struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    pub(crate) async fn open(world: &World, token: &str, since: &str, last: Option<&str>) -> Self {
        let query = if since.is_empty() { String::new() } else { format!("?since={since}") };
        let url = format!("{}/v1/stream{query}", world.server().origin());
        let mut request = http().get(url).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        let mut stream = Self { answer, text: String::new() };
        assert_eq!(stream.block().await, "retry: 2000");
        stream
    }

    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return block;
            }
            let chunk = self.answer.chunk().await.unwrap().expect("an event before the end");
            self.text.push_str(str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event that has data, with its id.
    pub(crate) async fn next_event(&mut self) -> (String, Value) {
        loop {
            let block = self.block().await;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(data) = field("data: ") {
                let data: Value = serde_json::from_str(data).unwrap();
                assert_eq!(field("event: "), data["type"].as_str());
                return (field("id: ").unwrap_or_default().to_owned(), data);
            }
        }
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) {
        while let Ok(Some(_)) = self.answer.chunk().await {}
    }
}

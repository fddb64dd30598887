//! Malformed requests and frames by the ten thousand: refused with words, never with a 5xx.

use std::collections::BTreeSet;

use axum::body::Body;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use serde_json::{Value, json};
use tidings_wire::frame::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::mutate::Mutator;
use crate::world::{Person, World, nowhere};

/// Requests that reach the router.
const REQUESTS: usize = 20_000;
/// Frames on connections whose session has begun.
const FRAMES: usize = 3_000;
/// First frames, each on a connection of its own.
const FIRST_FRAMES: usize = 300;
/// Connections that send something else than HTTP.
const RAW: usize = 200;
const SEED: u64 = 0x7469_6469_6e67_7309;

/// A world without limits, which would answer most of what follows with 429.
async fn world() -> World {
    World::with(|settings| settings.limits.enabled = false).await
}

/// Good requests for every route, as text: `METHOD path`, headers, an empty line, the body.
async fn requests(world: &World, ana: &Person) -> Vec<Vec<u8>> {
    let (community, general) = world.community(ana, "acme").await;
    let spare = world.channel(ana, &community, json!({"name": "spare"})).await;
    let bo = world.member(ana, &community, "bo").await;
    let said = world.say(ana, &general, "hello *there* @bo").await;
    let message = said["id"].as_str().unwrap();
    let identity = ana.identity.public();
    let envelope: Value = serde_json::from_str(ana.first.as_json()).unwrap();
    let registration = world.registration(&world.person("eve"), json!({"invite": "x"})).await;
    let login = world.login(ana, json!({"signature": "AAAA"})).await;
    let none = Value::Null;
    let at = "2026-05-01T00:00:00.000Z";
    let record = json!({"record": "message", "source_id": "slack:T1:C1:1.2", "channel": "slack:T1:C1",
        "author": "slack:T1:U1", "at": at, "body": "hi @{user:slack:T1:U1}", "format": "text"});
    let routes = [
        ("GET", "/.well-known/tidings".to_owned(), none.clone()),
        ("GET", "/openapi.json".to_owned(), none.clone()),
        ("POST", "/v1/auth/challenge".to_owned(), json!({"identity": identity.to_string()})),
        ("POST", "/v1/accounts".to_owned(), registration),
        ("POST", "/v1/sessions".to_owned(), login),
        ("GET", "/v1/sessions".to_owned(), none.clone()),
        ("DELETE", format!("/v1/sessions/{}", nowhere()), none.clone()),
        ("GET", "/v1/me".to_owned(), none.clone()),
        ("PATCH", "/v1/me".to_owned(), json!({"display_name": "Ana", "status": "here"})),
        ("GET", "/v1/users?handle=%40bo%40localhost%3A8420".to_owned(), none.clone()),
        ("GET", format!("/v1/users/{}", bo.id), none.clone()),
        ("GET", format!("/v1/identities/{identity}/chain?after=0&limit=5"), none.clone()),
        ("POST", format!("/v1/identities/{identity}/chain"), json!({"items": [envelope]})),
        ("GET", "/v1/communities?limit=5".to_owned(), none.clone()),
        ("POST", "/v1/communities".to_owned(), json!({"name": "New", "slug": "new"})),
        ("PATCH", format!("/v1/communities/{community}"), json!({"name": "Acme"})),
        ("GET", format!("/v1/communities/{community}/members?limit=1"), none.clone()),
        (
            "PATCH",
            format!("/v1/communities/{community}/members/{}", bo.id),
            json!({"role": "admin"}),
        ),
        (
            "POST",
            format!("/v1/communities/{community}/invites"),
            json!({"max_uses": 2, "expires_in_s": 60, "role": "member"}),
        ),
        ("GET", format!("/v1/communities/{community}/invites"), none.clone()),
        ("POST", "/v1/invites/q2dXy0-4Jc_kV7bPz1TnAw/accept".to_owned(), json!({})),
        (
            "POST",
            format!("/v1/communities/{community}/channels"),
            json!({"name": "ops", "visibility": "private", "topic": "t", "category": "c"}),
        ),
        ("GET", "/v1/channels?limit=2".to_owned(), none.clone()),
        ("PATCH", format!("/v1/channels/{spare}"), json!({"name": "spare-2", "topic": "*x*"})),
        ("POST", format!("/v1/channels/{spare}/leave"), json!({})),
        ("POST", format!("/v1/channels/{spare}/join"), json!({})),
        ("POST", format!("/v1/channels/{general}/members"), json!({"user_id": bo.id})),
        ("DELETE", format!("/v1/channels/{spare}/members/{}", bo.id), none.clone()),
        ("PUT", format!("/v1/channels/{general}/read"), json!({"seq": 2, "set": true})),
        ("PUT", format!("/v1/messages/{message}/read"), json!({"seq": 2, "set": true})),
        ("POST", format!("/v1/channels/{general}/typing"), json!({"state": "start"})),
        (
            "POST",
            format!("/v1/channels/{general}/messages"),
            json!({"client_id": "c1", "body": "hi @bo, see #general", "parent_id": message,
                   "broadcast": true, "attachments": []}),
        ),
        ("GET", format!("/v1/channels/{general}/messages?around=3&limit=2"), none.clone()),
        ("GET", format!("/v1/channels/{general}/messages?thread={message}"), none.clone()),
        ("GET", format!("/v1/channels/{general}/log?after=1&limit=2"), none.clone()),
        ("PATCH", format!("/v1/messages/{message}"), json!({"body": "changed"})),
        ("GET", format!("/v1/messages/{message}/history"), none.clone()),
        ("PUT", format!("/v1/messages/{message}/reactions/:ok:"), none.clone()),
        ("DELETE", format!("/v1/messages/{message}/reactions/%F0%9F%91%8D"), none.clone()),
        ("POST", "/v1/dms".to_owned(), json!({"users": [bo.id]})),
        ("GET", "/v1/search?q=from%3Abo+hello+-x+%22a+b%22&limit=3".to_owned(), none.clone()),
        ("POST", "/v1/admin/imports".to_owned(), record),
        ("GET", "/v1/sync?since=0000000000000001-3&limit=5".to_owned(), none.clone()),
        ("GET", "/v1/stream?since=0000000000000001-3".to_owned(), none.clone()),
        ("GET", "/v1/ws".to_owned(), none),
    ];
    let upgrade = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";
    let headers = [
        format!("Authorization: Bearer {}\nContent-Type: application/json\n", ana.token),
        format!(
            "Authorization: Bearer {}\nContent-Type: application/json; charset=utf-8\n\
             Idempotency-Key: 7f3\nAccept: */*\n",
            ana.token
        ),
        format!(
            "Cookie: tidings_session={}\nOrigin: http://localhost:8420\nSec-Fetch-Site: same-origin\n\
             Content-Type: application/json\n{upgrade}\
             traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
            ana.token
        ),
    ];
    let all = routes.iter().flat_map(|(method, path, body)| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        headers
            .iter()
            .map(move |headers| format!("{method} {path}\n{headers}\n{body}").into_bytes())
    });
    all.collect()
}

/// The request that stands in `text`, unless no server would let it as far as a router.
fn parse(text: &[u8]) -> Option<Request<Body>> {
    let end = text.windows(2).position(|pair| pair == b"\n\n").unwrap_or(text.len());
    let (head, body) = text.split_at(end);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let space = first.iter().position(|byte| *byte == b' ')?;
    let method = Method::from_bytes(&first[..space]).ok()?;
    let uri = Uri::try_from(&first[space + 1..]).ok().filter(|uri| !uri.path().is_empty())?;
    let mut request = Request::new(Body::from(body.get(2..).unwrap_or_default().to_vec()));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    Some(request)
}

#[tokio::test]
async fn every_malformed_request_is_refused_with_a_problem_document() {
    let world = world().await;
    let ana = world.owner().await;
    let corpus = requests(&world, &ana).await;
    let mut mutator = Mutator::new(SEED);
    let (mut sent, mut accepted) = (0, 0);
    let mut codes = BTreeSet::new();
    while sent < REQUESTS {
        let text = mutator.next(&corpus);
        let Some(request) = parse(&text) else { continue };
        sent += 1;
        let (status, headers, body) = world.look(request).await;
        let shown = text.escape_ascii();
        assert!(status.as_u16() < 500, "{status}: b\"{shown}\"");
        if status.is_success() || status.is_redirection() || status.is_informational() {
            accepted += 1;
            continue;
        }
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "b\"{shown}\"");
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["status"], status.as_u16(), "{problem} for b\"{shown}\"");
        let words = ["title", "detail"].map(|field| problem[field].as_str().unwrap_or_default());
        assert!(words.iter().all(|text| !text.is_empty()), "{problem} for b\"{shown}\"");
        assert_eq!(problem["trace_id"], headers["x-trace-id"].to_str().unwrap());
        codes.insert(problem["code"].as_str().unwrap().to_owned());
    }
    // What never got past the first check would prove nothing.
    assert!(accepted > REQUESTS / 20, "{accepted} of {REQUESTS} were accepted");
    for code in ["bad_request", "unauthorized", "not_found", "method_not_allowed", "unprocessable"]
    {
        assert!(codes.contains(code), "{code} is not among {codes:?}");
    }
    world.get(&ana.token, "/v1/me").await.is(200);
}

/// A server that listens; its address.
async fn listen(world: &World) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (app, realtime) = (world.app.clone(), world.realtime.clone());
    let serving = tidings_server::serve(listener, app, realtime, CancellationToken::new());
    drop(TaskTracker::new().spawn(serving));
    address
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(address: &str) -> Socket {
    let request = format!("ws://{address}/v1/ws").into_client_request().unwrap();
    connect_async(request).await.unwrap().0
}

fn start(token: &str) -> Value {
    json!({"v": 1, "t": "session.start", "id": "s", "body": {"token": token}})
}

/// Sends bytes as the kind of message that they can be.
async fn throw(socket: &mut Socket, bytes: Vec<u8>) -> Result<(), Error> {
    let message = match String::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(error) => Message::binary(error.into_bytes()),
    };
    socket.send(message).await
}

/// Reads until the frame with this id, or the end: whether the connection goes on.
async fn read_to(socket: &mut Socket, id: &str, codes: &mut BTreeSet<String>) -> bool {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let frame: Frame<'_> = serde_json::from_str(&text).unwrap();
                let body: Value = serde_json::from_str(frame.body.get()).unwrap();
                if frame.t == "error" {
                    let code = body["code"].as_str().unwrap();
                    assert!(!["internal", "unavailable"].contains(&code), "{text}");
                    codes.insert(code.to_owned());
                }
                if frame.id.as_deref() == Some(id) {
                    return true;
                }
            }
            Some(Ok(Message::Close(close))) => {
                let code = close.map(|close| u16::from(close.code));
                assert!(!matches!(code, None | Some(1006 | 1011..=1014)), "closed with {code:?}");
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return false,
        }
    }
}

#[tokio::test]
async fn every_malformed_frame_is_answered_or_ends_its_connection_alone() {
    let world = world().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let address = listen(&world).await;
    let frame = |t: &str, body: Value| json!({"v": 1, "t": t, "id": "7", "body": body});
    let send = json!({"channel_id": general, "client_id": "c1", "body": "hi *all*",
                      "broadcast": false, "attachments": []});
    let corpus: Vec<Vec<u8>> = [
        frame("conv.send", send),
        frame("conv.ack", json!({"channel_id": general, "seq": 2})),
        frame("typing", json!({"channel_id": general, "state": "start"})),
        frame("ping", json!({})),
        start(&ana.token),
        frame("session.resume", json!({"resume_token": "x", "since": "0000000000000001-3"})),
    ]
    .iter()
    .map(|frame| frame.to_string().into_bytes())
    .collect();
    let mut mutator = Mutator::new(SEED);
    let mut codes = BTreeSet::new();
    let mut socket: Option<Socket> = None;
    for number in 0..FRAMES {
        let mut open = if let Some(open) = socket.take() {
            open
        } else {
            let mut fresh = connect(&address).await;
            throw(&mut fresh, start(&ana.token).to_string().into_bytes()).await.unwrap();
            assert!(read_to(&mut fresh, "s", &mut codes).await, "a good start is accepted");
            fresh
        };
        let id = format!("after-{number}");
        let ping = json!({"v": 1, "t": "ping", "id": id, "body": {}}).to_string().into_bytes();
        let thrown = throw(&mut open, mutator.next(&corpus)).await.is_ok();
        let pinged = thrown && throw(&mut open, ping).await.is_ok();
        if pinged && read_to(&mut open, &id, &mut codes).await {
            socket = Some(open);
        }
    }
    for code in ["bad_request", "not_found", "conflict"] {
        assert!(codes.contains(code), "{code} is not among {codes:?}");
    }
    for _ in 0..FIRST_FRAMES {
        let mut fresh = connect(&address).await;
        throw(&mut fresh, mutator.next(&corpus)).await.unwrap();
        // Whatever was refused: the connection ends, or was a good one.
        let close = Message::Close(None);
        let _ = fresh.send(close).await;
        read_to(&mut fresh, "never", &mut codes).await;
    }
    world.get(&ana.token, "/v1/me").await.is(200);
}

#[tokio::test]
async fn bytes_that_are_no_http_are_refused_and_the_server_goes_on() {
    let world = world().await;
    let address = listen(&world).await;
    let corpus = [
        b"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
          Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
            .to_vec(),
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
          Connection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            .to_vec(),
    ];
    let mut mutator = Mutator::new(SEED);
    for _ in 0..RAW {
        let bytes = mutator.next(&corpus);
        let mut stream = TcpStream::connect(&address).await.unwrap();
        // The server may end the connection before all of it was taken.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(!status.starts_with(b"5"), "{}: {}", bytes.escape_ascii(), answer.escape_ascii());
    }
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", answer.escape_ascii());
}

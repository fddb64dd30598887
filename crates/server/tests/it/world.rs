//! A server in one process, with a clock that tests turn and a generator that repeats.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use rand::{RngCore as _, SeedableRng as _};
use serde_json::{Value, json};
use tidings_domain::{ChannelId, DeviceId, Timestamp, UserId};
use tidings_identity::key::DeviceSecret;
use tidings_identity::sigchain::Device;
use tidings_identity::{Chain, Envelope, IdentitySecret, Login, Register};
use tidings_server::app::SetupCode;
use tidings_server::blobs::Folder;
use tidings_server::signin::SealKey;
use tidings_server::{App, Clock, Entropy, Ephemeral, Parts, Realtime, Settings};
use tidings_storage::memory::MemoryStore;
use tower::ServiceExt as _;
use uuid::Uuid;

/// The origin of every test server.
pub(crate) const ORIGIN: &str = "http://localhost:8420";
/// The code with which its first account registers.
pub(crate) const SETUP: &str = "open-sesame";

#[derive(Debug, Default)]
pub(crate) struct TestClock {
    now: AtomicI64,
    elapsed_ms: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
    }
}

#[derive(Debug)]
struct Seeded(Mutex<rand::rngs::StdRng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

/// Ephemeral events that were published.
#[derive(Debug, Default)]
pub(crate) struct Published(
    pub(crate) Mutex<Vec<(ChannelId, String, String)>>,
    /// To one person: whom, the type, the data.
    pub(crate) Mutex<Vec<(String, String, String)>>,
);

impl Ephemeral for Published {
    fn publish(
        &self,
        channel: ChannelId,
        kind: &'static str,
        data: Box<serde_json::value::RawValue>,
    ) {
        self.0.lock().unwrap().push((channel, kind.to_owned(), data.get().to_owned()));
    }

    fn tell(&self, user: UserId, kind: &'static str, data: Box<serde_json::value::RawValue>) {
        let told = (user.to_string(), kind.to_owned(), data.get().to_owned());
        self.1.lock().unwrap().push(told);
    }
}

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) published: Arc<Published>,
    pub(crate) realtime: Realtime,
    /// Where the bytes of files are.
    pub(crate) files: tempfile::TempDir,
    router: Router,
}

/// An answer, read.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["trace_id"], self.headers["x-trace-id"].to_str().unwrap());
        self.body
    }
}

/// A person: an identity with one device.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) identity: IdentitySecret,
    pub(crate) device: DeviceSecret,
    pub(crate) device_id: DeviceId,
    pub(crate) chain: Chain,
    pub(crate) first: Envelope,
    pub(crate) token: String,
    pub(crate) id: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(TestClock::default());
        clock.now.store(1_760_000_000_000, Ordering::SeqCst);
        let mut settings = Settings::new(ORIGIN);
        change(&mut settings);
        let entropy = Seeded(Mutex::new(rand::rngs::StdRng::seed_from_u64(7)));
        let files = tempfile::tempdir().unwrap();
        let app = App::open(Parts {
            store: Arc::new(MemoryStore::new(1)),
            blobs: Arc::new(Folder::open(files.path()).unwrap()),
            clock: clock.clone(),
            entropy: Arc::new(entropy),
            settings,
            setup_code: Some(SetupCode(SETUP.to_owned())),
            seal_key: SealKey::new([7; 32]),
            metrics: None,
        })
        .await
        .unwrap();
        let published = Arc::new(Published::default());
        app.deliver_ephemerals(published.clone());
        let stop = tokio_util::sync::CancellationToken::new();
        let (realtime, hub) = Realtime::start(app.clone(), stop).await.unwrap();
        tokio_util::task::TaskTracker::new().spawn(hub);
        let router = tidings_server::http::router(app.clone(), realtime.clone());
        Self { app, clock, published, realtime, files, router }
    }

    /// Sets the clock right, for tests with processes that have a clock of their own.
    pub(crate) fn to_the_present(&self) {
        #[expect(clippy::disallowed_methods, reason = "others look at the same clock")]
        let now = std::time::SystemTime::now();
        let millis = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        self.clock.now.store(i64::try_from(millis).unwrap(), Ordering::SeqCst);
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.now.fetch_add(seconds * 1000, Ordering::SeqCst);
        let millis = u64::try_from(seconds).unwrap() * 1000;
        self.clock.elapsed_ms.fetch_add(millis, Ordering::SeqCst);
    }

    /// Status, headers and bytes; of a stream, which never ends, no bytes.
    pub(crate) async fn look(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Bytes) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let endless = kind.is_some_and(|kind| kind == "text/event-stream");
        let bytes = if endless { Bytes::new() } else { body.collect().await.unwrap().to_bytes() };
        (parts.status, parts.headers, bytes)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn call(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.send(request(token, method, path, body)).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::DELETE, path, None).await
    }

    /// Somebody who has keys but no account yet.
    pub(crate) fn person(&self, name: &str) -> Person {
        let identity = IdentitySecret::from_seed(&self.app.random());
        let device = DeviceSecret::from_seed(&self.app.random());
        let device_id = DeviceId(self.app.new_id());
        let described = Device::describe(device_id, "laptop", "linux", &device);
        let (chain, first) = Chain::create(&identity, described, self.app.now()).unwrap();
        Person {
            name: name.to_owned(),
            identity,
            device,
            device_id,
            chain,
            first,
            token: String::new(),
            id: String::new(),
        }
    }

    pub(crate) async fn challenge(&self, person: &Person) -> String {
        let body = json!({"identity": person.identity.public().to_string()});
        let answer = self.post("", "/v1/auth/challenge", body).await.is(200);
        answer["challenge"].as_str().unwrap().to_owned()
    }

    /// A registration that is right in every part; `more` adds codes or spoils it.
    pub(crate) async fn registration(&self, person: &Person, more: Value) -> Value {
        let challenge = self.challenge(person).await;
        let signed = Register { origin: ORIGIN, username: &person.name, challenge: &challenge };
        let signature = signed.sign(&person.identity).unwrap().to_base64url();
        let envelope: Value = serde_json::from_str(person.first.as_json()).unwrap();
        let mut body = json!({
            "username": person.name,
            "identity": person.identity.public().to_string(),
            "origin": ORIGIN,
            "device": {"id": person.device_id.to_string(), "name": "laptop", "platform": "linux"},
            "chain": [envelope],
            "challenge": challenge,
            "signature": signature,
        });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    pub(crate) async fn register(&self, name: &str, more: Value) -> Person {
        let mut person = self.person(name);
        let body = self.registration(&person, more).await;
        let answer = self.post("", "/v1/accounts", body).await.is(201);
        person.token = text(&answer["session"]["token"]);
        person.id = text(&answer["user"]["id"]);
        person
    }

    /// The first account: the server's owner.
    pub(crate) async fn owner(&self) -> Person {
        self.register("ana", json!({"setup_code": SETUP})).await
    }

    /// A login that is right in every part; `more` spoils it.
    pub(crate) async fn login(&self, person: &Person, more: Value) -> Value {
        let challenge = self.challenge(person).await;
        let signed = Login { origin: ORIGIN, device_id: person.device_id, challenge: &challenge };
        let mut body = json!({
            "identity": person.identity.public().to_string(),
            "origin": ORIGIN,
            "device_id": person.device_id.to_string(),
            "challenge": challenge,
            "signature": signed.sign(&person.device).unwrap().to_base64url(),
        });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    /// A community and its `#general`.
    pub(crate) async fn community(&self, owner: &Person, slug: &str) -> (String, String) {
        let body = json!({"name": slug, "slug": slug});
        let made = self.post(&owner.token, "/v1/communities", body).await.is(201);
        let id = text(&made["id"]);
        let path = format!("/v1/communities/{id}/channels");
        let channels = self.get(&owner.token, &path).await.is(200);
        (id, text(&channels["items"][0]["id"]))
    }

    pub(crate) async fn invite(&self, by: &Person, community: &str, more: Value) -> String {
        let path = format!("/v1/communities/{community}/invites");
        text(&self.post(&by.token, &path, more).await.is(201)["code"])
    }

    /// Somebody new in a community.
    pub(crate) async fn member(&self, owner: &Person, community: &str, name: &str) -> Person {
        self.member_as(owner, community, name, "member").await
    }

    pub(crate) async fn member_as(
        &self,
        owner: &Person,
        community: &str,
        name: &str,
        role: &str,
    ) -> Person {
        let code = self.invite(owner, community, json!({"role": role})).await;
        self.register(name, json!({"invite": code})).await
    }

    pub(crate) async fn channel(&self, by: &Person, community: &str, body: Value) -> String {
        let path = format!("/v1/communities/{community}/channels");
        text(&self.post(&by.token, &path, body).await.is(201)["id"])
    }

    pub(crate) async fn say(&self, by: &Person, channel: &str, body: &str) -> Value {
        let message = json!({"client_id": self.app.new_id().to_string(), "body": body});
        let path = format!("/v1/channels/{channel}/messages");
        self.post(&by.token, &path, message).await.is(201)
    }

    /// The types of a channel's entries, in order.
    pub(crate) async fn log(&self, by: &Person, channel: &str) -> Vec<String> {
        let path = format!("/v1/channels/{channel}/log?limit=200");
        let log = self.get(&by.token, &path).await.is(200);
        log["items"].as_array().unwrap().iter().map(|entry| text(&entry["type"])).collect()
    }
}

pub(crate) fn request(
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// An id of nothing.
pub(crate) fn nowhere() -> Uuid {
    Uuid::from_u128(0x0193_a0c2_7b5e_7c3a_9f10_8e2d_4c6b_8a01)
}

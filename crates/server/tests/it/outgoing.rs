//! Outgoing webhooks, told to a real receiver on loopback.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::world::{Person, World, text};

/// A request as the receiver got it.
#[derive(Debug, Clone)]
struct Got {
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn said(&self) -> String {
        text(&self.event()["data"]["body"])
    }

    /// How many of its signatures a secret makes, by the algorithm of Standard Webhooks.
    fn signed(&self, secret: &str) -> usize {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update([id.as_bytes(), b".", at.as_bytes(), b".", &self.body].concat().as_slice());
        let ours = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').filter(|it| **it == ours).count()
    }
}

/// A status, and what stands in `Retry-After`.
type Answer = (u16, Option<&'static str>);

/// Answers as it was told to, and with 204 when nothing was said.
#[derive(Debug, Clone, Default)]
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
        let receiver = Self { url, ..Self::default() };
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio_util::task::TaskTracker::new()
            .spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    fn answer(&self, statuses: &[u16]) {
        let mut answers = self.answers.lock().unwrap();
        answers.extend(statuses.iter().map(|status| (*status, None)));
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    receiver.got.lock().unwrap().push(Got { headers, body });
    let mut answers = receiver.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, after) = answers.pop_front().unwrap_or((204, None));
    let status = StatusCode::from_u16(status).unwrap();
    match after {
        Some(after) => (status, [(header::RETRY_AFTER, after)]).into_response(),
        None => (status, [(header::LOCATION, "/elsewhere")]).into_response(),
    }
}

struct Scene {
    world: World,
    ana: Person,
    community: String,
    channel: String,
    receiver: Receiver,
}

impl Scene {
    async fn new() -> Self {
        let loopback = "127.0.0.0/8".parse().unwrap();
        let world = World::with(|settings| settings.outward_allow = vec![loopback]).await;
        let ana = world.owner().await;
        let (community, channel) = world.community(&ana, "acme").await;
        Self { world, ana, community, channel, receiver: Receiver::start().await }
    }

    async fn webhook(&self, path: &str, events: &[&str]) -> Value {
        let body = json!({"name": "ops", "url": self.receiver.url, "events": events});
        self.world.post(&self.ana.token, path, body).await.is(201)
    }

    /// A webhook of the community for messages alone.
    async fn for_messages(&self) -> Value {
        let path = format!("/v1/communities/{}/webhooks/outgoing", self.community);
        self.webhook(&path, &["message.created"]).await
    }

    async fn say(&self, body: &str) -> Value {
        self.world.say(&self.ana, &self.channel, body).await
    }

    /// Looks for work and does what is due; how much that was.
    async fn work(&self) -> usize {
        self.world.app.outgoing().look().await.unwrap();
        self.world.app.jobs().work_once().await.unwrap()
    }

    /// Works until the receiver has got so much. The hub tells what was committed in its own time.
    async fn until(&self, count: usize) -> Vec<Got> {
        for _ in 0..10_000 {
            self.work().await;
            let got = self.receiver.got();
            if got.len() >= count {
                return got;
            }
            tokio::task::yield_now().await;
        }
        panic!("the receiver got only {:?}", self.receiver.got());
    }

    async fn deliveries(&self, webhook: &Value) -> Vec<Value> {
        let path = format!("/v1/webhooks/outgoing/{}/deliveries", text(&webhook["id"]));
        let list = self.world.get(&self.ana.token, &path).await.is(200);
        list["items"].as_array().unwrap().clone()
    }

    async fn read(&self, webhook: &Value) -> Value {
        let path = format!("/v1/webhooks/outgoing/{}", text(&webhook["id"]));
        self.world.get(&self.ana.token, &path).await.is(200)
    }

    async fn change(&self, webhook: &Value, body: Value) -> Value {
        let path = format!("/v1/webhooks/outgoing/{}", text(&webhook["id"]));
        self.world.call(&self.ana.token, Method::PATCH, &path, Some(body)).await.is(200)
    }
}

#[tokio::test]
async fn events_are_told_in_order_and_signed() {
    let scene = Scene::new().await;
    scene.say("before").await;
    let webhook = scene.for_messages().await;
    let secret = text(&webhook["secret"]);
    for body in ["one", "two", "three é"] {
        scene.say(body).await;
    }
    let got = scene.until(3).await;
    assert_eq!(got.iter().map(Got::said).collect::<Vec<_>>(), ["one", "two", "three é"]);
    let ids: HashSet<&str> = got.iter().map(|it| it.header("webhook-id")).collect();
    assert_eq!(ids.len(), 3);
    for it in &got {
        assert_eq!(it.signed(&secret), 1);
        assert_eq!(it.header("content-type"), "application/json");
        let now = scene.world.app.now().0 / 1000;
        assert_eq!(it.header("webhook-timestamp"), now.to_string());
    }
    // It is the event of the log.
    let path = format!("/v1/channels/{}/log?limit=200", scene.channel);
    let log = scene.world.get(&scene.ana.token, &path).await.is(200);
    let told = got[2].event();
    let entry = log["items"].as_array().unwrap().last().unwrap();
    for key in ["actor_id", "channel_id", "community_id", "data", "log", "seq", "timestamp", "type"]
    {
        assert_eq!(told[key], entry[key], "{key}");
    }
    let shown = scene.read(&webhook).await;
    assert!(shown.get("secret").is_none() && shown["succeeded_at"].is_string(), "{shown}");
    assert_eq!(scene.work().await, 0);
}

#[tokio::test]
async fn what_fails_twice_is_told_at_the_third_attempt_before_anything_else() {
    let scene = Scene::new().await;
    let webhook = scene.for_messages().await;
    scene.receiver.answer(&[500, 503]);
    scene.say("first").await;
    scene.until(1).await;
    scene.say("second").await;
    scene.world.wait(3);
    assert_eq!(scene.work().await, 0, "it is too early");
    scene.world.wait(4);
    assert_eq!(scene.until(2).await.len(), 2);
    scene.world.wait(11);
    assert_eq!(scene.work().await, 0, "the second wait is longer");
    scene.world.wait(8);
    let got = scene.until(4).await;
    let said: Vec<_> = got.iter().map(Got::said).collect();
    assert_eq!(said, ["first", "first", "first", "second"]);
    let ids: Vec<&str> = got.iter().map(|it| it.header("webhook-id")).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    // Each attempt is signed at its own time.
    assert_ne!(got[0].header("webhook-timestamp"), got[2].header("webhook-timestamp"));
    assert!(got.iter().all(|it| it.signed(&text(&webhook["secret"])) == 1));

    let deliveries = scene.deliveries(&webhook).await;
    let seen: Vec<_> = deliveries.iter().map(|it| (&it["status"], &it["attempt"])).collect();
    let expected = [(204, 1), (204, 3), (503, 2), (500, 1)].map(|(s, a)| (json!(s), json!(a)));
    assert_eq!(seen, expected.iter().map(|(s, a)| (s, a)).collect::<Vec<_>>());
    assert!(deliveries[3]["next_at"].is_string() && deliveries[3]["error"].is_string());
    assert!(deliveries[0].get("error").is_none() && deliveries[0].get("next_at").is_none());
    assert_eq!(deliveries[1]["message_id"], ids[0]);
}

#[tokio::test]
async fn a_receiver_may_say_when_to_come_back() {
    let scene = Scene::new().await;
    scene.for_messages().await;
    scene.receiver.answers.lock().unwrap().push_back((429, Some("600")));
    scene.say("busy").await;
    scene.until(1).await;
    scene.world.wait(590);
    assert_eq!(scene.work().await, 0);
    scene.world.wait(20);
    scene.until(2).await;
}

#[tokio::test]
async fn private_channels_are_told_by_their_own_webhooks_alone() {
    let scene = Scene::new().await;
    let Scene { world, ana, .. } = &scene;
    let body = json!({"name": "private", "visibility": "private"});
    let private = world.channel(ana, &scene.community, body).await;
    let other = world.channel(ana, &scene.community, json!({"name": "other"})).await;
    scene.for_messages().await;
    world.say(ana, &private, "hidden").await;
    world.say(ana, &other, "shown").await;
    let got = scene.until(1).await;
    assert_eq!(got.iter().map(Got::said).collect::<Vec<_>>(), ["shown"]);

    let webhook = scene.webhook(&format!("/v1/channels/{private}/webhooks/outgoing"), &[]).await;
    assert_eq!(webhook["channel_id"], private.as_str());
    world.say(ana, &private, "told").await;
    let got = scene.until(2).await;
    let told = got[1].event();
    assert_eq!((&told["type"], &told["data"]["body"]), (&json!("message.created"), &json!("told")));
    // Another DM of the same person is nobody's business.
    let bob = world.member(ana, &scene.community, "bob").await;
    let dm = world.post(&ana.token, "/v1/dms", json!({"users": [bob.id]})).await.is(201);
    world.say(ana, &text(&dm["id"]), "between us").await;
    world.say(ana, &private, "last").await;
    let got = scene.until(3).await;
    assert_eq!(got.last().unwrap().said(), "last");
    // An admin who is not in the private channel does not see its webhook.
    let eve = world.member_as(ana, &scene.community, "eve", "admin").await;
    let path = format!("/v1/webhooks/outgoing/{}", text(&webhook["id"]));
    world.get(&eve.token, &path).await.refused(404, "not_found");
    world.delete(&eve.token, &path).await.refused(404, "not_found");
}

#[tokio::test]
async fn only_what_was_asked_for_is_told() {
    let scene = Scene::new().await;
    let Scene { world, ana, .. } = &scene;
    let path = format!("/v1/channels/{}/webhooks/outgoing", scene.channel);
    let asked = ["reaction.added", "message.deleted", "reaction.added"];
    let webhook = scene.webhook(&path, &asked).await;
    assert_eq!(webhook["events"], json!(["message.deleted", "reaction.added"]));
    let said = text(&scene.say("one").await["id"]);
    world.put(&ana.token, &format!("/v1/messages/{said}/reactions/:x:"), json!(null)).await.is(204);
    world.delete(&ana.token, &format!("/v1/messages/{said}")).await.is(204);
    let got = scene.until(2).await;
    let kinds: Vec<_> = got.iter().map(|it| text(&it.event()["type"])).collect();
    assert_eq!(kinds, ["reaction.added", "message.deleted"]);

    // What was passed over is not told when somebody asks for more.
    scene.change(&webhook, json!({"events": [], "name": "everything"})).await;
    scene.say("two").await;
    let got = scene.until(3).await;
    assert_eq!(got[2].said(), "two");
    let body = json!({"name": "x", "url": scene.receiver.url, "events": ["message.typed"]});
    let refused = world.post(&ana.token, &path, body).await.refused(422, "unprocessable");
    assert_eq!(refused["errors"][0]["field"], "events");
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("message.created"));
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_not_told() {
    let scene = Scene::new().await;
    scene.for_messages().await;
    scene.receiver.answer(&[500]);
    let said = text(&scene.say("a secret").await["id"]);
    scene.until(1).await;
    scene.world.delete(&scene.ana.token, &format!("/v1/messages/{said}")).await.is(204);
    scene.say("harmless").await;
    scene.world.wait(10);
    let got = scene.until(2).await;
    assert_eq!(got[1].said(), "harmless");
}

#[tokio::test]
async fn addresses_inside_are_refused_when_they_are_named_and_when_they_are_dialed() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (community, channel) = world.community(&ana, "acme").await;
    let receiver = Receiver::start().await;
    let path = format!("/v1/communities/{community}/webhooks/outgoing");
    let port = receiver.url.split([':', '/']).nth(4).unwrap();
    for url in [
        receiver.url.clone(),
        format!("http://[::ffff:127.0.0.1]:{port}/hook"),
        format!("http://2130706433:{port}/hook"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "ftp://example.org/".to_owned(),
        "https://user:password@example.org/".to_owned(),
        "example.org".to_owned(),
        String::new(),
        format!("https://example.org/{}", "x".repeat(3000)),
    ] {
        let body = json!({"name": "x", "url": url});
        let refused = world.post(&ana.token, &path, body).await.refused(422, "unprocessable");
        assert_eq!(refused["errors"][0]["field"], "url", "{url}");
    }
    let body = json!({"name": "x", "url": format!("http://localhost:{port}/hook")});
    let made = world.post(&ana.token, &path, body).await.is(201);
    world.say(&ana, &channel, "hello").await;
    world.app.outgoing().look().await.unwrap();
    assert_eq!(world.app.jobs().work_once().await.unwrap(), 1);
    let path = format!("/v1/webhooks/outgoing/{}/deliveries", text(&made["id"]));
    let list = world.get(&ana.token, &path).await.is(200);
    assert_eq!(list["items"][0]["error"], "localhost is not on the public Internet");
    assert!(list["items"][0].get("status").is_none());
    assert_eq!(receiver.got().len(), 0);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more() {
    let scene = Scene::new().await;
    let webhook = scene.for_messages().await;
    scene.receiver.answer(&[410]);
    scene.say("one").await;
    scene.say("two").await;
    scene.until(1).await;
    let shown = scene.read(&webhook).await;
    assert!(shown["disabled_reason"].as_str().unwrap().contains("410"), "{shown}");
    // Whoever made it is told.
    let told = scene.world.get(&scene.ana.token, "/v1/notifications?unread=true").await.is(200);
    assert_eq!(told["items"][0]["type"], "system", "{told}");
    scene.world.wait(1_000_000);
    assert_eq!(scene.work().await, 0);
    // Turned on again, it goes on with what was not accepted.
    let shown = scene.change(&webhook, json!({"enabled": true})).await;
    assert!(shown.get("disabled_at").is_none());
    let said: Vec<_> = scene.until(3).await.iter().map(Got::said).collect();
    assert_eq!(said, ["one", "one", "two"]);
    // And by hand it is turned off, too.
    scene.change(&webhook, json!({"enabled": false})).await;
    scene.say("three").await;
    assert_eq!(scene.work().await, 0);
}

#[tokio::test]
async fn a_receiver_that_is_away_for_long_is_given_up() {
    let scene = Scene::new().await;
    let webhook = scene.for_messages().await;
    scene.receiver.answer(&[500; 14]);
    scene.say("hello?").await;
    for attempt in 1..=14 {
        scene.until(attempt).await;
        let off = scene.read(&webhook).await.get("disabled_at").is_some();
        assert_eq!(off, attempt == 14, "attempt {attempt}");
        scene.world.wait(10 * 60 * 60);
    }
    let shown = scene.read(&webhook).await;
    assert!(shown["disabled_reason"].as_str().unwrap().contains("500"), "{shown}");
    assert_eq!(scene.work().await, 0);
    scene.change(&webhook, json!({"enabled": true})).await;
    assert_eq!(scene.until(15).await.len(), 15);
    assert_eq!(scene.deliveries(&webhook).await.len(), 15);
}

#[tokio::test]
async fn one_event_that_is_refused_holds_up_others_only_for_a_while() {
    let scene = Scene::new().await;
    let webhook = scene.for_messages().await;
    scene.receiver.answer(&[400, 302, 400, 400, 422, 400]);
    scene.say("poison").await;
    scene.say("bread").await;
    for attempt in 1..=6 {
        scene.until(attempt).await;
        scene.world.wait(2_000);
    }
    let got = scene.until(7).await;
    assert_eq!(got.iter().filter(|it| it.said() == "poison").count(), 6);
    assert_eq!(got[6].said(), "bread");
    assert!(scene.read(&webhook).await.get("disabled_at").is_none());
    let deliveries = scene.deliveries(&webhook).await;
    assert!(deliveries[5]["error"].as_str().unwrap().contains("redirect"), "{deliveries:?}");
}

#[tokio::test]
async fn a_new_secret_signs_beside_the_old_one_for_a_day() {
    let scene = Scene::new().await;
    let webhook = scene.for_messages().await;
    let old = text(&webhook["secret"]);
    let path = format!("/v1/webhooks/outgoing/{}/secret", text(&webhook["id"]));
    let rotated = scene.world.post(&scene.ana.token, &path, json!({})).await.is(200);
    let new = text(&rotated["secret"]);
    assert_ne!(old, new);
    scene.say("one").await;
    let both = scene.until(1).await.remove(0);
    assert_eq!((both.signed(&old), both.signed(&new)), (1, 1));
    scene.world.wait(24 * 60 * 60);
    scene.say("two").await;
    let one = scene.until(2).await.remove(1);
    assert_eq!((one.signed(&old), one.signed(&new)), (0, 1));
}

#[tokio::test]
async fn a_test_tells_at_once_how_the_receiver_answers() {
    let scene = Scene::new().await;
    let webhook = scene.for_messages().await;
    let path = format!("/v1/webhooks/outgoing/{}/test", text(&webhook["id"]));
    let tested = scene.world.post(&scene.ana.token, &path, json!({})).await.is(200);
    assert_eq!((&tested["status"], tested.get("error")), (&json!(204), None));
    let got = scene.receiver.got().remove(0);
    assert_eq!(got.event()["type"], "webhook.test");
    assert_eq!(got.header("webhook-id"), tested["message_id"]);
    assert_eq!(got.signed(&text(&webhook["secret"])), 1);
    scene.receiver.answer(&[401]);
    let tested = scene.world.post(&scene.ana.token, &path, json!({})).await.is(200);
    assert_eq!(tested["error"], "the receiver refused it with 401 Unauthorized");
    assert_eq!(scene.deliveries(&webhook).await.len(), 2);
    scene.world.wait(100_000);
    assert_eq!(scene.work().await, 0, "a test is not repeated");
}

#[tokio::test]
async fn webhooks_are_listed_where_they_belong_and_end() {
    let scene = Scene::new().await;
    let Scene { world, ana, .. } = &scene;
    let whole = scene.for_messages().await;
    let of_channel = format!("/v1/channels/{}/webhooks/outgoing", scene.channel);
    let part = scene.webhook(&of_channel, &[]).await;
    let of_community = format!("/v1/communities/{}/webhooks/outgoing", scene.community);
    for (path, only) in [(&of_community, &whole), (&of_channel, &part)] {
        let list = world.get(&ana.token, path).await.is(200);
        let items = list["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["id"]), (1, &only["id"]));
        assert!(items[0].get("secret").is_none());
    }
    let path = format!("/v1/webhooks/outgoing/{}", text(&part["id"]));
    world.delete(&ana.token, &path).await.is(204);
    world.delete(&ana.token, &path).await.refused(404, "not_found");
    scene.say("only once").await;
    assert_eq!(scene.until(1).await.len(), 1);
    assert_eq!(scene.work().await, 0);
    for number in 1..20 {
        let body = json!({"name": number.to_string(), "url": "https://example.org/"});
        world.post(&ana.token, &of_community, body).await.is(201);
    }
    let body = json!({"name": "one too many", "url": "https://example.org/"});
    world.post(&ana.token, &of_community, body).await.refused(409, "conflict");
    let body = json!({"name": "x".repeat(65), "url": "https://example.org/"});
    world.post(&ana.token, &of_channel, body).await.refused(422, "unprocessable");
}

//! Previews of links, from a real site on loopback.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{Person, World, text};

const HTML: &str = "text/html; charset=utf-8";

/// A type, and bytes.
type Page = (String, Vec<u8>);

/// Pages by their paths, each with its type, and how often each was asked for.
#[derive(Debug, Clone, Default)]
struct Site {
    origin: String,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

impl Site {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let site = Self { origin, ..Self::default() };
        let router = Router::new().fallback(serve).with_state(site.clone());
        tokio_util::task::TaskTracker::new()
            .spawn(async move { axum::serve(listener, router).await.unwrap() });
        site
    }

    fn put(&self, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> String {
        let page = (kind.to_owned(), body.into());
        self.pages.lock().unwrap().insert(path.to_owned(), page);
        format!("{}{path}", self.origin)
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }
}

async fn serve(State(site): State<Site>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().to_owned();
    site.asked.lock().unwrap().push((path.clone(), headers));
    match site.pages.lock().unwrap().get(&path) {
        Some((kind, body)) => {
            ([(header::CONTENT_TYPE, kind.clone())], body.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([u8::try_from(x % 251).unwrap(), u8::try_from(y % 241).unwrap(), 7])
    });
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

struct Scene {
    world: World,
    ana: Person,
    community: String,
    channel: String,
    site: Site,
}

impl Scene {
    async fn new() -> Self {
        let loopback = "127.0.0.0/8".parse().unwrap();
        let world = World::with(|settings| settings.outward_allow = vec![loopback]).await;
        let ana = world.owner().await;
        let (community, channel) = world.community(&ana, "acme").await;
        Self { world, ana, community, channel, site: Site::start().await }
    }

    /// Says something, lets the server look, and reads the message again.
    async fn say(&self, body: &str) -> Value {
        let said = self.world.say(&self.ana, &self.channel, body).await;
        assert!(said.get("previews").is_none(), "a send waits for no page");
        self.world.app.jobs().work_once().await.unwrap();
        self.read(&said).await
    }

    async fn read(&self, message: &Value) -> Value {
        let path = format!("/v1/messages/{}", text(&message["id"]));
        self.world.get(&self.ana.token, &path).await.is(200)
    }
}

#[tokio::test]
async fn a_link_is_looked_up_once_for_everybody() {
    let scene = Scene::new().await;
    let Scene { world, ana, site, .. } = &scene;
    let bob = world.member(ana, &scene.community, "bob").await;
    let since = text(&world.get(&bob.token, "/v1/sync").await.is(200)["next"]);
    let page = "<title>x</title><meta property=og:title content='Tides &amp; <b>boats</b>'>\
                <meta property=og:description content='When the\n\u{202e}water comes'>\
                <meta property=og:site_name content='Harbor'>\
                <meta property=og:image content='/boat.png'>";
    let link = site.put("/tides?x=1&y=2", HTML, page);
    site.put("/tides", HTML, page);
    site.put("/boat.png", "image/png", png(2000, 1000));
    let message = scene.say(&format!("look: {link}")).await;

    let preview = &message["previews"][0];
    assert_eq!(preview["url"], link.as_str());
    assert_eq!(preview["title"], "Tides & <b>boats</b>");
    assert_eq!(preview["description"], "When the water comes");
    assert_eq!(preview["site"], "Harbor");
    let image = &preview["image"];
    assert_eq!((&image["content_type"], &image["width"]), (&json!("image/jpeg"), &json!(640)));
    assert!(message.get("edited_at").is_none());

    // Everybody hears of it, once, and without a word on who reads.
    let sync = world.get(&bob.token, &format!("/v1/sync?since={since}")).await.is(200);
    let events = sync["events"].as_array().unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|it| &it["event"])
        .chain(events)
        .filter(|it| it["type"] == "message.previewed")
        .collect();
    assert_eq!(told.len(), 1, "{sync}");
    assert_eq!(told[0]["data"]["previews"], message["previews"]);
    let channels = world.get(&bob.token, "/v1/channels").await.is(200);
    let unread =
        channels["items"].as_array().unwrap().iter().find(|it| it["id"] == scene.channel.as_str());
    assert_eq!(unread.unwrap()["unread"], 1, "a preview is no message");

    // The picture is seen by those who see the message.
    let path = format!("/v1/media/{}", text(&image["id"]));
    let (status, headers, bytes) =
        world.look(crate::world::request(&bob.token, http::Method::GET, &path, None)).await;
    assert_eq!(
        (status.as_u16(), &headers[header::CONTENT_TYPE]),
        (200, &"image/jpeg".parse().unwrap())
    );
    assert!(bytes.len() < 200_000);
    let eve = world.person("eve");
    world.get(&eve.token, &path).await.refused(401, "unauthorized");

    // The same link again is not asked for again, and a stranger is who asks.
    let again = scene.say(&format!("again {link}")).await;
    assert_eq!(again["previews"][0]["title"], preview["title"]);
    assert_eq!((site.asked("/tides"), site.asked("/boat.png")), (1, 1));
    for (_, headers) in site.asked.lock().unwrap().iter() {
        assert!(
            !headers.contains_key(header::AUTHORIZATION) && !headers.contains_key(header::COOKIE)
        );
        assert!(!headers.contains_key(header::REFERER));
    }
    // An hour later it is.
    world.wait(3700);
    scene.say(&link).await;
    assert_eq!(site.asked("/tides"), 2);

    // History has only what was said; what a page said goes with the message.
    let path = format!("/v1/messages/{}", text(&message["id"]));
    let history = world.get(&ana.token, &format!("{path}/history")).await.is(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 1, "{history}");
    world.delete(&ana.token, &path).await.is(204);
    let tombstone = scene.read(&message).await;
    assert!(tombstone.get("previews").is_none());
    let path = format!("/v1/channels/{}/log?limit=200", scene.channel);
    let log = world.get(&ana.token, &path).await.is(200).to_string();
    let path = format!("/v1/media/{}", text(&image["id"]));
    world.get(&bob.token, &path).await.refused(404, "not_found");
    assert_eq!(log.matches("When the water comes").count(), 2, "those of the other two messages");
}

#[tokio::test]
async fn links_in_code_and_too_many_are_left_alone() {
    let scene = Scene::new().await;
    let links: Vec<_> = (0..8)
        .map(|it| scene.site.put(&format!("/{it}"), HTML, format!("<title>page {it}</title>")))
        .collect();
    let body = format!(
        "`{}` {} {} {}\n```\n{}\n```\n{} {} {}",
        links[0], links[1], links[2], links[1], links[3], links[4], links[5], links[6]
    );
    let message = scene.say(&format!("{body} {}", links[7])).await;
    let titles: Vec<_> =
        message["previews"].as_array().unwrap().iter().map(|it| text(&it["title"])).collect();
    assert_eq!(titles, ["page 1", "page 2", "page 4", "page 5", "page 6"]);
    assert_eq!((scene.site.asked("/0"), scene.site.asked("/3"), scene.site.asked("/7")), (0, 0, 0));
    let nothing = scene.say("no link, and `https://example.org/` in code").await;
    assert!(nothing.get("previews").is_none());
}

#[tokio::test]
async fn an_edit_looks_again() {
    let scene = Scene::new().await;
    let one = scene.site.put("/one", HTML, "<title>one</title>");
    let two = scene.site.put(
        "/two",
        "text/html; charset=ISO-8859-1",
        b"<title>zw\xf6lf</title>".to_vec(),
    );
    let message = scene.say(&one).await;
    assert_eq!(message["previews"][0]["title"], "one");
    let path = format!("/v1/messages/{}", text(&message["id"]));
    let edit = async |body: &str| {
        scene.world.patch(&scene.ana.token, &path, json!({"body": body})).await.is(200);
        scene.world.app.jobs().work_once().await.unwrap();
        scene.read(&message).await
    };
    assert_eq!(edit(&two).await["previews"][0]["title"], "zwölf");
    let plain = edit("nothing any more").await;
    assert!(plain.get("previews").is_none() && plain["body"] == "nothing any more", "{plain}");
}

#[tokio::test]
async fn nothing_inside_is_looked_at() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, channel) = world.community(&ana, "acme").await;
    let site = Site::start().await;
    let link = site.put("/inside", HTML, "<title>secret</title>");
    let port = site.origin.rsplit(':').next().unwrap();
    let body =
        format!("{link} http://localhost:{port}/inside http://[::ffff:127.0.0.1]:{port}/inside");
    let said = world.say(&ana, &channel, &body).await;
    assert_eq!(world.app.jobs().work_once().await.unwrap(), 1);
    let found = world.get(&ana.token, &format!("/v1/messages/{}", text(&said["id"]))).await.is(200);
    assert!(found.get("previews").is_none(), "{found}");
    assert!(site.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn pages_that_are_none_have_no_preview() {
    let scene = Scene::new().await;
    let site = &scene.site;
    let links = [
        site.put("/untitled", HTML, "<p>hello</p>"),
        site.put("/text", "text/plain", "<title>no</title>"),
        site.put("/broken.png", "image/png", "no picture"),
        format!("{}/missing", site.origin),
        // Our own pages say nothing to strangers.
        format!("{}/c/acme", crate::world::ORIGIN),
    ];
    let message = scene.say(&links.join(" ")).await;
    assert!(message.get("previews").is_none(), "{message}");
    // A picture is its own preview.
    let link = site.put("/boats/two%20boats.png", "image/png", png(30, 20));
    let message = scene.say(&link).await;
    let preview = &message["previews"][0];
    assert_eq!((&preview["image"]["width"], &preview["site"]), (&json!(30), &json!("127.0.0.1")));
    // One that would take all memory costs a title its picture, and nothing else.
    let mut bomb = png(1, 1);
    bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    site.put("/bomb.png", "image/png", bomb);
    let page = "<title>boom</title><meta property=og:image content=/bomb.png>";
    let message = scene.say(&site.put("/boom", HTML, page)).await;
    assert_eq!(message["previews"][0]["title"], "boom");
    assert!(message["previews"][0].get("image").is_none());
}

#[tokio::test]
async fn channels_and_people_decide_against_it() {
    let scene = Scene::new().await;
    let Scene { world, ana, channel, .. } = &scene;
    let link = scene.site.put("/page", HTML, "<title>page</title>");
    let of_channel = format!("/v1/channels/{channel}/previews");
    for path in [of_channel.as_str(), "/v1/me/previews"] {
        let switch = world.get(&ana.token, path).await.is(200);
        assert_eq!(switch, json!({"enabled": true}));
        world.put(&ana.token, path, json!({"enabled": false})).await.is(204);
        assert_eq!(world.get(&ana.token, path).await.is(200), json!({"enabled": false}));
        let message = scene.say(&link).await;
        assert!(message.get("previews").is_none(), "{path}");
        assert_eq!(scene.site.asked("/page"), 0);
        world.put(&ana.token, path, json!({"enabled": true})).await.is(204);
    }
    assert_eq!(scene.say(&link).await["previews"][0]["title"], "page");
    // Whoever is in a DM decides for it.
    let bob = world.member(ana, &scene.community, "bob").await;
    let dm = world.post(&ana.token, "/v1/dms", json!({"users": [bob.id]})).await.is(201);
    let path = format!("/v1/channels/{}/previews", text(&dm["id"]));
    world.put(&bob.token, &path, json!({"enabled": false})).await.is(204);
    assert_eq!(world.get(&ana.token, &path).await.is(200), json!({"enabled": false}));
    world.put(&bob.token, &of_channel, json!({"enabled": false})).await.refused(403, "forbidden");
    world.put(&ana.token, &path, json!({"enabled": "no"})).await.is(400);
}

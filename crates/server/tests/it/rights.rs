//! Who may do what: every route that acts on something, for everybody who could try.
//!
//! The table says the status that each caller must see. Whoever adds a route adds its row: the
//! test fails when the OpenAPI document knows a route that is missing here.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::world::{Person, World, text};

const WHO: [&str; 6] = ["owner", "admin", "member", "former", "stranger", "nobody"];

/// Routes without an object to have rights over: one's own account, lists of one's own, entry.
const OPEN: &[&str] = &[
    "get /.well-known/tidings",
    "get /healthz",
    "get /readyz",
    "get /metrics",
    "post /v1/accounts",
    "post /v1/auth/challenge",
    "post /v1/sessions",
    "get /v1/sessions",
    "delete /v1/sessions/current",
    "delete /v1/sessions/{id}",
    "get /v1/me",
    "patch /v1/me",
    "get /v1/users",
    "get /v1/identities/{identity}/chain",
    "post /v1/identities/{identity}/chain",
    "get /v1/communities",
    "post /v1/communities",
    "get /v1/channels",
    "post /v1/dms",
    "get /v1/search",
    "get /v1/threads",
    "get /v1/invites/{code}",
    "get /v1/sync",
    "get /v1/stream",
    "get /v1/ws",
];

/// A row: method, path, body, and a status for each of [`WHO`].
fn table() -> Vec<(Method, &'static str, Value, [u16; 6])> {
    use Method as M;
    let none = Value::Null;
    vec![
        (M::GET, "/v1/communities/{c}", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::PATCH, "/v1/communities/{c}", json!({}), [200, 200, 403, 404, 404, 401]),
        (M::GET, "/v1/communities/{c}/members", none.clone(), [200, 200, 200, 404, 404, 401]),
        (
            M::PATCH,
            "/v1/communities/{c}/members/{extra}",
            json!({"role": "member"}),
            [200, 403, 403, 404, 404, 401],
        ),
        (
            M::DELETE,
            "/v1/communities/{c}/members/{extra}",
            none.clone(),
            [204, 204, 403, 404, 404, 401],
        ),
        (M::POST, "/v1/communities/{c}/invites", json!({}), [201, 201, 403, 404, 404, 401]),
        (M::GET, "/v1/communities/{c}/invites", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::DELETE, "/v1/invites/{code}", none.clone(), [204, 204, 403, 404, 404, 401]),
        (M::POST, "/v1/invites/{code}/accept", json!({}), [200, 200, 200, 200, 200, 401]),
        (
            M::POST,
            "/v1/communities/{c}/channels",
            json!({"name": "{fresh}"}),
            [201, 201, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/channels", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::GET, "/v1/channels/{public}", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::PATCH, "/v1/channels/{public}", json!({}), [200, 200, 403, 404, 404, 401]),
        (M::DELETE, "/v1/channels/{public}", none.clone(), [204, 204, 403, 404, 404, 401]),
        (M::POST, "/v1/channels/{public}/join", json!({}), [200, 200, 200, 404, 404, 401]),
        (M::POST, "/v1/channels/{public}/leave", json!({}), [204, 204, 204, 404, 404, 401]),
        (M::GET, "/v1/channels/{public}/members", none.clone(), [200, 200, 200, 404, 404, 401]),
        (
            M::POST,
            "/v1/channels/{public}/members",
            json!({"user_id": "{extra}"}),
            [200, 200, 200, 404, 404, 401],
        ),
        (
            M::DELETE,
            "/v1/channels/{public}/members/{extra}",
            none.clone(),
            [204, 204, 403, 404, 404, 401],
        ),
        (M::PUT, "/v1/channels/{public}/read", json!({"seq": 1}), [200, 200, 200, 404, 404, 401]),
        (
            M::POST,
            "/v1/channels/{public}/typing",
            json!({"state": "stop"}),
            [204, 204, 204, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/channels/{public}/messages",
            json!({"client_id": "{fresh}", "body": "x"}),
            [201, 201, 201, 404, 404, 401],
        ),
        (M::GET, "/v1/channels/{public}/messages", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::GET, "/v1/channels/{public}/log", none.clone(), [200, 200, 200, 404, 404, 401]),
        // The message is the extra member's, in the public channel.
        (M::GET, "/v1/messages/{message}", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::PATCH, "/v1/messages/{message}", json!({"body": "y"}), [403, 403, 403, 404, 404, 401]),
        (M::DELETE, "/v1/messages/{message}", none.clone(), [204, 204, 403, 404, 404, 401]),
        (M::GET, "/v1/messages/{message}/history", none.clone(), [200, 200, 200, 404, 404, 401]),
        (
            M::PUT,
            "/v1/messages/{message}/reactions/:x:",
            none.clone(),
            [204, 204, 204, 404, 404, 401],
        ),
        (
            M::DELETE,
            "/v1/messages/{message}/reactions/:x:",
            none.clone(),
            [204, 204, 204, 404, 404, 401],
        ),
        (M::PUT, "/v1/messages/{message}/read", json!({"seq": 1}), [200, 200, 200, 404, 404, 401]),
        (M::PUT, "/v1/messages/{hidden}/read", json!({"seq": 1}), [404, 404, 404, 404, 404, 401]),
        // A private channel of the extra member: it does not exist for anybody else.
        (M::GET, "/v1/channels/{private}", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::PATCH, "/v1/channels/{private}", json!({}), [404, 404, 404, 404, 404, 401]),
        (M::POST, "/v1/channels/{private}/join", json!({}), [404, 404, 404, 404, 404, 401]),
        (
            M::POST,
            "/v1/channels/{private}/messages",
            json!({"client_id": "x", "body": "x"}),
            [404, 404, 404, 404, 404, 401],
        ),
        (M::GET, "/v1/channels/{private}/messages", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::GET, "/v1/channels/{private}/log", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::GET, "/v1/messages/{hidden}", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::DELETE, "/v1/messages/{hidden}", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::GET, "/v1/users/{extra}", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::GET, "/v1/users/{extra}/devices", none.clone(), [200, 200, 200, 404, 404, 401]),
        // The community's owner is not the server's.
        (M::POST, "/v1/admin/imports", json!({}), [403, 403, 403, 403, 403, 401]),
        (M::POST, "/v1/admin/users/{extra}/reset", json!({}), [403, 403, 403, 403, 403, 401]),
    ]
}

struct Scene {
    world: World,
    people: Vec<Person>,
    names: Vec<(&'static str, String)>,
}

/// A new server for each attempt, so that no attempt changes what the next one sees.
async fn scene() -> Scene {
    let world = World::new().await;
    let root = world.owner().await;
    let (hall, _) = world.community(&root, "hall").await;
    let owner = world.member(&root, &hall, "owner").await;
    let (c, general) = world.community(&owner, "acme").await;
    let admin = world.member_as(&owner, &c, "admin", "admin").await;
    let member = world.member(&owner, &c, "member").await;
    let former = world.member(&owner, &c, "former").await;
    let extra = world.member_as(&owner, &c, "extra", "admin").await;
    let stranger = world.member(&root, &hall, "stranger").await;
    let public = world.channel(&owner, &c, json!({"name": "public"})).await;
    for person in [&admin, &member, &former] {
        world.say(person, &public, "hello").await;
    }
    let message = text(&world.say(&extra, &public, "mine").await["id"]);
    let body = json!({"name": "private", "visibility": "private"});
    let private = world.channel(&extra, &c, body).await;
    let hidden = text(&world.say(&extra, &private, "hidden").await["id"]);
    let path = format!("/v1/communities/{c}/members");
    world
        .patch(&owner.token, &format!("{path}/{}", extra.id), json!({"role": "member"}))
        .await
        .is(200);
    world.delete(&former.token, &format!("{path}/{}", former.id)).await.is(204);
    let code = world.invite(&owner, &c, json!({})).await;
    let mut nobody = world.person("nobody");
    nobody.token = String::new();
    let names = vec![
        ("{c}", c),
        ("{general}", general),
        ("{public}", public),
        ("{private}", private),
        ("{message}", message),
        ("{hidden}", hidden),
        ("{extra}", extra.id.clone()),
        ("{code}", code),
        ("{fresh}", "fresh".to_owned()),
    ];
    Scene { world, people: vec![owner, admin, member, former, stranger, nobody], names }
}

#[tokio::test]
async fn everybody_may_do_exactly_what_the_table_says() {
    let mut wrong = Vec::new();
    for (method, path, body, expected) in table() {
        for (at, who) in WHO.into_iter().enumerate() {
            let scene = scene().await;
            let fill = |text: &str| {
                scene.names.iter().fold(text.to_owned(), |text, (key, id)| text.replace(key, id))
            };
            let body =
                (!body.is_null()).then(|| serde_json::from_str(&fill(&body.to_string())).unwrap());
            let token = &scene.people[at].token;
            let answer = scene.world.call(token, method.clone(), &fill(path), body).await;
            if answer.status.as_u16() != expected[at] {
                wrong.push(format!(
                    "{method} {path} as {who}: {} instead of {}: {}",
                    answer.status, expected[at], answer.body
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_knows_every_route() {
    let general = |path: &str| -> String {
        path.split('/')
            .map(|part| if part.starts_with(['{', ':']) { "{}" } else { part })
            .collect::<Vec<_>>()
            .join("/")
    };
    let mut known: BTreeSet<String> = table()
        .iter()
        .map(|(method, path, ..)| format!("{} {}", method.as_str().to_lowercase(), general(path)))
        .collect();
    known.extend(OPEN.iter().map(|route| {
        let (method, path) = route.split_once(' ').unwrap();
        format!("{method} {}", general(path))
    }));
    let document = serde_json::to_value(tidings_server::http::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let route = format!("{method} {}", general(path));
            assert!(known.contains(&route), "{route} is missing in the table of rights");
        }
    }
}

//! Who may do what: every route that acts on something, for everybody who could try.
//!
//! The table says the status that each caller must see. Whoever adds a route adds its row: the
//! test fails when the OpenAPI document knows a route that is missing here.

use std::collections::{BTreeSet, HashMap};

use http::Method;
use serde_json::{Value, json};
use tidings_domain::Scope;
use tidings_server::access::scope::{self, Need};
use tidings_storage::command::StoredInvocation;
use tidings_storage::{Change, Record};

use crate::media;
use crate::world::{Answer, Person, World, text};

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
    "get /v1/presence",
    "post /v1/heartbeat",
    "get /v1/me/blocks",
    // Alike for everybody, whoever is named.
    "delete /v1/me/blocks/{user_id}",
    "put /v1/me/status",
    "get /v1/me/previews",
    "put /v1/me/previews",
    "get /v1/users",
    "get /v1/identities/{identity}/chain",
    "post /v1/identities/{identity}/chain",
    "get /v1/communities",
    "post /v1/communities",
    "get /v1/channels",
    "post /v1/dms",
    "post /v1/media",
    "get /v1/search",
    "get /v1/threads",
    "get /v1/notifications",
    "post /v1/notifications/read",
    "get /v1/me/attention",
    "put /v1/me/attention",
    "get /v1/drafts",
    "get /v1/saved",
    "post /v1/reports/{id}/resolve",
    "get /v1/invites/{code}",
    "get /v1/me/join-requests",
    // Of nobody's own request: not there, for everybody alike.
    "delete /v1/me/join-requests/{community_id}",
    "get /.well-known/jwks.json",
    "get /.well-known/oauth-authorization-server",
    "get /.well-known/webfinger",
    "get /v1/auth/oauth/{provider}/start",
    "get /v1/auth/oauth/{provider}/callback",
    "post /v1/auth/oauth/ticket",
    "post /v1/auth/oauth/session",
    "post /v1/oauth/device",
    "post /v1/oauth/token",
    "post /v1/auth/token",
    // Whoever is told the code of a terminal may answer it.
    "get /v1/auth/device/{user_code}",
    "post /v1/auth/device/{user_code}/approve",
    "post /v1/auth/device/{user_code}/deny",
    "get /device",
    "post /device",
    "get /v1/me/links",
    "post /v1/me/links",
    "delete /v1/me/links/{provider}",
    "get /v1/sync",
    "get /v1/stream",
    "get /v1/ws",
    "get /v1/tokens",
    "post /v1/tokens",
    "post /hook/{id}/{token}",
    "post /hook/{id}/{token}/{source}",
];

/// A row: method, path, body, and a status for each of [`WHO`].
#[expect(clippy::too_many_lines, reason = "a table: one row for each route")]
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
        (
            M::POST,
            "/v1/communities/{c}/bots",
            json!({"name": "fresh", "scopes": ["messages:read"]}),
            [201, 201, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/bots", none.clone(), [200, 200, 403, 404, 404, 401]),
        (
            M::POST,
            "/v1/bots/{bot}/tokens",
            json!({"name": "fresh"}),
            [201, 201, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/bots/{bot}/tokens", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::DELETE, "/v1/bots/{bot}", none.clone(), [204, 204, 403, 404, 404, 401]),
        // The token is the bot's: nobody's own.
        (M::DELETE, "/v1/tokens/{token}", none.clone(), [204, 204, 403, 404, 404, 401]),
        (
            M::POST,
            "/v1/channels/{public}/webhooks",
            json!({"name": "fresh"}),
            [201, 201, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/channels/{public}/webhooks", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::DELETE, "/v1/webhooks/{webhook}", none.clone(), [204, 204, 403, 404, 404, 401]),
        (
            M::POST,
            "/v1/channels/{private}/webhooks",
            json!({"name": "fresh"}),
            [404, 404, 404, 404, 404, 401],
        ),
        (M::GET, "/v1/channels/{public}/previews", none.clone(), [200, 200, 200, 404, 404, 401]),
        (
            M::PUT,
            "/v1/channels/{public}/previews",
            json!({"enabled": false}),
            [204, 204, 403, 404, 404, 401],
        ),
        (
            M::PUT,
            "/v1/channels/{private}/previews",
            json!({"enabled": false}),
            [404, 404, 404, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/communities/{c}/webhooks/outgoing",
            json!({"name": "fresh", "url": "http://127.0.0.1:9/"}),
            [201, 201, 403, 404, 404, 401],
        ),
        (
            M::GET,
            "/v1/communities/{c}/webhooks/outgoing",
            none.clone(),
            [200, 200, 403, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/channels/{public}/webhooks/outgoing",
            json!({"name": "fresh", "url": "http://127.0.0.1:9/"}),
            [201, 201, 403, 404, 404, 401],
        ),
        (
            M::GET,
            "/v1/channels/{public}/webhooks/outgoing",
            none.clone(),
            [200, 200, 403, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/channels/{private}/webhooks/outgoing",
            json!({"name": "fresh", "url": "http://127.0.0.1:9/"}),
            [404, 404, 404, 404, 404, 401],
        ),
        (M::GET, "/v1/webhooks/outgoing/{outgoing}", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::PATCH, "/v1/webhooks/outgoing/{outgoing}", json!({}), [200, 200, 403, 404, 404, 401]),
        (
            M::DELETE,
            "/v1/webhooks/outgoing/{outgoing}",
            none.clone(),
            [204, 204, 403, 404, 404, 401],
        ),
        (
            M::GET,
            "/v1/webhooks/outgoing/{outgoing}/deliveries",
            none.clone(),
            [200, 200, 403, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/webhooks/outgoing/{outgoing}/test",
            json!({}),
            [200, 200, 403, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/webhooks/outgoing/{outgoing}/secret",
            json!({}),
            [200, 200, 403, 404, 404, 401],
        ),
        // A webhook of the extra member's private channel.
        (M::GET, "/v1/webhooks/outgoing/{quiet}", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::DELETE, "/v1/webhooks/outgoing/{quiet}", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::POST, "/v1/communities/{c}/invites", json!({}), [201, 201, 403, 404, 404, 401]),
        (M::GET, "/v1/communities/{c}/invites", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::DELETE, "/v1/invites/{code}", none.clone(), [204, 204, 403, 404, 404, 401]),
        (M::GET, "/v1/communities/{c}/join-requests", none.clone(), [200, 200, 403, 404, 404, 401]),
        (
            M::POST,
            "/v1/communities/{c}/join-requests/{waiting}/approve",
            json!({}),
            [204, 204, 403, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/communities/{c}/join-requests/{waiting}/refuse",
            json!({}),
            [204, 204, 403, 404, 404, 401],
        ),
        (M::POST, "/v1/invites/{code}/accept", json!({}), [200, 200, 200, 200, 200, 401]),
        (
            M::POST,
            "/v1/communities/{c}/channels",
            json!({"name": "{fresh}"}),
            [201, 201, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/channels", none.clone(), [200, 200, 200, 404, 404, 401]),
        (
            M::PATCH,
            "/v1/communities/{c}/members/{extra}",
            json!({"nickname": "Ex"}),
            [200, 200, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/bans", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::PUT, "/v1/communities/{c}/bans/{extra}", json!({}), [204, 204, 403, 404, 404, 401]),
        (
            M::DELETE,
            "/v1/communities/{c}/bans/{extra}",
            none.clone(),
            [204, 204, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/mutes", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::PUT, "/v1/communities/{c}/mutes/{extra}", json!({}), [204, 204, 403, 404, 404, 401]),
        (
            M::DELETE,
            "/v1/communities/{c}/mutes/{extra}",
            none.clone(),
            [204, 204, 403, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/commands", none.clone(), [200, 200, 200, 404, 404, 401]),
        (
            M::POST,
            "/v1/channels/{public}/commands",
            json!({"text": "/help"}),
            [200, 200, 200, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/channels/{private}/commands",
            json!({"text": "/help"}),
            [404, 404, 404, 404, 404, 401],
        ),
        (M::GET, "/v1/bots/{bot}/commands", none.clone(), [200, 200, 403, 404, 404, 401]),
        (
            M::PUT,
            "/v1/bots/{bot}/commands",
            json!({"commands": []}),
            [200, 200, 403, 404, 404, 401],
        ),
        // Only the bot that was asked answers.
        (
            M::POST,
            "/v1/invocations/{invocation}/reply",
            json!({"text": "x"}),
            [404, 404, 404, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/audit", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::GET, "/v1/admin/audit", none.clone(), [403, 403, 403, 403, 403, 401]),
        (
            M::POST,
            "/v1/channels/{public}/purge",
            json!({"last": 1}),
            [200, 200, 403, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/channels/{private}/purge",
            json!({"last": 1}),
            [404, 404, 404, 404, 404, 401],
        ),
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
        // Files of the extra member: in a message of the public channel, in one of the private
        // channel, and in none.
        (M::GET, "/v1/media/{carried}", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::GET, "/v1/media/{concealed}", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::GET, "/v1/media/{loose}", none.clone(), [404, 404, 404, 404, 404, 401]),
        // None of them is a picture.
        (M::GET, "/v1/media/{carried}/thumb", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::GET, "/v1/channels/{public}/draft", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::GET, "/v1/channels/{private}/draft", none.clone(), [404, 404, 404, 404, 404, 401]),
        (
            M::PUT,
            "/v1/channels/{public}/draft",
            json!({"body": "x"}),
            [200, 200, 200, 404, 404, 401],
        ),
        (
            M::PUT,
            "/v1/channels/{private}/draft",
            json!({"body": "x"}),
            [404, 404, 404, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/messages/{message}/report",
            json!({"reason": "x"}),
            [204, 204, 204, 404, 404, 401],
        ),
        (
            M::POST,
            "/v1/messages/{hidden}/report",
            json!({"reason": "x"}),
            [404, 404, 404, 404, 404, 401],
        ),
        (M::GET, "/v1/communities/{c}/reports", none.clone(), [200, 200, 403, 404, 404, 401]),
        (M::GET, "/v1/admin/reports", none.clone(), [403, 403, 403, 403, 403, 401]),
        (M::PUT, "/v1/messages/{message}/pin", none.clone(), [204, 204, 204, 404, 404, 401]),
        (M::PUT, "/v1/messages/{hidden}/pin", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::DELETE, "/v1/messages/{message}/pin", none.clone(), [204, 204, 204, 404, 404, 401]),
        (M::GET, "/v1/channels/{public}/pins", none.clone(), [200, 200, 200, 404, 404, 401]),
        (M::GET, "/v1/channels/{private}/pins", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::PUT, "/v1/messages/{message}/save", none.clone(), [204, 204, 204, 404, 404, 401]),
        (M::PUT, "/v1/messages/{hidden}/save", none.clone(), [404, 404, 404, 404, 404, 401]),
        (M::DELETE, "/v1/messages/{message}/save", none.clone(), [204, 204, 204, 404, 404, 401]),
        (
            M::PUT,
            "/v1/channels/{public}/notify",
            json!({"level": "nothing"}),
            [200, 200, 200, 404, 404, 401],
        ),
        (M::PUT, "/v1/channels/{private}/notify", json!({}), [404, 404, 404, 404, 404, 401]),
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
        (M::PUT, "/v1/me/blocks/{extra}", none.clone(), [204, 204, 204, 404, 404, 401]),
        // The community's owner is not the server's.
        (M::GET, "/v1/admin/providers", none.clone(), [403, 403, 403, 403, 403, 401]),
        (
            M::PUT,
            "/v1/admin/providers/{fresh}",
            json!({"kind": "github", "client_id": "x", "client_secret": "x"}),
            [403, 403, 403, 403, 403, 401],
        ),
        (M::DELETE, "/v1/admin/providers/{fresh}", none.clone(), [403, 403, 403, 403, 403, 401]),
        (M::POST, "/v1/admin/keys/rotate", json!({}), [403, 403, 403, 403, 403, 401]),
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
    // The receiver of outgoing webhooks is a port of this machine at which nobody listens.
    let loopback = "127.0.0.0/8".parse().unwrap();
    let world = World::with(|settings| settings.outward_allow = vec![loopback]).await;
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
    let body = json!({"name": "quiet", "url": "http://127.0.0.1:9/"});
    let path = format!("/v1/channels/{private}/webhooks/outgoing");
    let quiet = text(&world.post(&extra.token, &path, body.clone()).await.is(201)["id"]);
    let path = format!("/v1/communities/{c}/webhooks/outgoing");
    let outgoing = text(&world.post(&owner.token, &path, body).await.is(201)["id"]);
    let path = format!("/v1/communities/{c}/members");
    world
        .patch(&owner.token, &format!("{path}/{}", extra.id), json!({"role": "member"}))
        .await
        .is(200);
    world.delete(&former.token, &format!("{path}/{}", former.id)).await.is(204);
    let code = world.invite(&owner, &c, json!({})).await;
    let door = world.invite(&owner, &c, json!({"approval": true})).await;
    let waiting = world.register("waiting", json!({"invite": door})).await.id;
    let path = format!("/v1/channels/{public}/webhooks");
    let made = world.post(&owner.token, &path, json!({"name": "ci"})).await.is(201);
    let webhook = text(&made["id"]);
    // A bot with another scope than any route of the table needs.
    let path = format!("/v1/communities/{c}/bots");
    let body = json!({"name": "bot", "scopes": ["presence:read"]});
    let bot = text(&world.post(&owner.token, &path, body).await.is(201)["id"]);
    let path = format!("/v1/bots/{bot}/tokens");
    let made = world.post(&owner.token, &path, json!({"name": "t"})).await.is(201);
    let file = async |bytes: &[u8], channel: Option<&str>| {
        let file = media::upload(&world, &extra, "file", bytes).await;
        if let Some(channel) = channel {
            media::carry(&world, &extra, channel, &[&file]).await.is(201);
        }
        text(&file["id"])
    };
    let carried = file(b"carried", Some(&public)).await;
    let concealed = file(b"concealed", Some(&private)).await;
    let loose = file(b"loose", None).await;
    let asked = StoredInvocation {
        id: world.app.new_id(),
        bot_id: bot.parse().unwrap(),
        user_id: owner.id.parse().unwrap(),
        channel_id: public.parse().unwrap(),
        expires_at: world.app.now().plus_seconds(60),
    };
    let invocation = asked.id.to_string();
    let records = vec![Record::CreateInvocation(asked)];
    world.app.store().commit(Change { records, ..Change::default() }).await.unwrap();
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
        ("{waiting}", waiting),
        ("{fresh}", "fresh".to_owned()),
        ("{bot}", bot),
        ("{invocation}", invocation),
        ("{webhook}", webhook),
        ("{outgoing}", outgoing),
        ("{quiet}", quiet),
        ("{token}", text(&made["id"])),
        ("secret of the bot", text(&made["token"])),
        ("{carried}", carried),
        ("{concealed}", concealed),
        ("{loose}", loose),
    ];
    Scene { world, people: vec![owner, admin, member, former, stranger, nobody], names }
}

impl Scene {
    /// A text of the table with the ids of this scene.
    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (key, id)| text.replace(key, id))
    }

    async fn call(&self, token: &str, (method, path, body): (&Method, &str, &Value)) -> Answer {
        let body =
            (!body.is_null()).then(|| serde_json::from_str(&self.fill(&body.to_string())).unwrap());
        self.world.call(token, method.clone(), &self.fill(path), body).await
    }
}

/// Whether asking for this with that outcome leaves everything as it was.
fn leaves_no_trace(method: &Method, status: u16) -> bool {
    *method == Method::GET || status >= 400
}

#[tokio::test]
async fn everybody_may_do_exactly_what_the_table_says() {
    let mut wrong = Vec::new();
    let shared = scene().await;
    for (method, path, body, expected) in table() {
        for (at, who) in WHO.into_iter().enumerate() {
            let own;
            let scene = if leaves_no_trace(&method, expected[at]) {
                &shared
            } else {
                own = scene().await;
                &own
            };
            let answer = scene.call(&scene.people[at].token, (&method, path, &body)).await;
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

fn general(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with(['{', ':']) { "{}" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// Every route of the OpenAPI document that asks who calls.
fn guarded() -> Vec<(Method, String)> {
    let document = serde_json::to_value(tidings_server::http::openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"] != json!([{}]) {
                routes.push((method.to_uppercase().parse().unwrap(), path.clone()));
            }
        }
    }
    routes
}

#[test]
fn every_route_says_what_a_token_must_be_made_for() {
    for (method, path) in guarded() {
        let listed = scope::listed(&method, &path);
        assert!(listed.is_some(), "{method} {path} is missing in access/scope.rs");
    }
}

#[tokio::test]
async fn a_token_needs_exactly_the_scope_of_the_route() {
    let mut wrong = Vec::new();
    let routes = guarded();
    let shared = scene().await;
    let with = async |scene: &Scene, scopes: Vec<&str>| {
        let ask = json!({"name": "t", "scopes": scopes});
        let owner = &scene.people[0].token;
        text(&scene.world.post(owner, "/v1/tokens", ask).await.is(201)["token"])
    };
    let others = |needed: Option<Scope>| -> Vec<&'static str> {
        let all = Scope::ALL.into_iter();
        all.filter(|it| *it != Scope::Admin && Some(*it) != needed).map(Scope::as_str).collect()
    };
    // A token of everything but one scope, or of everything that people may give away.
    let mut without = HashMap::new();
    for needed in Scope::ALL.into_iter().filter(|it| *it != Scope::Admin) {
        without.insert(needed.as_str(), with(&shared, others(Some(needed))).await);
    }
    let all = with(&shared, others(None)).await;
    let mut check = |(method, path, _): (&Method, &str, &Value), answer: Answer, expected, who| {
        let status = answer.status.as_u16();
        if status != expected {
            wrong.push(format!("{method} {path} as {who}: {status} instead of {expected}"));
        }
    };
    for (method, path, body, expected) in table() {
        let route =
            routes.iter().find(|(of, route)| *of == method && general(route) == general(path));
        let need = scope::need(&method, &route.unwrap().1);
        let cell = (&method, path, &body);
        if need != Need::Nothing {
            let answer = shared.call(&shared.fill("secret of the bot"), cell).await;
            check(cell, answer, 403, "a bot with another scope".to_owned());
        }
        match need {
            // Only the server's owner could give it.
            Need::Scope(Scope::Admin) | Need::Session => {
                check(cell, shared.call(&all, cell).await, 403, "a token of the owner".to_owned());
            }
            Need::Scope(needed) => {
                let word = needed.as_str();
                let answer = shared.call(&without[word], cell).await;
                check(cell, answer, 403, format!("a token of the owner without {word}"));
                let own;
                let scene = if leaves_no_trace(&method, expected[0]) {
                    &shared
                } else {
                    own = scene().await;
                    &own
                };
                let answer = scene.call(&with(scene, vec![word]).await, cell).await;
                check(cell, answer, expected[0], format!("a token of the owner with {word}"));
            }
            Need::Nothing => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_knows_every_route() {
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

/// A problem without what differs from request to request.
fn essence(answer: Answer) -> (u16, Value) {
    let mut body = answer.body;
    if let Some(body) = body.as_object_mut() {
        body.remove("trace_id");
    }
    (answer.status.as_u16(), body)
}

/// Every cell of the table that says 404, asked again about things that do not exist.
#[tokio::test]
async fn what_may_not_be_known_looks_like_what_is_not_there() {
    let scene = scene().await;
    let nowhere = crate::world::nowhere().to_string();
    let mut cells = 0;
    for (method, path, body, expected) in table() {
        // Who may see a thing may also be told that it has no smaller picture.
        let hidden = ["{private}", "{hidden}", "{concealed}"].iter().any(|it| path.contains(it));
        let unknown = |at: usize| expected[at] == 404 && (hidden || at >= 3);
        for (at, who) in WHO.into_iter().enumerate().filter(|(at, _)| unknown(*at)) {
            let fill = |text: &str, there: bool| {
                scene.names.iter().fold(text.to_owned(), |text, (key, id)| {
                    text.replace(key, if there { id } else { &nowhere })
                })
            };
            let mut answers = Vec::new();
            for there in [true, false] {
                let body = (!body.is_null())
                    .then(|| serde_json::from_str(&fill(&body.to_string(), there)).unwrap());
                let token = &scene.people[at].token;
                let answer =
                    scene.world.call(token, method.clone(), &fill(path, there), body).await;
                answers.push(essence(answer));
            }
            assert_eq!(answers[0], answers[1], "{method} {path} as {who}");
            cells += 1;
        }
    }
    assert!(cells > 50, "{cells}");
}

/// Every route of the document, asked by nobody: it says itself whether a session is needed.
#[tokio::test]
async fn nobody_gets_past_a_route_that_needs_a_session() {
    let world = World::new().await;
    let document = serde_json::to_value(tidings_server::http::openapi()).unwrap();
    let mut needed = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let open = operation["security"].as_array().is_some_and(|all| {
                all.iter().any(|one| one.as_object().is_some_and(serde_json::Map::is_empty))
            });
            let path: Vec<_> = path
                .split('/')
                .map(|part| {
                    let variable = part.starts_with('{');
                    if variable { crate::world::nowhere().to_string() } else { part.to_owned() }
                })
                .collect();
            let method: Method = method.to_uppercase().parse().unwrap();
            let body = (method != Method::GET).then(|| json!({}));
            let status = world.call("", method.clone(), &path.join("/"), body).await.status;
            if !open {
                assert_eq!(status, 401, "{method} {}", path.join("/"));
                needed += 1;
            }
        }
    }
    assert!(needed > 40, "{needed}");
}

//! Signing in through providers, each a process that speaks the real protocol and signs for real.

mod forges;
mod grants;
mod hostile;
mod providers;
mod stores;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidings_testkit::OidcProvider;

use crate::world::{Answer, Person, World, request, text};

/// The verifier of the programs of these tests, as RFC 7636 wants it.
pub(super) const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
/// Where the program listens; nobody does here.
const LOOPBACK: &str = "http://127.0.0.1:4567/done";

pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// A server that may speak to this machine, and whose clock is right.
pub(super) async fn world() -> World {
    let world = World::with(|settings| {
        settings.outward_allow = vec!["127.0.0.0/8".parse().unwrap()];
        settings.limits.failures = 1_000;
    })
    .await;
    world.to_the_present();
    world
}

/// A browser: it keeps cookies, of this server only.
#[derive(Debug, Default, Clone)]
pub(super) struct Browser(Vec<(String, String)>);

impl Browser {
    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    pub(super) async fn send(
        &mut self,
        world: &World,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = request("", method, path, body);
        let cookies: Vec<_> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            let cookies = cookies.join("; ").parse().unwrap();
            request.headers_mut().insert(header::COOKIE, cookies);
            let origin = crate::world::ORIGIN.parse().unwrap();
            request.headers_mut().insert(header::ORIGIN, origin);
        }
        let answer = world.send(request).await;
        self.keep(&answer);
        answer
    }

    pub(super) async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.send(world, Method::GET, path, None).await
    }

    /// Begins a sign-in; gives where the browser is sent.
    pub(super) async fn begin(&mut self, world: &World, id: &str, query: &str) -> String {
        let answer = self.get(world, &format!("/v1/auth/oauth/{id}/start{query}")).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        location(&answer)
    }

    /// A sign-in from its beginning to its end here.
    pub(super) async fn sign_in(
        &mut self,
        world: &World,
        provider: &OidcProvider,
        id: &str,
        query: &str,
    ) -> Answer {
        let there = self.begin(world, id, query).await;
        let back = provider.visit(&there).await;
        self.get(world, &path_of(&back)).await
    }
}

pub(super) fn location(answer: &Answer) -> String {
    answer.headers[header::LOCATION].to_str().unwrap().to_owned()
}

/// The path and query of an address of ours.
#[track_caller]
pub(super) fn path_of(url: &str) -> String {
    let path = url.strip_prefix(crate::world::ORIGIN).expect("the redirect URI is ours, exactly");
    path.to_owned()
}

/// How a program on the same machine begins.
pub(super) fn loopback() -> String {
    format!(
        "?redirect_uri={LOOPBACK}&state=mine&code_challenge={}&intent=sign_in",
        challenge(VERIFIER)
    )
}

/// What the program is given in the end.
#[track_caller]
pub(super) fn ticket_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    let url = reqwest::Url::parse(&location(answer)).unwrap();
    assert!(url.as_str().starts_with(LOOPBACK), "{url}");
    let field = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(field("state"), "mine");
    field("ticket")
}

pub(super) fn proof(ticket: &str) -> Value {
    json!({"ticket": ticket, "verifier": VERIFIER})
}

/// Configures the provider; `more` changes the configuration.
pub(super) async fn configure(
    world: &World,
    owner: &Person,
    provider: &OidcProvider,
    id: &str,
    more: Value,
) -> Value {
    let mut body = json!({
        "kind": "oidc",
        "name": "Acme ID",
        "url": provider.url(),
        "client_id": OidcProvider::CLIENT_ID,
        "client_secret": OidcProvider::CLIENT_SECRET,
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let answer = world.put(&owner.token, &format!("/v1/admin/providers/{id}"), body).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    answer.body
}

/// A ticket for whoever the provider signs in now.
pub(super) async fn ticket(world: &World, provider: &OidcProvider, id: &str) -> String {
    ticket_of(&Browser::default().sign_in(world, provider, id, &loopback()).await)
}

#[tokio::test]
async fn a_newcomer_makes_keys_and_is_linked_at_once() {
    let world = world().await;
    let ana = world.owner().await;
    let provider = OidcProvider::start();
    configure(&world, &ana, &provider, "acme", json!({"registration": "open"})).await;
    let discovery = world.get("", "/.well-known/tidings").await.is(200);
    assert_eq!(discovery["oauth"], json!([{"id": "acme", "name": "Acme ID"}]));
    provider.behave(json!({"sub": "77", "username": "Bo.Smith@acme.example"})).await;

    let ticket = ticket(&world, &provider, "acme").await;
    // Looking uses nothing up.
    for _ in 0..2 {
        let info = world.post("", "/v1/auth/oauth/ticket", proof(&ticket)).await.is(200);
        let expected = json!({
            "provider": "acme", "provider_name": "Acme ID", "label": "Bo.Smith@acme.example",
            "username": "bo.smith", "linked": false, "registration": "open",
        });
        assert_eq!(info, expected);
    }
    let refused = world.post("", "/v1/auth/oauth/session", proof(&ticket)).await;
    refused.refused(404, "not_found");

    let bo = world.register("bo", json!({"sign_in": proof(&ticket)})).await;
    let links = world.get(&bo.token, "/v1/me/links").await.is(200);
    assert_eq!(links["items"][0]["label"], "Bo.Smith@acme.example");
    // The ticket is spent.
    let cy = world.person("cy");
    let again = world.registration(&cy, json!({"sign_in": proof(&ticket)})).await;
    assert!(!world.post("", "/v1/accounts", again).await.status.is_success());

    // The next sign-in is a session, without a device.
    let ticket = self::ticket(&world, &provider, "acme").await;
    let mut body = proof(&ticket);
    body["device_name"] = json!("a new laptop");
    let signed_in = world.post("", "/v1/auth/oauth/session", body).await.is(201);
    assert_eq!(signed_in["user"]["id"], bo.id);
    let token = text(&signed_in["session"]["token"]);
    let sessions = world.get(&token, "/v1/sessions").await.is(200);
    let current = |it: &&Value| it["current"] == true;
    let mine = sessions["items"].as_array().unwrap().iter().find(current).unwrap();
    assert_eq!(mine["device_name"], "a new laptop");
    assert_eq!(mine["device_id"], "00000000-0000-0000-0000-000000000000");
    // The device's key logs in as before, and ends the other session when it wants to.
    let body = world.login(&bo, json!({})).await;
    let by_key = text(&world.post("", "/v1/sessions", body).await.is(201)["session"]["token"]);
    world.delete(&by_key, &format!("/v1/sessions/{}", text(&mine["id"]))).await.is(204);
    world.get(&token, "/v1/me").await.refused(401, "unauthorized");

    // Unlinked, the provider's word is worth nothing here.
    world.delete(&bo.token, "/v1/me/links/acme").await.is(204);
    world.delete(&bo.token, "/v1/me/links/acme").await.refused(404, "not_found");
    let ticket = self::ticket(&world, &provider, "acme").await;
    let refused = world.post("", "/v1/auth/oauth/session", proof(&ticket)).await;
    refused.refused(404, "not_found");
}

#[tokio::test]
async fn without_open_registration_a_provider_admits_nobody() {
    let world = world().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let provider = OidcProvider::start();
    configure(&world, &ana, &provider, "acme", json!({})).await;
    provider.behave(json!({"sub": "77", "username": "bo"})).await;
    let ticket = ticket(&world, &provider, "acme").await;
    let bo = world.person("bo");
    let body = world.registration(&bo, json!({"sign_in": proof(&ticket)})).await;
    world.post("", "/v1/accounts", body).await.refused(403, "invite_required");
    let invite = world.invite(&ana, &acme, json!({})).await;
    let bo = world.register("bo", json!({"sign_in": proof(&ticket), "invite": invite})).await;
    let links = world.get(&bo.token, "/v1/me/links").await.is(200);
    assert_eq!(links["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_is_logged_in_links_accounts_of_several_providers() {
    let world = world().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let (one, two) = (OidcProvider::start(), OidcProvider::start());
    configure(&world, &ana, &one, "one", json!({})).await;
    configure(&world, &ana, &two, "two", json!({})).await;
    for provider in [&one, &two] {
        provider.behave(json!({"sub": "77", "username": "ana-there"})).await;
    }
    let first = ticket(&world, &one, "one").await;
    let link = world.post(&ana.token, "/v1/me/links", proof(&first)).await.is(201);
    assert_eq!((&link["provider"], &link["label"]), (&json!("one"), &json!("ana-there")));
    let second = ticket(&world, &two, "two").await;
    world.post(&ana.token, "/v1/me/links", proof(&second)).await.is(201);
    let listed = world.get(&ana.token, "/v1/me/links").await.is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    // The same person there is nobody else here, and nobody has two of one provider.
    let again = ticket(&world, &one, "one").await;
    world.post(&bo.token, "/v1/me/links", proof(&again)).await.refused(409, "conflict");
    one.behave(json!({"sub": "78", "username": "other"})).await;
    let other = ticket(&world, &one, "one").await;
    world.post(&ana.token, "/v1/me/links", proof(&other)).await.refused(409, "conflict");
    // The same subject of another provider is another person.
    two.behave(json!({"sub": "78", "username": "bo-there"})).await;
    let bos = ticket(&world, &two, "two").await;
    world.post(&bo.token, "/v1/me/links", proof(&bos)).await.is(201);
    let info = ticket(&world, &one, "one").await;
    let info = world.post("", "/v1/auth/oauth/ticket", proof(&info)).await.is(200);
    assert_eq!(info["linked"], false);

    // A provider that is removed takes its links with it.
    world.delete(&ana.token, "/v1/admin/providers/one").await.is(204);
    let listed = world.get(&ana.token, "/v1/me/links").await.is(200);
    assert_eq!(listed["items"][0]["provider"], "two");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    world.post(&ana.token, "/v1/me/links", proof(&other)).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_browser_is_logged_in_by_a_cookie_or_keeps_a_ticket() {
    let world = world().await;
    let ana = world.owner().await;
    let provider = OidcProvider::start();
    configure(&world, &ana, &provider, "acme", json!({})).await;
    provider.behave(json!({"sub": "77", "username": "<b>ana</b>"})).await;
    let mut browser = Browser::default();
    // Nobody is linked: a page says so, and what the provider says is text in it.
    let page = browser.sign_in(&world, &provider, "acme", "").await;
    assert_eq!(page.status, 200);
    let html = page.body.as_str().unwrap();
    assert!(html.contains("&lt;b&gt;ana&lt;/b&gt;") && !html.contains("<b>ana"), "{html}");
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("'none'"));

    let answer = browser.sign_in(&world, &provider, "acme", "?intent=ticket&return=/app").await;
    let there = location(&answer);
    let ticket = there.strip_prefix("http://localhost:8420/app#sign_in=").unwrap().to_owned();
    let body = json!({"ticket": ticket});
    // Only this browser may use it.
    world.post(&ana.token, "/v1/me/links", body.clone()).await.refused(401, "unauthorized");
    let info = browser
        .send(&world, Method::POST, "/v1/auth/oauth/ticket", Some(body.clone()))
        .await
        .is(200);
    assert_eq!(info["linked"], false);
    let mut link = request(&ana.token, Method::POST, "/v1/me/links", Some(body));
    let binder = browser.0.iter().find(|(name, _)| name == "tidings_ticket").unwrap();
    let cookie = format!("{}={}", binder.0, binder.1).parse().unwrap();
    link.headers_mut().insert(header::COOKIE, cookie);
    world.send(link).await.is(201);

    let mut other = Browser::default();
    let answer = other.sign_in(&world, &provider, "acme", "?return=/app").await;
    assert_eq!((answer.status.as_u16(), &*location(&answer)), (303, "http://localhost:8420/app"));
    assert_eq!(other.get(&world, "/v1/me").await.is(200)["username"], "ana");
    // The flow is gone from the browser.
    assert_eq!(
        other.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["tidings_session"]
    );
}

#[tokio::test]
async fn groups_of_the_provider_are_roles_here() {
    let world = world().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let (zoo, _) = world.community(&ana, "zoo").await;
    let provider = OidcProvider::start();
    let groups = json!([
        {"group": "staff", "community_id": acme, "role": "member"},
        {"group": "ops", "community_id": acme, "role": "admin"},
        {"group": "keepers", "community_id": zoo, "role": "member"},
    ]);
    let more = json!({"registration": "open", "groups": groups});
    configure(&world, &ana, &provider, "acme", more).await;
    let is = async |who: &Person, community: &str| {
        let path = format!("/v1/communities/{community}/members?limit=200");
        let members = world.get(&ana.token, &path).await.is(200);
        let found =
            members["items"].as_array().unwrap().iter().find(|it| it["user"]["id"] == who.id);
        found.map(|it| text(&it["role"]))
    };
    let sign_in = async |groups: Value| {
        provider.behave(json!({"sub": "77", "username": "bo", "groups": groups})).await;
        let ticket = ticket(&world, &provider, "acme").await;
        world.post("", "/v1/auth/oauth/session", proof(&ticket)).await.is(201);
    };
    provider.behave(json!({"sub": "77", "username": "bo", "groups": ["staff", "others"]})).await;
    let ticket = ticket(&world, &provider, "acme").await;
    let bo = world.register("bo", json!({"sign_in": proof(&ticket)})).await;
    assert_eq!(is(&bo, &acme).await.as_deref(), Some("member"));
    assert_eq!(is(&bo, &zoo).await, None);
    assert_eq!(world.log(&bo, &general).await.last().unwrap(), "member.joined");

    sign_in(json!(["staff", "ops", "keepers"])).await;
    assert_eq!(is(&bo, &acme).await.as_deref(), Some("admin"));
    assert_eq!(is(&bo, &zoo).await.as_deref(), Some("member"));
    // What a group gave goes with the group; what people gave stays.
    sign_in(json!(["staff"])).await;
    assert_eq!(is(&bo, &acme).await.as_deref(), Some("member"));
    let path = format!("/v1/communities/{acme}/members/{}", bo.id);
    world.patch(&ana.token, &path, json!({"role": "admin"})).await.is(200);
    sign_in(json!([])).await;
    assert_eq!(is(&bo, &acme).await.as_deref(), Some("admin"));
    world.patch(&ana.token, &path, json!({"role": "owner"})).await.is(200);
    sign_in(json!(["ops"])).await;
    sign_in(json!([])).await;
    assert_eq!(is(&bo, &acme).await.as_deref(), Some("owner"));
}

#[tokio::test]
async fn what_the_token_leaves_out_is_asked_for() {
    let world = world().await;
    let ana = world.owner().await;
    let provider = OidcProvider::start();
    configure(&world, &ana, &provider, "acme", json!({})).await;
    let label = async |lie: &str| {
        provider.behave(json!({"lie": lie, "sub": "77", "username": "bo"})).await;
        let ticket = ticket(&world, &provider, "acme").await;
        let info = world.post("", "/v1/auth/oauth/ticket", proof(&ticket)).await.is(200);
        text(&info["label"])
    };
    assert_eq!(label("username by userinfo").await, "bo");
    // What is said of another subject is not believed.
    assert_eq!(label("userinfo of another").await, "");
}

#[tokio::test]
async fn an_account_that_is_reset_or_shut_out_is_not_signed_in_to() {
    let world = world().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let provider = OidcProvider::start();
    configure(&world, &ana, &provider, "acme", json!({})).await;
    provider.behave(json!({"sub": "77", "username": "bo"})).await;
    let bo = world.member(&ana, &acme, "bo").await;
    let mine = ticket(&world, &provider, "acme").await;
    world.post(&bo.token, "/v1/me/links", proof(&mine)).await.is(201);
    let path = format!("/v1/admin/users/{}/reset", bo.id);
    let code = text(&world.post(&ana.token, &path, json!({})).await.is(201)["code"]);
    let bo = world.register("bo", json!({"invite": code})).await;
    // Whoever had linked themselves with the lost account is out.
    assert_eq!(world.get(&bo.token, "/v1/me/links").await.is(200)["items"], json!([]));
    let before = ticket(&world, &provider, "acme").await;
    let refused = world.post("", "/v1/auth/oauth/session", proof(&before)).await;
    refused.refused(404, "not_found");
}

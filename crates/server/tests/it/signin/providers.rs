//! What the server's owner configures.

use serde_json::{Value, json};
use tidings_testkit::OidcProvider;

use super::{configure, proof, ticket, world};
use crate::world::nowhere;

#[tokio::test]
async fn a_secret_is_sealed_and_never_shown() {
    let world = world().await;
    let ana = world.owner().await;
    let provider = OidcProvider::start();
    let made = configure(&world, &ana, &provider, "acme", json!({"name": "Acme"})).await;
    let callback = "http://localhost:8420/v1/auth/oauth/acme/callback";
    assert_eq!(made["redirect_uri"], callback);
    assert_eq!(made["scopes"], json!(["openid", "profile"]));
    let listed = world.get(&ana.token, "/v1/admin/providers").await.is(200);
    assert_eq!(listed["items"], json!([made]));
    for shown in [&made, &listed] {
        assert!(!shown.to_string().contains("s3cret") && shown.get("client_secret").is_none());
    }
    let stored = world.app.store().provider("acme").await.unwrap().unwrap();
    let secret = OidcProvider::CLIENT_SECRET.as_bytes();
    let bytes = &stored.sealed_secret;
    assert!(!bytes.windows(6).any(|part| secret.starts_with(part)), "the secret is not sealed");
    // Changed without a secret, it is the old one that is used: the provider knows no other.
    let more = json!({"name": "Acme ID", "client_secret": null});
    configure(&world, &ana, &provider, "acme", more).await;
    provider.behave(json!({"sub": "77", "username": "ana"})).await;
    ticket(&world, &provider, "acme").await;
    // With a wrong one it refuses.
    configure(&world, &ana, &provider, "acme", json!({"client_secret": "wrong"})).await;
    let answer = super::Browser::default().sign_in(&world, &provider, "acme", "").await;
    assert!(answer.body.as_str().unwrap().contains("invalid_client"), "{}", answer.body);
}

#[tokio::test]
async fn an_old_secret_is_not_sent_to_a_new_place() {
    let world = world().await;
    let ana = world.owner().await;
    let (one, two) = (OidcProvider::start(), OidcProvider::start());
    configure(&world, &ana, &one, "acme", json!({})).await;
    let path = "/v1/admin/providers/acme";
    let moved = |url: &str| json!({"kind": "oidc", "url": url, "client_id": "tidings"});
    world.put(&ana.token, path, moved(two.url())).await.refused(422, "unprocessable");
    // Nor does an id mean another provider while people are linked by it.
    one.behave(json!({"sub": "77", "username": "ana"})).await;
    let mine = ticket(&world, &one, "acme").await;
    world.post(&ana.token, "/v1/me/links", proof(&mine)).await.is(201);
    let mut body = moved(two.url());
    body["client_secret"] = json!(OidcProvider::CLIENT_SECRET);
    world.put(&ana.token, path, body.clone()).await.refused(409, "conflict");
    world.delete(&ana.token, path).await.is(204);
    world.delete(&ana.token, path).await.refused(404, "not_found");
    world.put(&ana.token, path, body).await.is(201);
    two.behave(json!({"sub": "77", "username": "mallory"})).await;
    let theirs = ticket(&world, &two, "acme").await;
    let info = world.post("", "/v1/auth/oauth/ticket", proof(&theirs)).await.is(200);
    assert_eq!(info["linked"], false);
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let world = world().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member_as(&ana, &acme, "bo", "admin").await;
    let (theirs, _) = world.community(&bo, "theirs").await;
    let provider = OidcProvider::start();
    let put = async |id: &str, more: Value| {
        let mut body = json!({
            "kind": "oidc", "url": provider.url(), "client_id": "tidings", "client_secret": "x",
        });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        world.put(&ana.token, &format!("/v1/admin/providers/{id}"), body).await
    };
    let group = |community: &str, role: &str| json!({"groups": [{"group": "ops", "community_id": community, "role": role}]});
    for (id, more) in [
        ("Acme", json!({})),
        ("ticket", json!({})),
        ("session", json!({})),
        ("a", json!({"kind": "saml"})),
        ("a", json!({"url": null})),
        ("a", json!({"url": "ftp://id.example.org"})),
        ("a", json!({"url": "http://u:p@127.0.0.1/"})),
        ("a", json!({"url": format!("{}/", provider.url())})),
        ("a", json!({"url": format!("{}/elsewhere", provider.url())})),
        ("a", json!({"client_id": ""})),
        ("a", json!({"client_secret": ""})),
        ("a", json!({"client_secret": null})),
        ("a", json!({"scopes": ["profile"]})),
        ("a", json!({"scopes": ["openid", "a b"]})),
        ("a", json!({"registration": "closed"})),
        ("a", json!({"name": ""})),
        ("a", group(&acme, "owner")),
        ("a", group(&acme, "king")),
        ("a", group(&theirs, "member")),
        ("a", group(&nowhere().to_string(), "member")),
    ] {
        let answer = put(id, more.clone()).await;
        assert_eq!(answer.status, 422, "{id} {more}: {}", answer.body);
    }
    provider.behave(json!({"lie": "another issuer in discovery"})).await;
    put("a", json!({})).await.refused(422, "unprocessable");
    provider.behave(json!({})).await;
    put("a", group(&acme, "admin")).await.is(201);
    put("a", json!({})).await.is(200);
}

use http::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, request};

async fn keyed(world: &World, token: &str, path: &str, key: &str, body: Value) -> Answer {
    let mut request = request(token, Method::POST, path, Some(body));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    world.send(request).await
}

#[tokio::test]
async fn the_same_request_is_done_once_and_answered_alike() {
    let world = World::new().await;
    let ana = world.owner().await;
    let path = "/v1/communities";
    let body = json!({"name": "Acme", "slug": "acme"});
    let first = keyed(&world, &ana.token, path, "k1", body.clone()).await;
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let first = first.is(201);
    let again = keyed(&world, &ana.token, path, "k1", body.clone()).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.is(201), first);
    let other = json!({"name": "Other", "slug": "other"});
    keyed(&world, &ana.token, path, "k1", other).await.refused(422, "idempotency_mismatch");
    world.wait(24 * 3600);
    keyed(&world, &ana.token, path, "k1", body.clone()).await.refused(409, "conflict");
    keyed(&world, &ana.token, path, &"k".repeat(256), body).await.refused(400, "bad_request");
}

#[tokio::test]
async fn refusals_are_not_remembered_and_secrets_are_not_kept() {
    let world = World::new().await;
    let ana = world.owner().await;
    let path = "/v1/communities";
    let bad = json!({"name": "", "slug": "acme"});
    keyed(&world, &ana.token, path, "k1", bad).await.refused(422, "unprocessable");
    let good = json!({"name": "Acme", "slug": "acme"});
    keyed(&world, &ana.token, path, "k1", good).await.is(201);

    let login = world.login(&ana, json!({})).await;
    keyed(&world, "", "/v1/sessions", "k2", login.clone()).await.is(201);
    keyed(&world, "", "/v1/sessions", "k2", login).await.refused(409, "conflict");
    let path = format!("/v1/admin/users/{}/reset", ana.id);
    keyed(&world, &ana.token, &path, "k3", json!({})).await.is(201);
    keyed(&world, &ana.token, &path, "k3", json!({})).await.refused(409, "conflict");
}

#[tokio::test]
async fn keys_of_different_people_are_different_keys() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    for (person, slug) in [(&ana, "a"), (&bo, "b")] {
        let body = json!({"name": slug, "slug": slug});
        keyed(&world, &person.token, "/v1/communities", "same", body).await.is(201);
    }
}

use http::header;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn sends_are_limited_per_channel_and_refill() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    for n in 0..120 {
        world.say(&ana, &general, &format!("m{n}")).await;
    }
    let path = format!("/v1/channels/{general}/messages");
    let body = json!({"client_id": "x", "body": "one too many"});
    let answer = world.post(&ana.token, &path, body.clone()).await;
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    answer.refused(429, "rate_limited");
    let ops = world.channel(&ana, &id, json!({"name": "ops"})).await;
    world.say(&ana, &ops, "elsewhere is fine").await;
    world.wait(1);
    world.post(&ana.token, &path, body).await.is(201);
}

#[tokio::test]
async fn wrong_codes_and_proofs_are_limited_per_address() {
    let world = World::new().await;
    let ana = world.owner().await;
    for _ in 0..10 {
        let login = world.login(&ana, json!({"signature": "AAAA"})).await;
        world.post("", "/v1/sessions", login).await.refused(401, "unauthorized");
    }
    let login = world.login(&ana, json!({})).await;
    world.post("", "/v1/sessions", login).await.refused(429, "rate_limited");
    let eve = world.person("eve");
    let body = world.registration(&eve, json!({"invite": "guess"})).await;
    world.post("", "/v1/accounts", body).await.refused(429, "rate_limited");
    world.get("", "/v1/invites/guess").await.refused(429, "rate_limited");
    world.wait(6);
    let login = world.login(&ana, json!({})).await;
    world.post("", "/v1/sessions", login).await.is(201);
}

#[tokio::test]
async fn limits_can_be_turned_off() {
    let world = World::with(|settings| settings.limits.enabled = false).await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    for n in 0..200 {
        world.say(&ana, &general, &format!("m{n}")).await;
    }
}

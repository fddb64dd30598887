//! What somebody has begun to write.

use serde_json::{Value, json};

use crate::world::{World, nowhere, text};

#[tokio::test]
async fn a_draft_is_one_for_each_place_and_the_same_everywhere() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    let root = world.say(&ana, &general, "root").await;
    let path = format!("/v1/channels/{general}/draft");
    let thread = format!("{path}?thread={}", text(&root["id"]));
    let none = world.get(&ana.token, &path).await.is(200);
    assert_eq!(none, json!({"body": "", "channel_id": general}));
    let kept = world.put(&ana.token, &path, json!({"body": "first"})).await.is(200);
    assert_eq!((&kept["body"], kept["updated_at"].is_string()), (&json!("first"), true));
    world.wait(1);
    world.put(&ana.token, &thread, json!({"body": "inside"})).await.is(200);
    world.wait(1);
    world.put(&ana.token, &path, json!({"body": "later"})).await.is(200);
    assert_eq!(world.get(&ana.token, &path).await.is(200)["body"], "later");
    assert_eq!(world.get(&ana.token, &thread).await.is(200)["parent_id"], root["id"]);
    let list = world.get(&ana.token, "/v1/drafts").await.is(200);
    let bodies: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| &it["body"]).collect();
    assert_eq!(bodies, ["later", "inside"]);
    // Nobody else sees or hears any of it.
    assert_eq!(world.get(&bo.token, &path).await.is(200)["body"], "");
    assert_eq!(world.get(&bo.token, "/v1/drafts").await.is(200)["items"], json!([]));
    // The same again is no news; taking it away is.
    world.put(&ana.token, &path, json!({"body": "later"})).await.is(200);
    world.put(&ana.token, &path, json!({"body": " "})).await.is(200);
    world.put(&ana.token, &path, json!({"body": ""})).await.is(200);
    let told = world.published.1.lock().unwrap().clone();
    let told: Vec<_> = told
        .iter()
        .map(|(user, kind, data)| {
            assert_eq!((user, kind.as_str()), (&ana.id, "draft.updated"));
            let data: Value = serde_json::from_str(data).unwrap();
            text(&data["body"])
        })
        .collect();
    assert_eq!(told, ["first", "inside", "later", ""]);
    let list = world.get(&ana.token, "/v1/drafts").await.is(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_draft_has_a_place_and_an_end() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let path = format!("/v1/channels/{general}/draft");
    let long = "x".repeat(16_001);
    world.put(&ana.token, &path, json!({"body": long})).await.refused(422, "unprocessable");
    world.put(&ana.token, &path, json!({"body": long[1..]})).await.is(200);
    let nowhere = format!("{path}?thread={}", nowhere());
    world.put(&ana.token, &nowhere, json!({"body": "x"})).await.refused(422, "unprocessable");
    // A reply begins no thread.
    let root = world.say(&ana, &general, "root").await;
    let reply = json!({"client_id": "r", "body": "reply", "parent_id": root["id"]});
    let said = format!("/v1/channels/{general}/messages");
    let reply = world.post(&ana.token, &said, reply).await.is(201);
    let below = format!("{path}?thread={}", text(&reply["id"]));
    world.put(&ana.token, &below, json!({"body": "x"})).await.refused(422, "unprocessable");
}

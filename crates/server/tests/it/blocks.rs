use serde_json::{Value, json};

use crate::world::{Person, World, nowhere, text};

async fn block(world: &World, by: &Person, whom: &Person) {
    let path = format!("/v1/me/blocks/{}", whom.id);
    world.put(&by.token, &path, Value::Null).await.is(204);
}

async fn dm(world: &World, by: &Person, with: &Person) -> String {
    let body = json!({"users": [with.id]});
    text(&world.post(&by.token, "/v1/dms", body).await.is(201)["id"])
}

fn message(id: &str) -> Value {
    json!({"client_id": id, "body": "hello?"})
}

#[tokio::test]
async fn a_block_list_says_whom_and_since_when() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bob = world.member(&ana, &acme, "bob").await;
    let path = format!("/v1/me/blocks/{}", bob.id);
    block(&world, &ana, &bob).await;
    block(&world, &ana, &bob).await;
    let list = world.get(&ana.token, "/v1/me/blocks").await.is(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["user"]["username"], "bob");
    assert!(list["items"][0]["created_at"].is_string());
    let theirs = world.get(&bob.token, "/v1/me/blocks").await.is(200);
    assert_eq!(theirs["items"], json!([]), "nobody is told by a list");
    world.delete(&ana.token, &path).await.is(204);
    world.delete(&ana.token, &path).await.is(204);
    let list = world.get(&ana.token, "/v1/me/blocks").await.is(200);
    assert_eq!(list["items"], json!([]));
    let own = format!("/v1/me/blocks/{}", ana.id);
    world.put(&ana.token, &own, Value::Null).await.refused(422, "unprocessable");
}

#[tokio::test]
async fn a_block_list_tells_nothing_of_strangers() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let (other, _) = world.community(&ana, "other").await;
    let bob = world.member(&ana, &acme, "bob").await;
    let eve = world.member(&ana, &other, "eve").await;
    let (known, unknown) = (eve.id, nowhere().to_string());
    for id in [&known, &unknown] {
        let path = format!("/v1/me/blocks/{id}");
        world.put(&bob.token, &path, Value::Null).await.refused(404, "not_found");
        world.delete(&bob.token, &path).await.is(204);
    }
}

#[tokio::test]
async fn neither_of_two_writes_to_the_other() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bob = world.member(&ana, &acme, "bob").await;
    let cleo = world.member(&ana, &acme, "cleo").await;
    let channel = dm(&world, &ana, &bob).await;
    let path = format!("/v1/channels/{channel}/messages");
    let said = text(&world.say(&bob, &channel, "before").await["id"]);
    block(&world, &ana, &bob).await;
    for person in [&ana, &bob] {
        world.post(&person.token, &path, message("x")).await.refused(403, "forbidden");
        let page = world.get(&person.token, &path).await.is(200);
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "what was said stays");
    }
    let own = format!("/v1/messages/{said}");
    let edit = json!({"body": "after"});
    world.patch(&bob.token, &own, edit).await.refused(403, "forbidden");
    let reaction = format!("{own}/reactions/:x:");
    world.put(&bob.token, &reaction, Value::Null).await.refused(403, "forbidden");
    // Typing is not refused, and not told.
    let typing = format!("/v1/channels/{channel}/typing");
    world.post(&bob.token, &typing, json!({"state": "start"})).await.is(204);
    assert!(world.published.0.lock().unwrap().is_empty());
    // The conversation is still found; a new one with both is not opened by either.
    world.post(&bob.token, "/v1/dms", json!({"users": [ana.id]})).await.is(200);
    let group = json!({"users": [ana.id, cleo.id]});
    world.post(&bob.token, "/v1/dms", group).await.refused(403, "forbidden");
    world.delete(&bob.token, &own).await.is(204);
    world.delete(&ana.token, &format!("/v1/me/blocks/{}", bob.id)).await.is(204);
    world.post(&bob.token, &path, message("x")).await.is(201);
}

#[tokio::test]
async fn who_is_blocked_is_read_in_channels_and_mentions_in_vain() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let bob = world.member(&ana, &acme, "bob").await;
    block(&world, &ana, &bob).await;
    world.say(&bob, &general, "@ana look").await;
    let path = format!("/v1/channels/{general}");
    let seen = world.get(&ana.token, &path).await.is(200);
    assert_eq!((&seen["unread"], &seen["mentions"]), (&json!(1), &json!(0)));
    world.delete(&ana.token, &format!("/v1/me/blocks/{}", bob.id)).await.is(204);
    let seen = world.get(&ana.token, &path).await.is(200);
    assert_eq!((&seen["unread"], &seen["mentions"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_status_is_read_by_others() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bob = world.member(&ana, &acme, "bob").await;
    world.put(&ana.token, "/v1/me/status", json!({"status": " at lunch "})).await.is(204);
    let path = format!("/v1/users/{}", ana.id);
    assert_eq!(world.get(&bob.token, &path).await.is(200)["status"], "at lunch");
    let long = json!({"status": "x".repeat(141)});
    world.put(&ana.token, "/v1/me/status", long).await.refused(422, "unprocessable");
    world.put(&ana.token, "/v1/me/status", json!({})).await.refused(400, "bad_request");
    world.put(&ana.token, "/v1/me/status", json!({"status": ""})).await.is(204);
    assert_eq!(world.get(&bob.token, &path).await.is(200)["status"], "");
}

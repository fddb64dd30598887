//! What a channel keeps: archiving, deleting many messages, erasing what is old.

use serde_json::{Value, json};

use crate::world::{Person, World, text};

async fn bodies(world: &World, who: &Person, channel: &str) -> Vec<String> {
    let path = format!("/v1/channels/{channel}/messages?limit=200");
    let page = world.get(&who.token, &path).await.is(200);
    page["items"].as_array().unwrap().iter().map(|it| text(&it["body"])).collect()
}

#[tokio::test]
async fn an_archived_channel_can_be_opened_again() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let ops = world.channel(&ana, &id, json!({"name": "ops"})).await;
    let path = format!("/v1/channels/{ops}");
    let archived = world.patch(&ana.token, &path, json!({"archived": true})).await.is(200);
    assert_eq!(archived["archived"], true);
    let message = json!({"client_id": "1", "body": "x"});
    let messages = format!("{path}/messages");
    world.post(&ana.token, &messages, message.clone()).await.refused(409, "conflict");
    world.patch(&ana.token, &path, json!({"topic": "late"})).await.refused(409, "conflict");

    // Its name was free meanwhile.
    let other = world.channel(&ana, &id, json!({"name": "ops"})).await;
    let open = json!({"archived": false});
    let problem = world.patch(&ana.token, &path, open.clone()).await.refused(409, "conflict");
    assert_eq!(problem["errors"][0]["field"], "name");
    world.delete(&ana.token, &format!("/v1/channels/{other}")).await.is(204);
    let opened = world.patch(&ana.token, &path, open).await.is(200);
    assert_eq!(opened["archived"], false);
    world.post(&ana.token, &messages, message).await.is(201);
    assert_eq!(
        world.log(&ana, &ops).await,
        [
            "channel.created",
            "member.joined",
            "channel.archived",
            "channel.updated",
            "message.created"
        ]
    );
    let general = format!("/v1/channels/{general}");
    world.patch(&ana.token, &general, json!({"archived": true})).await.refused(409, "conflict");
}

#[tokio::test]
async fn a_purge_deletes_what_was_meant_and_nothing_else() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    for n in 0..3 {
        world.say(&ana, &general, &format!("a{n}")).await;
        world.say(&bo, &general, &format!("b{n}")).await;
    }
    let path = format!("/v1/channels/{general}/purge");
    let purge = async |body: Value| world.post(&ana.token, &path, body).await;
    let gone = purge(json!({"user_id": bo.id, "last": 1})).await.is(200);
    assert_eq!(gone, json!({"deleted": 1, "more": false}));
    assert_eq!(bodies(&world, &ana, &general).await, ["a0", "b0", "a1", "b1", "a2", ""]);
    purge(json!({"user_id": bo.id})).await.is(200);
    assert_eq!(bodies(&world, &ana, &general).await, ["a0", "", "a1", "", "a2", ""]);
    world.wait(10);
    let since = tidings_wire::Time(world.app.now()).to_string();
    world.say(&ana, &general, "new").await;
    let gone = purge(json!({"since": since})).await.is(200);
    assert_eq!(gone["deleted"], 1);
    assert_eq!(bodies(&world, &ana, &general).await[..5], ["a0", "", "a1", "", "a2"]);
    assert_eq!(purge(json!({"last": 2})).await.is(200)["deleted"], 2);
    assert_eq!(bodies(&world, &ana, &general).await[0], "a0");
    // What was said is gone from the log, too.
    let log = format!("/v1/channels/{general}/log?limit=200");
    let log = world.get(&ana.token, &log).await.is(200).to_string();
    assert!(log.contains("a0") && !log.contains("\"b1\""), "{log}");

    for bad in [json!({}), json!({"last": 0}), json!({"last": 501})] {
        purge(bad).await.refused(422, "unprocessable");
    }
    world.post(&bo.token, &path, json!({"last": 1})).await.refused(403, "forbidden");
    let dm = world.post(&ana.token, "/v1/dms", json!({"users": [bo.id]})).await.is(201);
    let dm = format!("/v1/channels/{}/purge", text(&dm["id"]));
    world.post(&ana.token, &dm, json!({"last": 1})).await.refused(422, "unprocessable");
}

#[tokio::test]
async fn one_purge_is_bounded_and_says_when_more_is_left() {
    let world = World::with(|settings| settings.limits.enabled = false).await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    for n in 0..501 {
        world.say(&ana, &general, &format!("m{n}")).await;
    }
    let path = format!("/v1/channels/{general}/purge");
    let all = json!({"user_id": ana.id});
    let first = world.post(&ana.token, &path, all.clone()).await.is(200);
    assert_eq!(first, json!({"deleted": 500, "more": true}));
    let second = world.post(&ana.token, &path, all.clone()).await.is(200);
    assert_eq!(second, json!({"deleted": 1, "more": false}));
    let third = world.post(&ana.token, &path, all).await.is(200);
    assert_eq!(third, json!({"deleted": 0, "more": false}));
}

#[tokio::test]
async fn what_is_older_than_its_channel_keeps_is_erased() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let alerts = world.channel(&ana, &id, json!({"name": "alerts"})).await;
    let path = format!("/v1/channels/{alerts}");
    let kept = world.patch(&ana.token, &path, json!({"retention_s": 3600})).await.is(200);
    assert_eq!(kept["retention_s"], 3600);
    for bad in [1, 59, u64::MAX] {
        let bad = json!({"retention_s": bad});
        world.patch(&ana.token, &path, bad).await.refused(422, "unprocessable");
    }
    world.say(&ana, &general, "stays").await;
    let old = world.say(&ana, &alerts, "old").await;
    let reply = json!({"client_id": "r", "body": "reply", "parent_id": old["id"]});
    world.post(&ana.token, &format!("{path}/messages"), reply).await.is(201);
    world.wait(1800);
    world.say(&ana, &alerts, "young").await;
    assert_eq!(world.app.retention().expire().await.unwrap(), 0);
    world.wait(1801);
    assert_eq!(world.app.retention().expire().await.unwrap(), 2);
    assert_eq!(world.app.retention().expire().await.unwrap(), 0);
    assert_eq!(bodies(&world, &ana, &alerts).await, ["", "young"]);
    assert_eq!(bodies(&world, &ana, &general).await, ["stays"]);
    let log = world.get(&ana.token, &format!("{path}/log?limit=200")).await.is(200);
    let log = log["items"].as_array().unwrap();
    let last = log.last().unwrap();
    // The server did it, and the bodies are gone from the log.
    assert_eq!(
        (&last["type"], last["actor_id"].as_str()),
        (&json!("message.deleted"), Some("00000000-0000-0000-0000-000000000000"))
    );
    let erased =
        log.iter().filter(|it| it["type"] == "message.created" && it.get("data").is_none());
    assert_eq!(erased.count(), 2);

    let kept = world.patch(&ana.token, &path, json!({"retention_s": 0})).await.is(200);
    assert_eq!(kept.get("retention_s"), None);
    world.wait(1_000_000);
    assert_eq!(world.app.retention().expire().await.unwrap(), 0);
    assert_eq!(bodies(&world, &ana, &alerts).await, ["", "young"]);
}

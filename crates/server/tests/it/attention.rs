//! What calls for attention: notifications, choices, pins, saved messages.

use serde_json::{Value, json};

use crate::world::{Person, World, text};

async fn calls(world: &World, of: &Person) -> Vec<(String, String)> {
    let list = world.get(&of.token, "/v1/notifications?unread=true").await.is(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(list["unread"], items.len());
    let body = |it: &Value| text(it["message"].get("body").unwrap_or(&json!("")));
    items.iter().map(|it| (text(&it["type"]), body(it))).collect()
}

fn told(kind: &str, body: &str) -> (String, String) {
    (kind.to_owned(), body.to_owned())
}

async fn kinds(world: &World, of: &Person) -> Vec<String> {
    let log = tidings_domain::LogId::User(of.id.parse().unwrap());
    let entries = world.app.store().entries(log, tidings_domain::Seq(0), 100).await.unwrap();
    entries.into_iter().map(|entry| entry.kind).collect()
}

struct Scene {
    world: World,
    ana: Person,
    bo: Person,
    community: String,
    general: String,
}

async fn scene() -> Scene {
    let world = World::new().await;
    let ana = world.owner().await;
    let (community, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &community, "bo").await;
    // The owner hears that the invite was used.
    assert_eq!(calls(&world, &ana).await, [told("system", "")]);
    let all = world.get(&ana.token, "/v1/notifications").await.is(200);
    let read = json!({"up_to": all["items"][0]["id"]});
    let left = world.post(&ana.token, "/v1/notifications/read", read).await.is(200);
    assert_eq!(left, json!({"unread": 0}));
    Scene { world, ana, bo, community, general }
}

#[tokio::test]
async fn a_name_calls_whoever_it_names_and_nobody_else() {
    let Scene { world, ana, bo, general, .. } = scene().await;
    let before = kinds(&world, &bo).await.len();
    world.say(&ana, &general, "hello all").await;
    assert_eq!(kinds(&world, &bo).await.len(), before);
    let said = world.say(&ana, &general, "hello @bo and @ana").await;
    let body = text(&said["body"]);
    assert_eq!(calls(&world, &bo).await, [told("mention", &body)]);
    assert_eq!(kinds(&world, &bo).await.last().unwrap(), "notification.created");
    assert_eq!(calls(&world, &ana).await, []);
    let list = world.get(&bo.token, "/v1/notifications").await.is(200);
    let item = &list["items"][0];
    assert_eq!(
        (&item["id"], &item["read"], &item["quiet"]),
        (&said["id"], &json!(false), &json!(false))
    );
    assert_eq!(item["source"]["channel_id"], general);
    assert_eq!(item["source"]["actor_id"], ana.id);
    // Reading the channel is enough.
    let read = json!({"seq": said["seq"]});
    world.put(&bo.token, &format!("/v1/channels/{general}/read"), read).await.is(200);
    assert_eq!(calls(&world, &bo).await, []);
    let list = world.get(&bo.token, "/v1/notifications").await.is(200);
    assert_eq!((&list["items"][0]["read"], &list["unread"]), (&json!(true), &json!(0)));
}

#[tokio::test]
async fn an_alert_calls_people_like_any_message() {
    let Scene { world, ana, bo, general, .. } = scene().await;
    let path = format!("/v1/channels/{general}/webhooks");
    let made = world.post(&ana.token, &path, json!({"name": "alerts"})).await.is(201);
    let url = text(&made["url"]);
    let path = url.strip_prefix("http://localhost:8420").unwrap();
    let said = json!({"text": "@bo the disk is full", "link_names": 1});
    let said = world.post("", path, said).await;
    assert_eq!(said.status, 200, "{said:?}");
    let calls = calls(&world, &bo).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].1.ends_with("the disk is full"), "{calls:?}");
    let list = world.get(&bo.token, "/v1/notifications").await.is(200);
    assert_eq!(list["items"][0]["source"]["actor_id"], made["id"]);
}

#[tokio::test]
async fn everybody_is_called_with_one_entry() {
    let Scene { world, ana, bo, community, general } = scene().await;
    let cy = world.member(&ana, &community, "cy").await;
    let before = kinds(&world, &bo).await.len();
    let said = world.say(&ana, &general, "all of you, @channel").await;
    let body = text(&said["body"]);
    for person in [&bo, &cy] {
        assert_eq!(calls(&world, person).await, [told("mention", &body)]);
    }
    assert_eq!(kinds(&world, &bo).await.len(), before);
    // Each marks it for themselves, on all of their devices.
    let read = json!({"ids": [said["id"], said["id"], general]});
    let left = world.post(&bo.token, "/v1/notifications/read", read).await.is(200);
    assert_eq!(left["unread"], 0);
    assert_eq!(kinds(&world, &bo).await.last().unwrap(), "notification.read");
    assert_eq!(calls(&world, &cy).await.len(), 1);
    let ids: Vec<_> = (0..201).map(|_| crate::world::nowhere().to_string()).collect();
    let bad = json!({"ids": ids});
    world.post(&bo.token, "/v1/notifications/read", bad).await.refused(422, "unprocessable");
    world.get(&bo.token, "/v1/notifications?limit=0").await.refused(422, "unprocessable");
}

#[tokio::test]
async fn direct_messages_replies_and_invitations_call() {
    let Scene { world, ana, bo, community, general } = scene().await;
    let dm = world.post(&ana.token, "/v1/dms", json!({"users": [bo.id]})).await.is(201);
    world.say(&ana, &text(&dm["id"]), "psst").await;
    assert_eq!(calls(&world, &bo).await, [told("dm", "psst")]);

    let root = world.say(&bo, &general, "question").await;
    let reply = json!({"client_id": "r", "body": "answer", "parent_id": root["id"]});
    let path = format!("/v1/channels/{general}/messages");
    let reply = world.post(&ana.token, &path, reply).await.is(201);
    let expected = [told("thread_reply", "answer"), told("dm", "psst")];
    assert_eq!(calls(&world, &bo).await, expected);
    let read = format!("/v1/messages/{}/read", text(&root["id"]));
    world.put(&bo.token, &read, json!({"seq": reply["seq"]})).await.is(200);
    assert_eq!(calls(&world, &bo).await, expected[1..]);

    let body = json!({"name": "secret", "visibility": "private"});
    let secret = world.channel(&ana, &community, body).await;
    let path = format!("/v1/channels/{secret}/members");
    world.post(&ana.token, &path, json!({"user_id": bo.id})).await.is(201);
    world.post(&ana.token, &path, json!({"user_id": bo.id})).await.is(200);
    assert_eq!(calls(&world, &bo).await, [told("invite", ""), told("dm", "psst")]);
    let path = format!("/v1/communities/{community}/members/{}", bo.id);
    world.patch(&ana.token, &path, json!({"role": "admin"})).await.is(200);
    assert_eq!(calls(&world, &bo).await[0], told("system", ""));
    // In pages, newest first.
    let first = world.get(&bo.token, "/v1/notifications?limit=2").await.is(200);
    let next = text(&first["next"]);
    let rest = world.get(&bo.token, &format!("/v1/notifications?before={next}")).await.is(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    assert_eq!(rest.get("next"), None);
}

#[tokio::test]
async fn levels_and_mutes_are_obeyed() {
    let Scene { world, ana, bo, general, .. } = scene().await;
    let path = format!("/v1/channels/{general}");
    let channel = world.get(&bo.token, &path).await.is(200);
    assert_eq!((&channel["notify"], &channel["muted"]), (&json!("mentions"), &json!(false)));
    let notify = format!("{path}/notify");
    let answer = world.put(&bo.token, &notify, json!({"level": "nothing"})).await.is(200);
    assert_eq!(answer, json!({"channel_id": general, "level": "nothing"}));
    world.say(&ana, &general, "@bo @channel").await;
    assert_eq!(calls(&world, &bo).await, []);
    // Again is nothing new to the other devices.
    let before = kinds(&world, &bo).await.len();
    world.put(&bo.token, &notify, json!({"level": "nothing"})).await.is(200);
    assert_eq!(kinds(&world, &bo).await.len(), before);

    let mute = json!({"level": "all", "muted_until": "2199-01-01T00:00:00.000Z"});
    world.put(&bo.token, &notify, mute).await.is(200);
    let channel = world.get(&bo.token, &path).await.is(200);
    assert_eq!((&channel["notify"], &channel["muted"]), (&json!("all"), &json!(true)));
    world.say(&ana, &general, "@channel again").await;
    let named = world.say(&ana, &general, "@bo again").await;
    assert_eq!(calls(&world, &bo).await, [told("mention", &text(&named["body"]))]);
    let list = world.get(&bo.token, "/v1/notifications").await.is(200);
    assert_eq!(list["items"][0]["quiet"], true);
    let answer = world.put(&bo.token, &notify, json!({"muted_until": null})).await.is(200);
    assert_eq!(answer, json!({"channel_id": general, "level": "all"}));
    world.put(&bo.token, &notify, json!({"level": "loud"})).await.refused(422, "unprocessable");
    world.post(&bo.token, &format!("{path}/leave"), json!({})).await.is(204);
    world.put(&bo.token, &notify, json!({})).await.refused(409, "conflict");
}

#[tokio::test]
async fn keywords_call_and_quiet_times_are_told() {
    let Scene { world, ana, bo, general, .. } = scene().await;
    let path = "/v1/me/attention";
    let none = json!({"hide_typing": false, "keywords": []});
    assert_eq!(world.get(&bo.token, path).await.is(200), none);
    let chosen = json!({
        "keywords": ["Deploy", "blue/GREEN", "déploy"],
        "dnd_until": "2199-01-01T00:00:00.000Z",
        "hide_typing": false,
        "quiet_hours": {"from": "22:00", "to": "07:30", "utc_offset_min": 60},
    });
    let answer = world.put(&bo.token, path, chosen.clone()).await.is(200);
    let mut normal = chosen.clone();
    normal["keywords"] = json!(["blue green", "deploy"]);
    assert_eq!(answer, normal);
    assert_eq!(world.get(&bo.token, path).await.is(200), normal);
    assert_eq!(kinds(&world, &bo).await.last().unwrap(), "attention.updated");
    for body in ["Nothing", "redeployed", "green blue"] {
        world.say(&ana, &general, body).await;
    }
    assert_eq!(calls(&world, &bo).await, []);
    world.say(&ana, &general, "a Blue-Green one").await;
    world.say(&bo, &general, "I deploy").await;
    assert_eq!(calls(&world, &bo).await, []);
    world.say(&ana, &general, "DEPLOY!").await;
    assert_eq!(calls(&world, &bo).await, [told("mention", "DEPLOY!")]);
    let list = world.get(&bo.token, "/v1/notifications").await.is(200);
    assert_eq!(list["items"][0]["quiet"], true);
    world.put(&bo.token, path, json!({})).await.is(200);
    world.say(&ana, &general, "deploy again").await;
    assert_eq!(calls(&world, &bo).await.len(), 1);
    for bad in [
        json!({"keywords": ["!"]}),
        json!({"keywords": ["x".repeat(65)]}),
        json!({"keywords": ["a b c d e f"]}),
        json!({"keywords": (0..51).map(|n| n.to_string()).collect::<Vec<_>>()}),
        json!({"quiet_hours": {"from": "24:00", "to": "07:00"}}),
    ] {
        world.put(&bo.token, path, bad).await.refused(422, "unprocessable");
    }
}

#[tokio::test]
async fn pins_are_for_all_and_saved_messages_for_oneself() {
    let Scene { world, ana, bo, community, general } = scene().await;
    let first = text(&world.say(&ana, &general, "first").await["id"]);
    let second = text(&world.say(&bo, &general, "second").await["id"]);
    for id in [&first, &second, &first] {
        world
            .call(&bo.token, http::Method::PUT, &format!("/v1/messages/{id}/pin"), None)
            .await
            .is(204);
    }
    let log = world.log(&ana, &general).await;
    assert_eq!(log.iter().filter(|kind| *kind == "pin.added").count(), 2);
    let pins = async || {
        let list = world.get(&ana.token, &format!("/v1/channels/{general}/pins")).await.is(200);
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|it| text(&it["body"])).collect::<Vec<_>>()
    };
    assert_eq!(pins().await, ["second", "first"]);
    let seen = world.get(&ana.token, &format!("/v1/messages/{first}")).await.is(200);
    assert_eq!(seen["pinned"], true);
    let page = world.get(&ana.token, &format!("/v1/channels/{general}/messages")).await.is(200);
    assert!(page["items"].as_array().unwrap().iter().all(|it| it["pinned"] == true));
    world.delete(&ana.token, &format!("/v1/messages/{second}/pin")).await.is(204);
    world.delete(&ana.token, &format!("/v1/messages/{second}/pin")).await.is(204);
    assert_eq!(pins().await, ["first"]);

    let body = json!({"name": "secret", "visibility": "private"});
    let secret = world.channel(&ana, &community, body).await;
    let members = format!("/v1/channels/{secret}/members");
    world.post(&ana.token, &members, json!({"user_id": bo.id})).await.is(201);
    let hidden = text(&world.say(&ana, &secret, "hidden").await["id"]);
    for id in [&first, &hidden, &first] {
        world
            .call(&bo.token, http::Method::PUT, &format!("/v1/messages/{id}/save"), None)
            .await
            .is(204);
    }
    let saved = async |person: &Person| {
        let list = world.get(&person.token, "/v1/saved").await.is(200);
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|it| text(&it["body"])).collect::<Vec<_>>()
    };
    assert_eq!(saved(&bo).await, ["hidden", "first"]);
    assert_eq!(saved(&ana).await, Vec::<String>::new());
    let page = world.get(&bo.token, "/v1/saved?limit=1").await.is(200);
    let next = text(&page["next"]);
    let rest = world.get(&bo.token, &format!("/v1/saved?after={next}")).await.is(200);
    assert_eq!(rest["items"][0]["body"], "first");
    // What one may not read any more is not shown, and comes back with the right to it.
    world.delete(&ana.token, &format!("{members}/{}", bo.id)).await.is(204);
    assert_eq!(saved(&bo).await, ["first"]);
    world.delete(&bo.token, &format!("/v1/messages/{first}/save")).await.is(204);
    world.delete(&bo.token, &format!("/v1/messages/{first}/save")).await.is(204);
    assert_eq!(saved(&bo).await, Vec::<String>::new());

    world.delete(&ana.token, &format!("/v1/messages/{first}")).await.is(204);
    assert_eq!(pins().await, Vec::<String>::new());
    world
        .call(&bo.token, http::Method::PUT, &format!("/v1/messages/{first}/pin"), None)
        .await
        .refused(410, "gone");
}

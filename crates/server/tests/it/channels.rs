use serde_json::{Value, json};

use crate::world::{World, text};

#[tokio::test]
async fn public_channels_are_told_to_the_community_and_private_ones_are_not() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let public = world.channel(&ana, &id, json!({"name": "ops", "topic": "Pager"})).await;
    let body = json!({"name": "secret", "visibility": "private"});
    let private = world.channel(&ana, &id, body).await;
    let list = world.get(&bo.token, &format!("/v1/communities/{id}/channels")).await.is(200);
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|c| text(&c["name"])).collect();
    assert_eq!(names, ["general", "ops"]);
    world.get(&bo.token, &format!("/v1/channels/{private}")).await.refused(404, "not_found");

    let log = tidings_domain::LogId::Community(id.parse().unwrap());
    let entries = world.app.store().entries(log, tidings_domain::Seq(0), 100).await.unwrap();
    let told = entries.iter().filter(|entry| entry.kind == "channel.created").count();
    assert_eq!(told, 2, "#general and #ops, not #secret");

    world.delete(&ana.token, &format!("/v1/channels/{public}")).await.is(204);
    world.delete(&ana.token, &format!("/v1/channels/{public}")).await.is(204);
    let message = json!({"client_id": "x", "body": "late"});
    let path = format!("/v1/channels/{public}/messages");
    world.post(&ana.token, &path, message).await.refused(409, "conflict");
}

#[tokio::test]
async fn names_are_free_again_once_a_channel_is_archived() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let ops = world.channel(&ana, &id, json!({"name": "ops"})).await;
    let path = format!("/v1/communities/{id}/channels");
    let again = json!({"name": "ops"});
    world.post(&ana.token, &path, again.clone()).await.refused(409, "conflict");
    world.delete(&ana.token, &format!("/v1/channels/{ops}")).await.is(204);
    let ops = text(&world.post(&ana.token, &path, again).await.is(201)["id"]);
    let channel = format!("/v1/channels/{ops}");
    world.patch(&ana.token, &channel, json!({"name": "general"})).await.refused(409, "conflict");
    let body = json!({"name": "sre", "topic": "new", "category": "Work"});
    let changed = world.patch(&ana.token, &channel, body).await.is(200);
    assert_eq!((&changed["name"], &changed["category"]), (&json!("sre"), &json!("Work")));
    let changed = world.patch(&ana.token, &channel, json!({"category": ""})).await.is(200);
    assert_eq!((changed.get("category"), &changed["topic"]), (None, &json!("new")));
    world.delete(&ana.token, &format!("/v1/channels/{general}")).await.refused(409, "conflict");
}

#[tokio::test]
async fn features_that_are_not_there_are_refused() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let path = format!("/v1/communities/{id}/channels");
    for bad in [
        json!({"name": "x", "type": "voice"}),
        json!({"name": "x", "kind": "sealed"}),
        json!({"name": "x", "type": "dm"}),
        json!({"name": "x", "visibility": "hidden"}),
        json!({"name": "Upper"}),
        json!({"name": "x".repeat(81)}),
        json!({"name": "x", "topic": "x".repeat(1001)}),
    ] {
        world.post(&ana.token, &path, bad).await.refused(422, "unprocessable");
    }
}

#[tokio::test]
async fn people_join_leave_and_are_added() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let ops = world.channel(&ana, &id, json!({"name": "ops"})).await;
    world.say(&ana, &ops, "before").await;
    let path = format!("/v1/channels/{ops}");
    let join = format!("{path}/join");
    let joined = world.post(&bo.token, &join, json!({})).await.is(200);
    assert_eq!((&joined["joined"], &joined["unread"]), (&json!(true), &json!(0)));
    world.post(&bo.token, &join, json!({})).await.is(200);
    let members = world.get(&bo.token, &format!("{path}/members")).await.is(200);
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    world.post(&bo.token, &format!("{path}/leave"), json!({})).await.is(204);
    world.post(&bo.token, &format!("{path}/leave"), json!({})).await.is(204);
    assert_eq!(world.get(&bo.token, &path).await.is(200)["joined"], false);

    let add = json!({"user_id": bo.id});
    let path = format!("{path}/members");
    world.post(&bo.token, &path, add.clone()).await.refused(403, "forbidden");
    let member = world.post(&ana.token, &path, add.clone()).await.is(201);
    assert_eq!(member["user"]["username"], "bo");
    world.post(&ana.token, &path, add).await.is(200);
    let stranger = json!({"user_id": crate::world::nowhere()});
    world.post(&ana.token, &path, stranger).await.refused(422, "unprocessable");
    world.delete(&bo.token, &format!("{path}/{}", ana.id)).await.refused(403, "forbidden");
    world.delete(&ana.token, &format!("{path}/{}", bo.id)).await.is(204);
    let log = world.log(&ana, &ops).await;
    assert_eq!(
        log,
        [
            "channel.created",
            "member.joined",
            "message.created",
            "member.joined",
            "member.left",
            "member.joined",
            "member.left"
        ]
    );
}

#[tokio::test]
async fn there_is_one_dm_for_each_set_of_people() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let cy = world.member(&ana, &id, "cy").await;
    let dm = world.post(&ana.token, "/v1/dms", json!({"users": [bo.id]})).await.is(201);
    assert_eq!((&dm["type"], dm.get("community_id"), dm.get("name")), (&json!("dm"), None, None));
    assert_eq!(dm["users"].as_array().unwrap().len(), 2);
    let same = world.post(&bo.token, "/v1/dms", json!({"users": [ana.id, bo.id]})).await.is(200);
    assert_eq!(same["id"], dm["id"]);
    let body = json!({"users": [bo.id, cy.id]});
    let group = world.post(&ana.token, "/v1/dms", body).await.is(201);
    assert_eq!(group["type"], "group_dm");
    let own = world.post(&ana.token, "/v1/dms", json!({"users": [ana.id]})).await.is(201);
    assert_eq!(own["type"], "dm");

    let path = format!("/v1/channels/{}", text(&dm["id"]));
    world.get(&cy.token, &path).await.refused(404, "not_found");
    world.post(&bo.token, &format!("{path}/leave"), json!({})).await.refused(422, "unprocessable");
    let body = json!({"name": "x"});
    world.patch(&bo.token, &path, body).await.refused(422, "unprocessable");
    let sealed = json!({"users": [bo.id], "kind": "sealed"});
    world.post(&ana.token, "/v1/dms", sealed).await.refused(422, "unprocessable");
    world.post(&ana.token, "/v1/dms", json!({"users": []})).await.refused(422, "unprocessable");
    let unknown = json!({"users": [crate::world::nowhere()]});
    world.post(&ana.token, "/v1/dms", unknown).await.refused(404, "not_found");
    let list = world.get(&bo.token, "/v1/channels").await.is(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn read_markers_only_go_forward_unless_set() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let mut seqs = Vec::new();
    for body in ["one", "two @bo", "three"] {
        seqs.push(world.say(&ana, &general, body).await["seq"].as_u64().unwrap());
    }
    let path = format!("/v1/channels/{general}");
    let of = |view: &Value| (view["unread"].as_u64().unwrap(), view["mentions"].as_u64().unwrap());
    assert_eq!(of(&world.get(&bo.token, &path).await.is(200)), (3, 1));
    assert_eq!(of(&world.get(&ana.token, &path).await.is(200)), (0, 0));
    let read = format!("{path}/read");
    let state = world.put(&bo.token, &read, json!({"seq": seqs[1]})).await.is(200);
    assert_eq!((of(&state), &state["seq"]), ((1, 0), &json!(seqs[1])));
    let state = world.put(&bo.token, &read, json!({"seq": seqs[0]})).await.is(200);
    assert_eq!((of(&state), &state["seq"]), ((1, 0), &json!(seqs[1])));
    let state = world.put(&bo.token, &read, json!({"seq": seqs[0], "set": true})).await.is(200);
    assert_eq!(of(&state), (2, 1));
    let beyond = json!({"seq": seqs[2] + 1});
    world.put(&bo.token, &read, beyond).await.refused(422, "unprocessable");
}

#[tokio::test]
async fn typing_reaches_the_channel_and_at_most_every_three_seconds() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let eve = world.member(&ana, &id, "eve").await;
    let path = format!("/v1/channels/{general}/typing");
    world.post(&ana.token, &path, json!({"state": "start"})).await.is(204);
    world.post(&ana.token, &path, json!({"state": "stop"})).await.is(204);
    world.post(&ana.token, &path, json!({"state": "x"})).await.refused(422, "unprocessable");
    for _ in 0..100 {
        world.post(&eve.token, &path, json!({"state": "start"})).await.is(204);
    }
    let published = world.published.0.lock().unwrap().clone();
    assert_eq!(published[0].1, "typing.started");
    assert_eq!(published[1].1, "typing.stopped");
    let data: Value = serde_json::from_str(&published[0].2).unwrap();
    assert_eq!(data, json!({"channel_id": general, "user_id": ana.id}));
    let starts = published.len() - 2;
    assert_eq!(starts, 1, "a second start within three seconds is not told");
    world.wait(3);
    world.post(&eve.token, &path, json!({"state": "start"})).await.is(204);
    assert_eq!(world.published.0.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn who_hides_it_is_not_told_to_type() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let path = format!("/v1/channels/{general}/typing");
    let hide = json!({"hide_typing": true});
    let chosen = world.put(&ana.token, "/v1/me/attention", hide).await.is(200);
    assert_eq!(chosen["hide_typing"], true);
    world.post(&ana.token, &path, json!({"state": "start"})).await.is(204);
    assert!(world.published.0.lock().unwrap().is_empty());
    world.put(&ana.token, "/v1/me/attention", json!({})).await.is(200);
    world.wait(3);
    world.post(&ana.token, &path, json!({"state": "start"})).await.is(204);
    assert_eq!(world.published.0.lock().unwrap().len(), 1);
}

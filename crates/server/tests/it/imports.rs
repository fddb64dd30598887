use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use tidings_server::access::Importer;
use tidings_server::app::imports::Line;

use crate::world::{Answer, Person, World, text};

fn records() -> Vec<Value> {
    let at = "2018-02-01T10:00:00.000Z";
    vec![
        json!({"record": "community", "source_id": "s:T", "slug": "old", "name": "Old"}),
        json!({"record": "user", "source_id": "s:U1", "username": "bo", "display_name": "Bo"}),
        json!({"record": "user", "source_id": "s:U2", "username": "bot", "display_name": "Bot",
               "bot": true}),
        json!({"record": "channel", "source_id": "s:C1", "community": "s:T", "name": "random",
               "visibility": "public", "topic": "now", "archived": false, "created_at": at,
               "creator": "s:U1", "members": ["s:U1"]}),
        json!({"record": "message", "source_id": "s:M1", "channel": "s:C1", "author": "s:U1",
               "at": at, "body": "hi @{user:s:U2} and @bo, @here `@{here}`", "format": "text",
               "reactions": [{"emoji": "👍", "users": ["s:U1", "s:U2"]}]}),
        json!({"record": "message", "source_id": "s:M2", "channel": "s:C1", "author": "s:U2",
               "at": at, "body": "reply", "format": "text", "thread": "s:M1"}),
        json!({"record": "message", "source_id": "s:M3", "channel": "s:C1", "author": "s:U2",
               "at": at, "body": "", "format": "text", "deleted": true}),
        json!({"record": "topic", "source_id": "s:T1", "channel": "s:C1", "user": "s:U1",
               "at": at, "topic": "before"}),
        json!({"record": "join", "source_id": "s:J1", "channel": "s:C1", "user": "s:U2", "at": at}),
        json!({"record": "leave", "source_id": "s:L1", "channel": "s:C1", "user": "s:U1", "at": at}),
    ]
}

async fn import(world: &World, by: &Person, records: &[Value]) -> Answer {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let body = lines.join("\n");
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/admin/imports")
        .header(header::AUTHORIZATION, format!("Bearer {}", by.token))
        .header(header::CONTENT_TYPE, "application/x-ndjson")
        .body(Body::from(body))
        .unwrap();
    world.send(request).await
}

#[tokio::test]
async fn an_import_reads_like_the_source_and_a_second_one_adds_nothing() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &acme, "bo").await;
    import(&world, &bo, &records()).await.refused(403, "forbidden");
    let result = import(&world, &ana, &records()).await.is(200);
    assert_eq!(result, json!({"created": 10, "skipped": 0, "errors": []}));

    let mine = world.get(&ana.token, "/v1/communities").await.is(200);
    let old = mine["items"].as_array().unwrap().iter().find(|c| c["slug"] == "old").unwrap();
    assert_eq!(old["my_role"], "owner");
    let path = format!("/v1/communities/{}/channels", text(&old["id"]));
    let channels = world.get(&ana.token, &path).await.is(200);
    let channel = channels["items"].as_array().unwrap().iter().find(|c| c["name"] == "random");
    let channel = channel.unwrap();
    assert_eq!((&channel["topic"], &channel["unread"]), (&json!("now"), &json!(0)));
    let id = text(&channel["id"]);
    let path = format!("/v1/channels/{id}/messages");
    let messages = world.get(&ana.token, &path).await.is(200);
    let messages = messages["items"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    let first = &messages[0];
    // `bo` was taken, so the ghost has another name; the body says who was meant.
    assert_eq!(first["author"]["username"], "bo-2");
    assert!(text(&first["body"]).starts_with("hi @<user:"));
    assert!(text(&first["body"]).ends_with("and @bo, @here `@{here}`"));
    assert_eq!(first["mentions"].as_array().unwrap().len(), 1);
    assert_eq!((&first["imported"], &first["reply_count"]), (&json!(true), &json!(1)));
    assert_eq!(first["created_at"], "2018-02-01T10:00:00.000Z");
    assert_eq!(first["reactions"], json!([{"emoji": "👍", "count": 2, "me": false}]));
    assert_eq!(messages[1]["deleted"], true);
    let log = world.log(&ana, &id).await;
    assert_eq!(
        log,
        [
            "channel.created",
            "member.joined",
            "message.created",
            "reaction.added",
            "reaction.added",
            "message.created",
            "message.created",
            "message.deleted",
            "channel.updated",
            "channel.updated",
            "member.joined",
            "member.left"
        ]
    );
    let again = import(&world, &ana, &records()).await.is(200);
    assert_eq!(again, json!({"created": 0, "skipped": 10, "errors": []}));
    assert_eq!(world.log(&ana, &id).await, log);
}

#[tokio::test]
async fn bad_records_are_reported_and_the_others_go_in() {
    let world = World::new().await;
    let ana = world.owner().await;
    let mut lines = records();
    lines.insert(
        2,
        json!({"record": "user", "source_id": "s:U3", "username": "No", "display_name": "x"}),
    );
    lines.insert(
        3,
        json!({"record": "message", "source_id": "s:MX", "channel": "s:CX",
        "author": "s:U1", "at": "2018-02-01T10:00:00Z", "body": "x", "format": "text"}),
    );
    lines.insert(4, json!({"record": "nonsense"}));
    let result = import(&world, &ana, &lines).await.is(200);
    assert_eq!(result["created"], 10);
    let errors: Vec<_> = result["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["line"].as_u64().unwrap(), text(&error["code"])))
        .collect();
    assert_eq!(
        errors,
        [
            (3, "bad_username".to_owned()),
            (4, "unknown_source".to_owned()),
            (5, "bad_record".to_owned())
        ]
    );
}

#[tokio::test]
async fn what_was_imported_first_belongs_to_the_first_account_and_ghosts_are_claimed() {
    let world = World::new().await;
    let lines: Vec<Line> = records()
        .iter()
        .zip(1..)
        .filter_map(|(record, number)| Line::read(number, record.to_string().as_bytes()))
        .collect();
    let result = world.app.imports().apply(&Importer::operator(), &lines).await.unwrap();
    assert_eq!((result.created, result.errors.len()), (10, 0));
    let ana = world.owner().await;
    let mine = world.get(&ana.token, "/v1/communities").await.is(200);
    assert_eq!(mine["items"][0]["my_role"], "owner");
    let id = text(&mine["items"][0]["id"]);
    let members = world.get(&ana.token, &format!("/v1/communities/{id}/members")).await.is(200);
    let ghost = members["items"].as_array().unwrap().iter().find(|m| m["user"]["username"] == "bo");
    let ghost = text(&ghost.unwrap()["user"]["id"]);

    let code = world.invite(&ana, &id, json!({"claims": ghost})).await;
    world
        .post(&ana.token, &format!("/v1/invites/{code}/accept"), json!({}))
        .await
        .refused(409, "conflict");
    let bo = world.register("bo.new", json!({"invite": code})).await;
    assert_eq!(bo.id, ghost);
    let me = world.get(&bo.token, "/v1/me").await.is(200);
    assert_eq!(me["username"], "bo.new");
    assert_eq!(world.get(&bo.token, "/v1/communities").await.is(200)["items"][0]["id"], json!(id));
    let path = format!("/v1/communities/{id}/invites");
    let claimed = json!({"claims": ghost});
    world.post(&ana.token, &path, claimed).await.refused(422, "unprocessable");
}

//! Reports of messages.

use serde_json::{Value, json};

use crate::world::{Person, World, text};

async fn report(world: &World, by: &Person, message: &Value, reason: &str) {
    let path = format!("/v1/messages/{}/report", text(&message["id"]));
    world.post(&by.token, &path, json!({"reason": reason})).await.is(204);
}

async fn listed(world: &World, by: &Person, path: &str) -> Vec<Value> {
    world.get(&by.token, path).await.is(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_report_reaches_the_admins_once_and_is_dealt_with() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, general) = world.community(&ana, "acme").await;
    let (bo, eve) = (world.member(&ana, &acme, "bo").await, world.member(&ana, &acme, "eve").await);
    let spam = world.say(&eve, &general, "buy now").await;
    report(&world, &bo, &spam, " spam ").await;
    report(&world, &bo, &spam, "again").await;
    let path = format!("/v1/communities/{acme}/reports");
    let open = listed(&world, &ana, &path).await;
    assert_eq!(open.len(), 1);
    assert_eq!((&open[0]["reason"], &open[0]["message"]["body"]), (&json!("spam"), &spam["body"]));
    assert_eq!(
        (&open[0]["reporter"]["username"], &open[0]["message_id"]),
        (&json!("bo"), &spam["id"])
    );
    let calls = world.get(&ana.token, "/v1/notifications").await.is(200);
    let system = calls["items"].as_array().unwrap().iter();
    let of_bo = system.filter(|it| it["type"] == "system" && it["source"]["actor_id"] == bo.id);
    assert_eq!(of_bo.count(), 2, "one for the invite that was used, one for the report");
    // Members learn nothing, whoever they are.
    let resolve = format!("/v1/reports/{}/resolve", text(&open[0]["id"]));
    for person in [&bo, &eve] {
        world.get(&person.token, &path).await.refused(403, "forbidden");
        world.post(&person.token, &resolve, Value::Null).await.refused(404, "not_found");
    }
    world.post(&ana.token, &resolve, Value::Null).await.is(204);
    world.post(&ana.token, &resolve, Value::Null).await.is(204);
    assert_eq!(listed(&world, &ana, &path).await, Vec::<Value>::new());
    let all = listed(&world, &ana, &format!("{path}?all=true")).await;
    assert_eq!(all[0]["resolved_by"], ana.id);
    let acts = listed(&world, &ana, &format!("/v1/communities/{acme}/audit")).await;
    assert_eq!(acts.iter().filter(|act| act["action"] == "report.resolve").count(), 1);
}

#[tokio::test]
async fn what_is_reported_in_a_dm_is_for_the_owner_of_the_server() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let (bo, eve) = (world.member(&ana, &acme, "bo").await, world.member(&ana, &acme, "eve").await);
    let dm = world.post(&eve.token, "/v1/dms", json!({"users": [bo.id]})).await.is(201);
    let threat = world.say(&eve, &text(&dm["id"]), "I know where you live").await;
    report(&world, &bo, &threat, "a threat").await;
    assert_eq!(listed(&world, &ana, &format!("/v1/communities/{acme}/reports")).await.len(), 0);
    let direct = listed(&world, &ana, "/v1/admin/reports").await;
    assert_eq!(direct[0]["message"]["body"], threat["body"], "whoever reports shows it");
    world.get(&ana.token, &format!("/v1/messages/{}", text(&threat["id"]))).await.is(404);
    let resolve = format!("/v1/reports/{}/resolve", text(&direct[0]["id"]));
    world.post(&eve.token, &resolve, Value::Null).await.refused(404, "not_found");
    world.post(&ana.token, &resolve, Value::Null).await.is(204);
}

#[tokio::test]
async fn a_report_says_why_and_is_about_something() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let said = world.say(&ana, &general, "hello").await;
    let path = format!("/v1/messages/{}", text(&said["id"]));
    let report = format!("{path}/report");
    for reason in ["", "  ", &"x".repeat(501)] {
        let answer = world.post(&ana.token, &report, json!({"reason": reason})).await;
        answer.refused(422, "unprocessable");
    }
    world.delete(&ana.token, &path).await.is(204);
    world.post(&ana.token, &report, json!({"reason": "x"})).await.refused(410, "gone");
}

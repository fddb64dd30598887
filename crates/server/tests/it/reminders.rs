//! Reminders.

use serde_json::{Value, json};
use tidings_domain::Timestamp;

use crate::world::{Person, World, text};

async fn run(world: &World, who: &Person, channel: &str, line: &str) -> String {
    let path = format!("/v1/channels/{channel}/commands");
    let ran = world.post(&who.token, &path, json!({"text": line})).await.is(200);
    assert_eq!(ran["visible"], "you", "{ran}");
    text(&ran["text"])
}

/// What one was reminded of, in the conversation with oneself, and how much of it is unread.
async fn told(world: &World, who: &Person) -> (Vec<String>, Value) {
    let own = world.post(&who.token, "/v1/dms", json!({"users": [who.id]})).await.is(200);
    let path = format!("/v1/channels/{}/messages", text(&own["id"]));
    let page = world.get(&who.token, &path).await.is(200);
    let items = page["items"].as_array().unwrap();
    assert!(items.iter().all(|it| it["author"]["username"] == "tidings"), "{page}");
    (items.iter().map(|it| text(&it["body"])).collect(), own["unread"].clone())
}

#[tokio::test]
async fn a_reminder_comes_at_its_time_and_once() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let said = run(&world, &bo, &general, "/remind me in 2 hours to call @ana").await;
    assert_eq!(said, "You will be reminded at 2025-10-09T10:53:20.000Z.");
    run(&world, &bo, &general, "/remind 1h tea").await;
    let list = run(&world, &bo, &general, "/remind list").await;
    assert_eq!(list, "1. 2025-10-09T09:53:20.000Z: tea\n2. 2025-10-09T10:53:20.000Z: call @ana");
    assert_eq!(
        run(&world, &ana, &general, "/remind list").await,
        "You will be reminded of nothing."
    );

    let reminders = world.app.reminders();
    assert_eq!(reminders.deliver().await.unwrap(), Some(Timestamp(1_760_003_600_000)));
    assert_eq!(told(&world, &bo).await.0, [""; 0]);
    world.wait(3600);
    assert_eq!(reminders.deliver().await.unwrap(), Some(Timestamp(1_760_007_200_000)));
    assert_eq!(reminders.deliver().await.unwrap(), Some(Timestamp(1_760_007_200_000)));
    assert_eq!(told(&world, &bo).await, (vec!["⏰ tea".to_owned()], json!(1)));
    let calls = world.get(&bo.token, "/v1/notifications?unread=true").await.is(200);
    assert_eq!((&calls["unread"], &calls["items"][0]["type"]), (&json!(1), &json!("dm")));
    world.wait(24 * 3600);
    assert_eq!(reminders.deliver().await.unwrap(), None);
    assert_eq!(
        told(&world, &bo).await,
        (vec!["⏰ tea".to_owned(), "⏰ call @ana".to_owned()], json!(2))
    );
    assert_eq!(
        run(&world, &bo, &general, "/remind list").await,
        "You will be reminded of nothing."
    );
}

#[tokio::test]
async fn a_reminder_that_was_canceled_does_not_come() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    run(&world, &ana, &general, "/remind 1h tea").await;
    run(&world, &ana, &general, "/remind 2h coffee").await;
    let said = run(&world, &ana, &general, "/remind cancel 1").await;
    assert_eq!(said, "You will not be reminded of: tea");
    let path = format!("/v1/channels/{general}/commands");
    for line in [
        "/remind cancel 2",
        "/remind cancel 0",
        "/remind soon tea",
        "/remind 1h",
        "/remind 6000d x",
    ] {
        world.post(&ana.token, &path, json!({"text": line})).await.refused(422, "unprocessable");
    }
    world.wait(3 * 3600);
    world.app.reminders().deliver().await.unwrap();
    assert_eq!(told(&world, &ana).await.0, ["⏰ coffee"]);
}

#[tokio::test]
async fn whoever_is_gone_is_not_reminded_and_holds_nobody_up() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    run(&world, &bo, &general, "/remind 1m never").await;
    run(&world, &ana, &general, "/remind 1m tea").await;
    let user = world.app.store().user_by_username("bo").await.unwrap().unwrap();
    let gone = tidings_domain::User { disabled: true, ..user };
    let records = vec![tidings_storage::Record::UpdateUser(gone)];
    let change = tidings_storage::Change { records, ..tidings_storage::Change::default() };
    world.app.store().commit(change).await.unwrap();
    world.wait(60);
    assert_eq!(world.app.reminders().deliver().await.unwrap(), None);
    assert_eq!(told(&world, &ana).await.0, ["⏰ tea"]);
}

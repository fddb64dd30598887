//! Threads: who follows them, and what is unread in them.

use serde_json::{Value, json};

use crate::world::{Person, World, text};

async fn reply(world: &World, by: &Person, channel: &str, root: &str, body: &str) -> Value {
    let message = json!({"client_id": body, "body": body, "parent_id": root});
    world.post(&by.token, &format!("/v1/channels/{channel}/messages"), message).await.is(201)
}

async fn unread_threads(world: &World, of: &Person) -> Vec<(String, u64)> {
    let list = world.get(&of.token, "/v1/threads?unread=true").await.is(200);
    let items = list["items"].as_array().unwrap();
    items.iter().map(|it| (text(&it["id"]), it["thread"]["unread"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn an_answered_question_is_an_unread_thread_until_it_is_read() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let root = world.say(&ana, &general, "question").await;
    let (root, asked) = (text(&root["id"]), root["seq"].as_u64().unwrap());
    let one = reply(&world, &bo, &general, &root, "one").await["seq"].as_u64().unwrap();
    let two = reply(&world, &bo, &general, &root, "two").await["seq"].as_u64().unwrap();
    assert_eq!(unread_threads(&world, &ana).await, [(root.clone(), 2)]);
    assert_eq!(unread_threads(&world, &bo).await, []);
    let message = format!("/v1/messages/{root}");
    let seen = world.get(&ana.token, &message).await.is(200);
    assert_eq!(seen["thread"], json!({"read_seq": asked, "unread": 2}));

    let read = format!("{message}/read");
    let state = world.put(&ana.token, &read, json!({"seq": one})).await.is(200);
    let expected = json!({
        "channel_id": general, "thread_id": root, "seq": one, "unread": 1, "mentions": 0
    });
    assert_eq!(state, expected);
    // Forward only, unless it is set.
    let state = world.put(&ana.token, &read, json!({"seq": asked})).await.is(200);
    assert_eq!(state["seq"], one);
    let state = world.put(&ana.token, &read, json!({"seq": asked, "set": true})).await.is(200);
    assert_eq!((&state["seq"], &state["unread"]), (&json!(asked), &json!(2)));
    world.put(&ana.token, &read, json!({"seq": two})).await.is(200);
    assert_eq!(unread_threads(&world, &ana).await, []);
    // Every other device hears it, and so does whoever was followed by it.
    let log = tidings_domain::LogId::User(ana.id.parse().unwrap());
    let entries = world.app.store().entries(log, tidings_domain::Seq(0), 100).await.unwrap();
    let last = entries.last().unwrap();
    let data: Value = serde_json::from_slice(&last.data.as_ref().unwrap().0).unwrap();
    assert_eq!((last.kind.as_str(), &data["thread_id"]), ("read.updated", &json!(root)));
    // The marker of the channel is another one.
    let channel = world.get(&bo.token, &format!("/v1/channels/{general}")).await.is(200);
    assert_eq!(channel["unread"], 1);
}

#[tokio::test]
async fn a_thread_is_followed_by_reading_and_only_in_its_own_channel() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (id, general) = world.community(&ana, "acme").await;
    let bo = world.member(&ana, &id, "bo").await;
    let cy = world.member(&ana, &id, "cy").await;
    let root = text(&world.say(&ana, &general, "question").await["id"]);
    let answer = reply(&world, &bo, &general, &root, "answer").await;
    let read = format!("/v1/messages/{root}/read");
    assert_eq!(world.get(&cy.token, "/v1/threads").await.is(200)["items"], json!([]));
    let state = world.put(&cy.token, &read, json!({"seq": 0})).await.is(200);
    assert_eq!((&state["seq"], &state["unread"]), (&json!(0), &json!(1)));
    assert_eq!(unread_threads(&world, &cy).await, [(root.clone(), 1)]);

    let of_reply = format!("/v1/messages/{}/read", text(&answer["id"]));
    world.put(&cy.token, &of_reply, json!({"seq": 0})).await.refused(422, "unprocessable");
    world.put(&cy.token, &read, json!({"seq": 1_000})).await.refused(422, "unprocessable");
    world.post(&cy.token, &format!("/v1/channels/{general}/leave"), json!({})).await.is(204);
    world.put(&cy.token, &read, json!({"seq": 0})).await.refused(409, "conflict");
    assert_eq!(unread_threads(&world, &cy).await, []);
}

#[tokio::test]
async fn followed_threads_come_in_pages() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (_, general) = world.community(&ana, "acme").await;
    let mut roots = Vec::new();
    for body in ["a", "b", "c"] {
        let root = text(&world.say(&ana, &general, body).await["id"]);
        reply(&world, &ana, &general, &root, &format!("re {body}")).await;
        roots.push(root);
    }
    roots.sort_unstable();
    let mut found = Vec::new();
    let mut path = "/v1/threads?limit=2".to_owned();
    loop {
        let page = world.get(&ana.token, &path).await.is(200);
        found.extend(page["items"].as_array().unwrap().iter().map(|it| text(&it["id"])));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/threads?limit=2&after={next}");
    }
    assert_eq!(found, roots);
    world.get(&ana.token, "/v1/threads?limit=0").await.refused(422, "unprocessable");
}

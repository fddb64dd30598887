use http::header;
use serde_json::{Value, json};

use crate::world::{Answer, Person, World, nowhere};

async fn look(world: &World, viewer: &Person, target: &str) -> Answer {
    let answer = world.get(&viewer.token, &format!("/v1/presence?users={target}")).await;
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    answer
}

async fn sees(world: &World, viewer: &Person, target: &Person) -> (String, String) {
    let seen = look(world, viewer, &target.id).await.is(200)["items"][0].clone();
    assert_eq!(seen["user_id"], target.id.as_str());
    let field = |name: &str| seen[name].as_str().unwrap().to_owned();
    (field("state"), field("last_seen"))
}

async fn beat(world: &World, person: &Person, sign: Value) {
    world.post(&person.token, "/v1/heartbeat", sign).await.is(204);
}

fn of(state: &str, seen: &str) -> (String, String) {
    (state.to_owned(), seen.to_owned())
}

#[tokio::test]
async fn a_lease_ends_when_it_said_and_leaves_a_coarse_time() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let bob = world.member(&ana, &acme, "bob").await;
    assert_eq!(sees(&world, &bob, &ana).await, of("offline", "7d+"));
    beat(&world, &ana, json!({"ttl_s": 15})).await;
    assert_eq!(sees(&world, &bob, &ana).await, of("online", "now"));
    world.wait(14);
    assert_eq!(sees(&world, &bob, &ana).await, of("online", "now"));
    world.wait(1);
    assert_eq!(sees(&world, &bob, &ana).await, of("offline", "now"));
    world.wait(300);
    assert_eq!(sees(&world, &bob, &ana).await, of("offline", "5m"));
    beat(&world, &ana, json!({"state": "away"})).await;
    assert_eq!(sees(&world, &bob, &ana).await, of("away", "now"));
    beat(&world, &ana, json!({})).await;
    assert_eq!(sees(&world, &bob, &ana).await, of("away", "now"), "a bare sign changes nothing");
    for wrong in [json!({"ttl_s": 14}), json!({"ttl_s": 301}), json!({"state": "asleep"})] {
        let answer = world.post(&ana.token, "/v1/heartbeat", wrong).await;
        answer.refused(422, "unprocessable");
    }
}

#[tokio::test]
async fn who_may_not_be_seen_looks_like_who_is_not_there() {
    let world = World::new().await;
    let ana = world.owner().await;
    let (acme, _) = world.community(&ana, "acme").await;
    let (other, _) = world.community(&ana, "other").await;
    let bob = world.member(&ana, &acme, "bob").await;
    let stranger = world.member(&ana, &other, "stranger").await;
    let unwanted = world.member(&ana, &acme, "unwanted").await;
    let averse = world.member(&ana, &acme, "averse").await;
    let hidden = world.member(&ana, &acme, "hidden").await;
    let absent = world.member(&ana, &acme, "absent").await;
    for person in [&stranger, &unwanted, &averse] {
        beat(&world, person, json!({})).await;
    }
    beat(&world, &hidden, json!({"state": "invisible"})).await;
    let path = |person: &Person| format!("/v1/me/blocks/{}", person.id);
    world.put(&bob.token, &path(&unwanted), Value::Null).await.is(204);
    world.put(&averse.token, &path(&bob), Value::Null).await.is(204);
    let nobody = nowhere().to_string();
    let ids = [&stranger.id, &unwanted.id, &averse.id, &hidden.id, &nobody, &absent.id];
    let mut answers = Vec::new();
    for id in ids {
        let Answer { status, mut headers, mut body } = look(&world, &bob, id).await;
        headers.remove("x-trace-id");
        assert_eq!(body["items"][0]["user_id"], id.as_str());
        body["items"][0]["user_id"] = Value::Null;
        answers.push((status, headers, body));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(answers[0].2["items"][0]["state"], "offline");
    // The others are seen by whoever may see them.
    assert_eq!(sees(&world, &ana, &stranger).await, of("online", "now"));
    assert_eq!(sees(&world, &ana, &unwanted).await, of("online", "now"));
    world.delete(&bob.token, &path(&unwanted)).await.is(204);
    assert_eq!(sees(&world, &bob, &unwanted).await, of("online", "now"));
}

#[tokio::test]
async fn too_many_questions_are_refused_whoever_they_are_about() {
    let world = World::new().await;
    let ana = world.owner().await;
    for id in [ana.id.clone(), nowhere().to_string()] {
        for _ in 0..256 {
            look(&world, &ana, &id).await.is(200);
        }
        look(&world, &ana, &id).await.refused(429, "rate_limited");
    }
    let many = vec![nowhere().to_string(); 257].join(",");
    world.wait(60);
    look(&world, &ana, &many).await.refused(422, "unprocessable");
    look(&world, &ana, "x").await.refused(422, "unprocessable");
}

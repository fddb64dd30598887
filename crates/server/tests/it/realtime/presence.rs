//! Who is there, as those hear of it who watch.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Backend, Person, World};

use super::sockets::{Ws, http, token};
use super::{Room, room_in};

async fn at_once() -> Room {
    let change = |settings: &mut tidings_server::Settings| settings.presence_batch = Duration::ZERO;
    room_in(World::with(1, Backend::Memory, change).await).await
}

async fn beat(world: &World, token: &str, sign: Value) {
    let url = format!("{}/v1/heartbeat", world.server().origin());
    let answer = http().post(url).bearer_auth(token).json(&sign).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

fn watch(kind: &str, people: &[&Person]) -> Value {
    let users: Vec<_> = people.iter().map(|person| person.id().to_string()).collect();
    json!({"v": 1, "t": kind, "body": {"users": users}})
}

/// The state of the next person of whom is told.
async fn told(socket: &mut Ws, person: &Person) -> String {
    loop {
        let (next, event) = socket.event().await;
        if event["type"] == "presence.changed" {
            assert_eq!(event["data"]["user_id"], person.id().to_string(), "{event}");
            assert_eq!((&event["seq"], next.as_str()), (&Value::Null, ""));
            return event["data"]["state"].as_str().unwrap().to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_hears_of_changes_and_of_nothing_else() {
    let room = at_once().await;
    let (ana, ben) = (token(&room.world, &room.ana).await, token(&room.world, &room.ben).await);
    let mut socket = Ws::start(&room.world, &ana, None).await;
    socket.send(watch("presence.watch", &[&room.ben])).await;
    assert_eq!(told(&mut socket, &room.ben).await, "offline");
    beat(&room.world, &ben, json!({"ttl_s": 300})).await;
    assert_eq!(told(&mut socket, &room.ben).await, "online");
    // The same again is no news; what follows is.
    beat(&room.world, &ben, json!({})).await;
    beat(&room.world, &ben, json!({"state": "away"})).await;
    assert_eq!(told(&mut socket, &room.ben).await, "away");
    beat(&room.world, &ben, json!({"state": "invisible"})).await;
    assert_eq!(told(&mut socket, &room.ben).await, "offline");
    beat(&room.world, &ben, json!({"state": "online"})).await;
    assert_eq!(told(&mut socket, &room.ben).await, "online");
    // Who blocks is gone at once for whom they blocked.
    room.ben.client().block(room.ana.id()).await.unwrap();
    assert_eq!(told(&mut socket, &room.ben).await, "offline");
    room.ben.client().unblock(room.ana.id()).await.unwrap();
    assert_eq!(told(&mut socket, &room.ben).await, "online");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_connection_is_a_sign_of_life_and_leases_end_by_themselves() {
    let room = at_once().await;
    let (ana, ben) = (token(&room.world, &room.ana).await, token(&room.world, &room.ben).await);
    let mut socket = Ws::start(&room.world, &ana, None).await;
    socket.send(watch("presence.watch", &[&room.ben])).await;
    assert_eq!(told(&mut socket, &room.ben).await, "offline");
    let other = Ws::start(&room.world, &ben, None).await;
    assert_eq!(told(&mut socket, &room.ben).await, "online");
    drop(other);
    room.world.clock().advance(Duration::from_secs(20));
    beat(&room.world, &ben, json!({"ttl_s": 15})).await;
    room.world.clock().advance(Duration::from_secs(15));
    assert_eq!(told(&mut socket, &room.ben).await, "offline");
    // Whom one does not watch any more one does not hear of: the next is of oneself.
    socket.send(watch("presence.unwatch", &[&room.ben])).await;
    socket.send(watch("presence.watch", &[&room.ana])).await;
    assert_eq!(told(&mut socket, &room.ana).await, "online");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_the_last_shared_channel_is_not_there_any_more() {
    let room = at_once().await;
    let (ana, ben) = (token(&room.world, &room.ana).await, token(&room.world, &room.ben).await);
    beat(&room.world, &ben, json!({"ttl_s": 300})).await;
    let mut socket = Ws::start(&room.world, &ana, None).await;
    socket.send(watch("presence.watch", &[&room.ben])).await;
    assert_eq!(told(&mut socket, &room.ben).await, "online");
    room.ben.client().remove_member(room.community, room.ben.id()).await.unwrap();
    assert_eq!(told(&mut socket, &room.ben).await, "offline");
}

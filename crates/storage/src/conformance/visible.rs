//! What a user may see of the log.

use std::sync::Arc;

use tidings_domain::{Channel, Fact, LogId, Position, Role, User};

use super::entry::{everything, header};
use super::world::{World, author, log};
use crate::Store;
use crate::entry::VisibleEvent;

/// Everything that a user may see after a position, in pages of at most `limit`.
pub(super) async fn all_visible(
    world: &World,
    user: &User,
    after: Position,
    limit: usize,
) -> Vec<VisibleEvent> {
    let head = world.store.head().await.unwrap();
    let mut events: Vec<VisibleEvent> = Vec::new();
    let mut reached = after;
    loop {
        let page = world.store.visible(user.id, reached, head, limit).await.unwrap();
        assert!(page.events.len() <= limit);
        for event in page.events {
            assert!(event.position > reached && event.position <= page.reached);
            assert!(events.last().is_none_or(|last| last.position < event.position));
            events.push(event);
        }
        assert!(page.reached > reached || !page.has_more, "no progress");
        reached = page.reached;
        if !page.has_more {
            assert_eq!(reached, head.max(after));
            return events;
        }
    }
}

async fn positions(world: &World, user: &User) -> Vec<Position> {
    let events = all_visible(world, user, Position(0), 1_000).await;
    events.into_iter().map(|event| event.position).collect()
}

pub async fn a_user_sees_the_own_log_and_joined_rooms(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ben).await;
    let room = world.create(world.room(&acme, "room"), &[&ana, &ben]).await;
    let other = world.create(world.room(&acme, "other"), &[&ben]).await;
    let start = world.store.head().await.unwrap();
    let said = world.say(&room, &ben, "hi").await;
    world.say(&other, &ben, "ho").await;
    world.read(&room, &ben, said.seq).await;
    world.read(&room, &ana, said.seq).await;
    world.enlist(&acme, &ana, Role::Member).await;

    let events = all_visible(&world, &ana, start, 1_000).await;
    let seen: Vec<_> = events.iter().map(|it| (it.position.0 - start.0, &*it.kind)).collect();
    assert_eq!(seen, [(1, "message.created"), (4, "read.updated"), (5, "member.joined")]);
    let logs = [log(&room), LogId::User(ana.id), LogId::Community(acme.id)];
    let stored = everything(&world, &logs).await;
    for event in &events {
        let entry = stored.iter().find(|entry| entry.position == event.position).unwrap();
        let (data, _) = entry.data.as_ref().unwrap();
        assert_eq!(event.event, header(entry).encode_event(data));
    }
}

pub async fn a_room_is_visible_from_joining_on(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ben]).await;
    world.say(&room, &ben, "before").await;
    let joined = world.join(&room, &ana).await;
    let said = world.say(&room, &ben, "after").await;
    let seen = positions(&world, &ana).await;
    assert_eq!(seen, [joined.position, Position(joined.position.0 + 1)]);
    assert_eq!(said.seq.0, joined.seq.0 + 1);
}

pub async fn who_left_sees_the_leaving_last(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ben).await;
    world.enlist(&acme, &ana, Role::Member).await;
    let room = world.create(world.room(&acme, "room"), &[&ana, &ben]).await;
    world.say(&room, &ben, "not seen in time").await;
    let left_room = world.leave(&room, &ana).await;
    world.say(&room, &ben, "after").await;
    let left = Fact::MemberLeft { user: author(&ana) };
    let left_community = world.append(LogId::Community(acme.id), ben.id, left).await;
    world.enlist(&acme, &world.user("cleo").await, Role::Member).await;
    assert_eq!(positions(&world, &ana).await, [left_room.position, left_community.position]);
}

pub async fn who_comes_back_sees_from_then_on(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    world.leave(&room, &ana).await;
    world.say(&room, &ben, "while away").await;
    let back = world.join(&room, &ana).await;
    world.say(&room, &ben, "after").await;
    let next = Position(back.position.0 + 1);
    assert_eq!(positions(&world, &ana).await, [back.position, next]);
}

pub async fn small_limits_skip_nothing(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let mut rooms: Vec<Channel> = Vec::new();
    for (name, members) in
        [("a", &[&ana, &ben][..]), ("b", &[&ben]), ("c", &[&ana]), ("d", &[&ben])]
    {
        rooms.push(world.channel(name, members).await);
    }
    for _ in 0..60 {
        let room = &rooms[world.below(rooms.len())];
        match world.below(3) {
            0 => drop(world.read(room, &ana, tidings_domain::Seq(2)).await),
            _ => drop(world.say(room, &ben, "hi").await),
        }
    }
    let whole = positions(&world, &ana).await;
    assert!(whole.len() > 20);
    for limit in [1, 2, 3, 7] {
        for after in [0, 5, 30] {
            let events = all_visible(&world, &ana, Position(after), limit).await;
            let seen: Vec<_> = events.iter().map(|event| event.position).collect();
            let expected: Vec<_> = whole.iter().filter(|it| it.0 > after).copied().collect();
            assert_eq!(seen, expected, "limit {limit}, after {after}");
        }
    }
}

pub async fn nothing_past_the_limit_is_looked_at(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    world.say(&room, &ana, "one").await;
    let middle = world.store.head().await.unwrap();
    world.say(&room, &ana, "two").await;
    let head = world.store.head().await.unwrap();

    let page = world.store.visible(ana.id, Position(0), middle, 100).await.unwrap();
    assert_eq!((page.reached, page.has_more), (middle, false));
    assert!(page.events.iter().all(|event| event.position <= middle));
    // A position of the future must not become a cursor that skips what will stand there.
    let page = world.store.visible(ana.id, middle, Position(head.0 + 50), 100).await.unwrap();
    assert_eq!((page.events.len(), page.reached, page.has_more), (1, head, false));
    let page = world.store.visible(ana.id, head, head, 100).await.unwrap();
    assert_eq!((page.events.len(), page.reached, page.has_more), (0, head, false));
}

pub async fn an_erased_entry_is_an_event_without_data(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let start = world.store.head().await.unwrap();
    let message = world.say(&room, &ana, "secret").await;
    world.delete(&message).await;
    let events = all_visible(&world, &ana, start, 100).await;
    let kinds: Vec<_> = events.iter().map(|event| &*event.kind).collect();
    assert_eq!(kinds, ["message.created", "message.deleted"]);
    let stored = everything(&world, &[log(&room)]).await;
    let entry = stored.iter().find(|entry| entry.seq == message.seq).unwrap();
    assert_eq!(events[0].event, header(entry).encode_event(b"null"));
}

//! Sessions.

use std::sync::Arc;

use tidings_domain::{DeviceId, SessionId, Timestamp, User};

use super::world::World;
use crate::session::StoredSession;
use crate::{Record, Store};

pub(super) fn session(world: &World, user: &User, device: DeviceId) -> StoredSession {
    let created_at = world.now();
    StoredSession {
        id: SessionId(world.id()),
        user_id: user.id,
        device_id: device,
        device_name: "laptop \u{1f4bb}".to_owned(),
        token_hash: world.bytes(),
        created_at,
        last_used_at: created_at,
        expires_at: created_at.plus_seconds(3_600),
    }
}

async fn create(world: &World, user: &User, device: DeviceId) -> StoredSession {
    let session = session(world, user, device);
    world.record(Record::CreateSession(session.clone())).await;
    session
}

pub async fn a_session_is_found_by_its_token(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let session = create(&world, &ana, DeviceId(world.id())).await;
    assert_eq!(world.store.session(session.id).await.unwrap(), Some(session.clone()));
    let found = world.store.session_by_token(&session.token_hash).await.unwrap();
    assert_eq!(found, Some((session, ana)));
    assert_eq!(world.store.session_by_token(&[1; 32]).await.unwrap(), None);
}

pub async fn a_touched_session_lives_on(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let session = create(&world, &ana, DeviceId(world.id())).await;
    let (last_used_at, expires_at) = (Timestamp(5_000), Timestamp(9_000));
    world.record(Record::TouchSession(session.id, last_used_at, expires_at)).await;
    let found = world.store.session(session.id).await.unwrap();
    assert_eq!(found, Some(StoredSession { last_used_at, expires_at, ..session }));
}

pub async fn sessions_end_one_by_one_or_by_device(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let (phone, laptop) = (DeviceId(world.id()), DeviceId(world.id()));
    let first = create(&world, &ana, phone).await;
    let second = create(&world, &ana, phone).await;
    let third = create(&world, &ana, laptop).await;
    let other = create(&world, &ben, phone).await;

    world.record(Record::DeleteSession(first.id)).await;
    assert_eq!(world.store.session_by_token(&first.token_hash).await.unwrap(), None);
    assert_eq!(world.store.sessions_of(ana.id).await.unwrap(), [second, third.clone()]);
    world.record(Record::DeleteSessions(ana.id, Some(phone))).await;
    assert_eq!(world.store.sessions_of(ana.id).await.unwrap(), [third]);
    world.record(Record::DeleteSessions(ana.id, None)).await;
    assert_eq!(world.store.sessions_of(ana.id).await.unwrap(), []);
    assert_eq!(world.store.sessions_of(ben.id).await.unwrap(), [other]);
}

pub async fn sessions_are_listed_oldest_first(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let all: Vec<_> = (0..3).map(|_| session(&world, &ana, DeviceId(world.id()))).collect();
    for session in all.iter().rev() {
        world.record(Record::CreateSession(session.clone())).await;
    }
    assert_eq!(world.store.sessions_of(ana.id).await.unwrap(), all);
}

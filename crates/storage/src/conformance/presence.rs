//! Who may see whose presence.

use std::sync::Arc;

use tidings_domain::{User, UserId};

use super::world::World;
use crate::block::StoredBlock;
use crate::{Record, Store};

async fn sees(world: &World, viewer: &User, target: &User) -> bool {
    world.store.acquaintances(viewer.id, &[target.id]).await.unwrap()[0].allowed
}

pub async fn presence_is_for_those_who_share_a_channel(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let (cleo, dan) = (world.user("cleo").await, world.user("dan").await);
    let ops = world.channel("ops", &[&ana, &ben]).await;
    world.dm(&[&ana, &cleo]).await;
    let targets = [ben.id, cleo.id, dan.id, UserId(world.id())];
    let found = world.store.acquaintances(ana.id, &targets).await.unwrap();
    let allowed: Vec<_> = found.iter().map(|found| found.allowed).collect();
    assert_eq!(allowed, [true, true, false, false]);
    assert!(found.iter().all(|found| found.last_seen.is_none()));
    assert!(!sees(&world, &ben, &cleo).await);
    world.leave(&ops, &ben).await;
    assert!(!sees(&world, &ana, &ben).await, "who left is not seen");
    assert!(!sees(&world, &ben, &ana).await, "and does not see");
}

pub async fn a_block_hides_presence_both_ways(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    world.channel("ops", &[&ana, &ben]).await;
    let block = StoredBlock { user_id: ana.id, blocked: ben.id, created_at: world.now() };
    world.record(Record::Block(block)).await;
    assert!(!sees(&world, &ana, &ben).await);
    assert!(!sees(&world, &ben, &ana).await);
    world.record(Record::Unblock(ana.id, ben.id)).await;
    assert!(sees(&world, &ben, &ana).await);
}

pub async fn who_was_seen_is_known_by_the_last_time(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    for _ in 0..2 {
        let now = world.now();
        world.record(Record::Seen(ana.id, now)).await;
        let found = world.store.acquaintances(ana.id, &[ana.id]).await.unwrap();
        assert_eq!(found[0].last_seen, Some(now));
    }
}

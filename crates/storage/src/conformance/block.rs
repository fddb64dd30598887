//! Block lists, and what they keep away.

use std::sync::Arc;

use tidings_domain::{Mention, User};

use super::world::World;
use crate::block::StoredBlock;
use crate::{Record, Store};

async fn block(world: &World, by: &User, whom: &User) -> StoredBlock {
    let block = StoredBlock { user_id: by.id, blocked: whom.id, created_at: world.now() };
    world.record(Record::Block(block)).await;
    block
}

pub async fn block_lists_are_durable_and_one_way(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let cleo = world.user("cleo").await;
    let first = block(&world, &ana, &ben).await;
    let second = block(&world, &ana, &cleo).await;
    block(&world, &ana, &ben).await;
    let mut all = [first, second];
    all.sort_unstable_by_key(|block| block.blocked);
    assert_eq!(world.store.blocks_of(ana.id).await.unwrap(), all, "again changes nothing");
    assert_eq!(world.store.blocks_of(ben.id).await.unwrap(), []);
    world.record(Record::Unblock(ana.id, ben.id)).await;
    world.record(Record::Unblock(ben.id, ana.id)).await;
    assert_eq!(world.store.blocks_of(ana.id).await.unwrap(), [second]);
}

pub async fn either_of_two_may_have_blocked_the_other(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let (cleo, dan) = (world.user("cleo").await, world.user("dan").await);
    block(&world, &ana, &ben).await;
    block(&world, &cleo, &ana).await;
    let others = [dan.id, cleo.id, ben.id, dan.id];
    let found = world.store.blocked_between(ana.id, &others).await.unwrap();
    assert_eq!(found, [false, true, true, false]);
    assert_eq!(world.store.blocked_between(ben.id, &[ana.id]).await.unwrap(), [true]);
    assert!(world.store.blocked_between(ana.id, &[]).await.unwrap().is_empty());
}

pub async fn who_is_blocked_mentions_nobody(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let ops = world.channel("ops", &[&ana, &ben]).await;
    for mention in [Mention::User(ana.id), Mention::Everyone] {
        world.mention(&ops, &ben, &[mention]).await;
    }
    let mentions = async || world.unread(&ops, &ana).await;
    assert_eq!(mentions().await, (2, 2));
    block(&world, &ana, &ben).await;
    assert_eq!(mentions().await, (2, 0), "the messages stay where they are");
    world.record(Record::Unblock(ana.id, ben.id)).await;
    block(&world, &ben, &ana).await;
    assert_eq!(mentions().await, (2, 2), "only one's own list silences");
}

//! Accounts and chains.

use std::sync::Arc;

use tidings_domain::user::ServerRole;
use tidings_domain::{IdentityKey, Timestamp, User, UserId};

use super::world::World;
use crate::{Record, Store};

pub async fn accounts_are_found_by_id_name_and_identity(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let store = &world.store;
    assert_eq!(store.user(ana.id).await.unwrap(), Some(ana.clone()));
    assert_eq!(store.user(UserId(world.id())).await.unwrap(), None);
    assert_eq!(store.user_by_username("ben").await.unwrap(), Some(ben.clone()));
    assert_eq!(store.user_by_username("Ben").await.unwrap(), None);
    let identity = ana.identity.unwrap();
    assert_eq!(store.user_by_identity(identity).await.unwrap(), Some(ana.clone()));
    assert_eq!(store.user_by_identity(IdentityKey([9; 32])).await.unwrap(), None);

    let mut found = store.users(&[ben.id, UserId(world.id()), ana.id]).await.unwrap();
    found.sort_by_key(|user| user.id);
    assert_eq!(found, [ana.clone(), ben.clone()]);
    let names = ["nobody".to_owned(), "ben".to_owned(), "ana".to_owned()];
    let mut found = store.users_by_username(&names).await.unwrap();
    found.sort_by_key(|user| user.id);
    assert_eq!(found, [ana, ben]);
}

pub async fn an_update_keeps_id_name_and_creation(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let identity = IdentityKey(world.bytes());
    let now = User {
        display_name: "Ana B. \u{1f4ac}".to_owned(),
        identity: Some(identity),
        server_role: ServerRole::Owner,
        discoverable: true,
        status: "away".to_owned(),
        disabled: true,
        ..ana.clone()
    };
    let told = User { username: "other".to_owned(), created_at: Timestamp(1), ..now.clone() };
    world.record(Record::UpdateUser(told)).await;
    assert_eq!(world.store.user(ana.id).await.unwrap(), Some(now.clone()));
    assert_eq!(world.store.user_by_username("other").await.unwrap(), None);
    assert_eq!(world.store.user_by_identity(identity).await.unwrap(), Some(now));
    assert_eq!(world.store.user_by_identity(ana.identity.unwrap()).await.unwrap(), None);
}

pub async fn a_claimed_ghost_has_another_name(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ghost = world.ghost("ana-old").await;
    world.record(Record::RenameUser(ghost.id, "ana".to_owned())).await;
    let found = world.store.user_by_username("ana").await.unwrap().unwrap();
    assert_eq!(found, User { username: "ana".to_owned(), ..ghost });
    assert_eq!(world.store.user_by_username("ana-old").await.unwrap(), None);
}

pub async fn ghosts_are_no_accounts(store: Arc<dyn Store>) {
    let world = World::new(store);
    assert!(!world.store.has_accounts().await.unwrap());
    world.ghost("ghost").await;
    assert!(!world.store.has_accounts().await.unwrap());
    world.user("ana").await;
    assert!(world.store.has_accounts().await.unwrap());
}

pub async fn the_server_owner_is_the_first_of_them(store: Arc<dyn Store>) {
    let world = World::new(store);
    world.user("ana").await;
    assert_eq!(world.store.server_owner().await.unwrap(), None);
    let owner = |name| User { server_role: ServerRole::Owner, ..world.account(name) };
    let (ben, cleo) = (owner("ben"), owner("cleo"));
    world.record(Record::CreateUser(cleo)).await;
    world.record(Record::CreateUser(ben.clone())).await;
    assert_eq!(world.store.server_owner().await.unwrap(), Some(ben));
}

pub async fn accounts_are_listed_in_order_of_ids(store: Arc<dyn Store>) {
    let world = World::new(store);
    let mut all = Vec::new();
    for number in 0..5 {
        all.push(world.account(&format!("user{number}")));
    }
    for user in all.iter().rev() {
        world.record(Record::CreateUser(user.clone())).await;
    }
    let first = world.store.list_users(UserId::NIL, 2).await.unwrap();
    assert_eq!(first, all[..2]);
    assert_eq!(world.store.list_users(first[1].id, 10).await.unwrap(), all[2..]);
}

pub async fn chains_grow_at_their_end(store: Arc<dyn Store>) {
    let world = World::new(store);
    let identity = IdentityKey(world.bytes());
    let envelopes = |names: &[&str]| names.iter().map(|it| it.as_bytes().to_vec()).collect();
    for (first, names) in [(0, &["a", "b"][..]), (2, &["c"][..])] {
        let envelopes = envelopes(names);
        world.record(Record::AppendChain { identity, first, envelopes }).await;
    }
    let all: Vec<Vec<u8>> = envelopes(&["a", "b", "c"]);
    assert_eq!(world.store.chain(identity, 0, 10).await.unwrap(), all);
    assert_eq!(world.store.chain(identity, 1, 1).await.unwrap(), all[1..2]);
    assert_eq!(world.store.chain(identity, 3, 10).await.unwrap(), all[3..]);
    assert_eq!(world.store.chain(IdentityKey([1; 32]), 0, 10).await.unwrap(), all[3..]);
}

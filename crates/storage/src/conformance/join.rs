//! Requests to join.

use std::sync::Arc;

use tidings_domain::{Community, CommunityId, Role, Timestamp, User, UserId};

use super::world::World;
use crate::join::StoredJoinRequest;
use crate::{Precondition, Record, Store};

async fn ask(world: &World, community: &Community, user: &User, role: Role) -> StoredJoinRequest {
    let request = StoredJoinRequest {
        community_id: community.id,
        user_id: user.id,
        invited_by: UserId(world.id()),
        role,
        created_at: world.now(),
        refused_until: None,
    };
    world.record(Record::PutJoinRequest(request.clone())).await;
    request
}

pub async fn a_request_waits_until_it_is_decided(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let (ben, cleo) = (world.user("ben").await, world.user("cleo").await);
    let (acme, zoo) = (world.community("acme", &ana).await, world.community("zoo", &ana).await);
    let state = |user: &User, state| Precondition::JoinRequestIs(acme.id, user.id, state);
    assert!(world.holds(state(&ben, None)).await);
    let first = ask(&world, &acme, &ben, Role::Member).await;
    let second = ask(&world, &acme, &cleo, Role::Admin).await;
    let other = ask(&world, &zoo, &ben, Role::Member).await;
    assert!(world.holds(state(&ben, Some(false))).await);
    for wrong in [None, Some(true)] {
        assert!(!world.holds(state(&ben, wrong)).await);
    }

    let store = &world.store;
    assert_eq!(store.join_request(acme.id, ben.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.join_request(CommunityId(world.id()), ben.id).await.unwrap(), None);
    let all = store.join_requests_to(acme.id, UserId::NIL, 10).await.unwrap();
    assert_eq!(all, [(first.clone(), ben.clone()), (second.clone(), cleo.clone())]);
    let page = store.join_requests_to(acme.id, UserId::NIL, 1).await.unwrap();
    assert_eq!(page.len(), 1);
    let page = store.join_requests_to(acme.id, ben.id, 10).await.unwrap();
    assert_eq!(page, [(second, cleo.clone())]);
    let own = store.join_requests_of(ben.id).await.unwrap();
    assert_eq!(own, [(first, acme.clone()), (other.clone(), zoo.clone())]);

    world.record(Record::DeleteJoinRequest(acme.id, ben.id)).await;
    assert!(world.holds(state(&ben, None)).await);
    assert_eq!(store.join_requests_of(ben.id).await.unwrap(), [(other, zoo)]);
}

pub async fn refusals_are_forgotten_in_time(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    let asked = ask(&world, &acme, &ben, Role::Member).await;
    let refused = StoredJoinRequest { refused_until: Some(Timestamp(5_000)), ..asked };
    world.record(Record::PutJoinRequest(refused.clone())).await;
    assert!(world.holds(Precondition::JoinRequestIs(acme.id, ben.id, Some(true))).await);
    world.record(Record::Prune(Timestamp(5_000))).await;
    let kept = world.store.join_request(acme.id, ben.id).await.unwrap();
    assert_eq!(kept, Some(refused));
    world.record(Record::Prune(Timestamp(5_001))).await;
    assert_eq!(world.store.join_request(acme.id, ben.id).await.unwrap(), None);
    // Who waits is not forgotten.
    ask(&world, &acme, &ben, Role::Member).await;
    world.record(Record::Prune(Timestamp(i64::MAX))).await;
    assert!(world.store.join_request(acme.id, ben.id).await.unwrap().is_some());
}

pub async fn admins_are_listed_with_owners_first(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ben, cleo) = (world.user("ben").await, world.user("cleo").await);
    let (ana, dan) = (world.user("ana").await, world.user("dan").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Admin).await;
    world.enlist(&acme, &cleo, Role::Member).await;
    world.enlist(&acme, &dan, Role::Owner).await;
    let admins = world.store.admins_of(acme.id, 10).await.unwrap();
    assert_eq!(admins, [ana.id, dan.id, ben.id]);
    assert_eq!(world.store.admins_of(acme.id, 1).await.unwrap(), [ana.id]);
}

//! Communities, their members and invites.

use std::sync::Arc;

use tidings_domain::{
    Channel, Community, CommunityId, Fact, InviteCode, LogId, Role, User, UserId,
};

use super::world::{World, author};
use crate::community::StoredInvite;
use crate::{Record, Store};

pub(super) async fn dismiss(world: &World, community: &Community, user: &User) {
    let fact = Fact::MemberLeft { user: author(user) };
    world.append(LogId::Community(community.id), user.id, fact).await;
}

pub(super) fn invite(world: &World, community: CommunityId, made_by: UserId) -> StoredInvite {
    StoredInvite {
        code_hash: world.bytes(),
        code: InviteCode(format!("code-{}", world.draw())),
        community_id: community,
        created_by: made_by,
        created_at: world.now(),
        max_uses: None,
        uses: 0,
        expires_at: None,
        role: Role::Member,
        approval: false,
        claims: None,
    }
}

pub async fn a_community_is_found_by_id_and_slug(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    assert_eq!(world.store.community(acme.id).await.unwrap(), Some(acme.clone()));
    assert_eq!(world.store.community_by_slug("acme").await.unwrap(), Some(acme.clone()));
    assert_eq!(world.store.community_by_slug("other").await.unwrap(), None);

    let renamed =
        Community { name: "Acme é".to_owned(), slug: "new".to_owned(), approval: true, ..acme };
    world.record(Record::UpdateCommunity(renamed.clone())).await;
    assert_eq!(world.store.community(renamed.id).await.unwrap(), Some(renamed.clone()));
    assert_eq!(world.store.community_by_slug("acme").await.unwrap(), None);
    assert_eq!(world.store.community_by_slug("new").await.unwrap(), Some(renamed));
}

pub async fn members_have_roles(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    let zoo = world.community("zoo", &ben).await;
    world.enlist(&acme, &ben, Role::Member).await;
    assert_eq!(world.store.community_role(acme.id, ana.id).await.unwrap(), Some(Role::Owner));
    assert_eq!(world.store.community_role(acme.id, ben.id).await.unwrap(), Some(Role::Member));
    assert_eq!(world.store.community_role(zoo.id, ana.id).await.unwrap(), None);
    let all = world.store.communities_of(ben.id).await.unwrap();
    assert_eq!(all, [(acme.clone(), Role::Member), (zoo, Role::Owner)]);

    let fact = Fact::MemberRoleChanged { user: author(&ben), role: Role::Admin };
    world.append(LogId::Community(acme.id), ana.id, fact).await;
    let member = world.store.community_member(acme.id, ben.id).await.unwrap().unwrap();
    assert_eq!((member.user, member.role), (ben, Role::Admin));
}

pub async fn who_left_is_no_member(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Admin).await;
    dismiss(&world, &acme, &ben).await;
    assert_eq!(world.store.community_role(acme.id, ben.id).await.unwrap(), None);
    assert_eq!(world.store.community_member(acme.id, ben.id).await.unwrap(), None);
    assert_eq!(world.store.communities_of(ben.id).await.unwrap(), []);
    let members = world.store.community_members(acme.id, UserId::NIL, 10).await.unwrap();
    assert_eq!(members.len(), 1);

    world.enlist(&acme, &ben, Role::Member).await;
    assert_eq!(world.store.community_role(acme.id, ben.id).await.unwrap(), Some(Role::Member));
}

pub async fn members_are_listed_in_order_of_ids(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    let (ben, cleo) = (world.user("ben").await, world.user("cleo").await);
    world.enlist(&acme, &cleo, Role::Member).await;
    world.enlist(&acme, &ben, Role::Member).await;
    let page = world.store.community_members(acme.id, UserId::NIL, 2).await.unwrap();
    let ids: Vec<_> = page.iter().map(|member| member.user.id).collect();
    assert_eq!(ids, [ana.id, ben.id]);
    let page = world.store.community_members(acme.id, ben.id, 2).await.unwrap();
    let ids: Vec<_> = page.iter().map(|member| member.user.id).collect();
    assert_eq!(ids, [cleo.id]);
}

pub async fn people_who_share_a_room_know_each_other(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let (cleo, dan) = (world.user("cleo").await, world.user("dan").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Member).await;
    world.dm(&[&ben, &cleo]).await;
    let store = &world.store;
    assert!(store.share_a_room(ana.id, ben.id).await.unwrap());
    assert!(store.share_a_room(cleo.id, ben.id).await.unwrap());
    assert!(!store.share_a_room(ana.id, cleo.id).await.unwrap());
    assert!(!store.share_a_room(ana.id, dan.id).await.unwrap());
    dismiss(&world, &acme, &ben).await;
    assert!(!store.share_a_room(ana.id, ben.id).await.unwrap());
}

pub async fn newcomers_join_default_channels(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    let general = Channel { default: true, ..world.room(&acme, "general") };
    world.create(general.clone(), &[&ana]).await;
    world.create(world.room(&acme, "random"), &[&ana]).await;
    assert_eq!(world.store.default_channels(acme.id).await.unwrap(), [general.id]);
}

pub async fn invites_are_counted_and_deleted(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let (acme, zoo) = (world.community("acme", &ana).await, world.community("zoo", &ana).await);
    let first = StoredInvite {
        max_uses: Some(3),
        expires_at: Some(world.now()),
        role: Role::Admin,
        approval: true,
        claims: Some(UserId(world.id())),
        ..invite(&world, acme.id, ana.id)
    };
    let second = invite(&world, acme.id, ana.id);
    let other = invite(&world, zoo.id, ana.id);
    for invite in [&second, &first, &other] {
        world.record(Record::CreateInvite(invite.clone())).await;
    }
    assert_eq!(world.store.invites(acme.id).await.unwrap(), [first.clone(), second.clone()]);
    world.record(Record::UseInvite(first.code_hash)).await;
    let used = StoredInvite { uses: 1, ..first };
    assert_eq!(world.store.invite(&used.code_hash).await.unwrap(), Some(used.clone()));
    world.record(Record::DeleteInvite(used.code_hash)).await;
    assert_eq!(world.store.invite(&used.code_hash).await.unwrap(), None);
    assert_eq!(world.store.invites(acme.id).await.unwrap(), [second]);
}

//! Bans, mutes, the audit log, and selections of messages.

use std::sync::Arc;

use tidings_domain::{
    Channel, ChannelId, CommunityId, Fact, LogId, MessageId, RestrictionKind, Role, User, UserId,
    Visibility,
};
use uuid::Uuid;

use super::world::{World, author, log};
use crate::moderation::{Selection, StoredAudit, StoredRestriction};
use crate::{Record, Store};

fn ban(world: &World, community: CommunityId, user: UserId) -> StoredRestriction {
    StoredRestriction {
        community,
        user,
        kind: RestrictionKind::Ban,
        until: None,
        reason: "spam \u{1f916}".to_owned(),
        actor: UserId(world.id()),
        at: world.now(),
    }
}

pub async fn a_restriction_is_replaced_and_lifted(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (acme, ben) = (CommunityId(world.id()), world.user("ben").await);
    let first = ban(&world, acme, ben.id);
    let mute = StoredRestriction { kind: RestrictionKind::Mute, ..first.clone() };
    world.record(Record::PutRestriction(first.clone())).await;
    world.record(Record::PutRestriction(mute.clone())).await;
    let second = StoredRestriction { until: Some(world.now()), ..ban(&world, acme, ben.id) };
    world.record(Record::PutRestriction(second.clone())).await;
    let read = |kind| world.store.restriction(kind, acme, ben.id);
    assert_eq!(read(RestrictionKind::Ban).await.unwrap(), Some(second));
    assert_eq!(read(RestrictionKind::Mute).await.unwrap(), Some(mute));
    world.record(Record::DeleteRestriction(RestrictionKind::Ban, acme, ben.id)).await;
    assert_eq!(read(RestrictionKind::Ban).await.unwrap(), None);
    assert!(read(RestrictionKind::Mute).await.unwrap().is_some());
}

pub async fn restrictions_that_stand_are_listed_by_user(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (acme, zoo) = (CommunityId(world.id()), CommunityId(world.id()));
    let ids = [UserId(world.id()), UserId(world.id()), UserId(world.id()), UserId(world.id())];
    for id in ids {
        world.record(Record::PutRestriction(ban(&world, acme, id))).await;
    }
    world.record(Record::PutRestriction(ban(&world, zoo, ids[0]))).await;
    let now = world.now();
    let ended = StoredRestriction { until: Some(now), ..ban(&world, acme, ids[1]) };
    world.record(Record::PutRestriction(ended)).await;
    let later = Some(now.plus_seconds(1));
    let stands = StoredRestriction { until: later, ..ban(&world, acme, ids[2]) };
    world.record(Record::PutRestriction(stands)).await;
    let list = async |after, limit| {
        let kind = RestrictionKind::Ban;
        let rows = world.store.restrictions(kind, acme, now, after, limit).await.unwrap();
        rows.into_iter().map(|row| row.user).collect::<Vec<_>>()
    };
    assert_eq!(list(UserId::NIL, 10).await, [ids[0], ids[2], ids[3]]);
    assert_eq!(list(UserId::NIL, 1).await, [ids[0]]);
    assert_eq!(list(ids[0], 10).await, [ids[2], ids[3]]);
    let mutes = world.store.restrictions(RestrictionKind::Mute, acme, now, UserId::NIL, 9).await;
    assert_eq!(mutes.unwrap(), []);
}

pub async fn who_is_banned_is_out(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    let was = async |user: &User| world.store.was_member(acme.id, user.id).await.unwrap();
    assert!(!was(&ben).await);
    world.enlist(&acme, &ben, Role::Member).await;
    assert!(was(&ben).await);
    let fact = Fact::MemberBanned { user: author(&ben), until: None };
    let banned = world.append(LogId::Community(acme.id), ana.id, fact).await;
    assert_eq!(world.store.community_role(acme.id, ben.id).await.unwrap(), None);
    assert!(was(&ben).await);
    // It is the last that they see of the community.
    let fact = Fact::MemberUnbanned { user: author(&ben) };
    world.append(LogId::Community(acme.id), ana.id, fact).await;
    let seen = super::visible::all_visible(&world, &ben, tidings_domain::Position(0), 9).await;
    assert_eq!(seen.last().unwrap().position, banned.position);
    assert_eq!(world.store.rebuild(&|_, _| ()).await.unwrap().unknown, 0);
    assert_eq!(world.store.community_role(acme.id, ben.id).await.unwrap(), None);
}

pub async fn a_nickname_lasts_as_long_as_the_membership(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Member).await;
    let room = world.create(world.room(&acme, "room"), &[&ana, &ben]).await;
    let called = async || {
        let member = world.store.community_member(acme.id, ben.id).await.unwrap();
        let in_room = world.store.channel_members(room.id, UserId::NIL, 9).await.unwrap();
        let in_room = in_room.into_iter().find(|it| it.user.id == ben.id).unwrap();
        let member = member.and_then(|it| it.nickname);
        assert_eq!(member, in_room.nickname);
        member
    };
    assert_eq!(called().await, None);
    let rename = |nickname: Option<&str>| {
        let nickname = nickname.map(str::to_owned);
        let fact = Fact::MemberUpdated { user: author(&ben), nickname };
        world.append(LogId::Community(acme.id), ben.id, fact)
    };
    rename(Some("Benny")).await;
    assert_eq!(called().await.as_deref(), Some("Benny"));
    let before = world.store.dump_projections().await.unwrap();
    world.store.rebuild(&|_, _| ()).await.unwrap();
    assert_eq!(world.store.dump_projections().await.unwrap(), before);
    rename(None).await;
    assert_eq!(called().await, None);
    rename(Some("B")).await;
    let left = Fact::MemberLeft { user: author(&ben) };
    world.append(LogId::Community(acme.id), ben.id, left).await;
    world.enlist(&acme, &ben, Role::Member).await;
    assert_eq!(called().await, None);
}

fn act(world: &World, community: CommunityId, private: ChannelId) -> StoredAudit {
    StoredAudit {
        id: world.id(),
        community,
        private,
        actor: UserId(world.id()),
        at: world.now(),
        action: "member.ban".to_owned(),
        target_kind: "user".to_owned(),
        target: world.id(),
        target_name: "ben".to_owned(),
        detail: r#"{"reason":"spam \u{1f916}"}"#.to_owned(),
        address: "::1".to_owned(),
    }
}

pub async fn acts_are_listed_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Admin).await;
    let secret = Channel { visibility: Visibility::Private, ..world.room(&acme, "secret") };
    let secret = world.create(secret, &[&ana]).await;
    let acts = [
        act(&world, acme.id, ChannelId::NIL),
        act(&world, acme.id, secret.id),
        act(&world, acme.id, ChannelId::NIL),
        act(&world, CommunityId::NIL, ChannelId::NIL),
    ];
    for act in &acts {
        world.record(Record::Audit(act.clone())).await;
    }
    let list = async |community, reader: &User, before, limit| {
        world.store.audit(community, reader.id, before, limit).await.unwrap()
    };
    let all = list(acme.id, &ana, Uuid::max(), 9).await;
    assert_eq!(all, [acts[2].clone(), acts[1].clone(), acts[0].clone()]);
    assert_eq!(list(acme.id, &ana, Uuid::max(), 2).await, all[..2]);
    assert_eq!(list(acme.id, &ana, acts[1].id, 9).await, all[2..]);
    // A private channel does not exist for who is not in it.
    let found = list(acme.id, &ben, Uuid::max(), 9).await;
    assert_eq!(found, [acts[2].clone(), acts[0].clone()]);
    assert_eq!(list(CommunityId::NIL, &ben, Uuid::max(), 9).await, acts[3..]);
    world.leave(&secret, &ana).await;
    assert_eq!(list(acme.id, &ana, Uuid::max(), 9).await.len(), 2);
}

pub async fn messages_are_selected_by_author_and_time(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let other = world.channel("other", &[&ana]).await;
    world.say(&other, &ana, "elsewhere").await;
    let one = world.say(&room, &ana, "one").await;
    let two = world.say(&room, &ben, "two").await;
    let three = world.reply(&one, &ana, "three").await;
    let four = world.say(&room, &ana, "four").await;
    let gone = world.say(&room, &ana, "gone").await;
    world.delete(&gone).await;
    let ids = [one.id, two.id, three.id, four.id];
    let newest = async |selection, limit| {
        world.store.newest_messages(room.id, selection, limit).await.unwrap()
    };
    let oldest = async |selection, limit| {
        world.store.oldest_messages(room.id, selection, limit).await.unwrap()
    };
    let all = Selection::default();
    assert_eq!(oldest(all, 9).await, ids);
    assert_eq!(oldest(all, 2).await, ids[..2]);
    assert_eq!(newest(all, 2).await, [ids[3], ids[2]]);
    let by_ben = Selection { author: Some(ben.id), ..all };
    assert_eq!(newest(by_ben, 9).await, [ids[1]]);
    let since = Selection { since: Some(three.created_at), ..all };
    assert_eq!(newest(since, 9).await, [ids[3], ids[2]]);
    let before = Selection { before: Some(three.created_at), ..all };
    assert_eq!(oldest(before, 9).await, ids[..2]);
    let none: [MessageId; 0] = [];
    assert_eq!(newest(Selection { author: Some(UserId(world.id())), ..all }, 9).await, none);
}

pub async fn channels_that_erase_are_known(store: Arc<dyn Store>) {
    let world = World::new(store);
    let room = world.channel("room", &[]).await;
    assert_eq!(world.store.channels_with_retention().await.unwrap(), []);
    let erasing = Channel { retention_s: Some(3_600), ..room };
    let fact = Fact::ChannelUpdated(Box::new(erasing.clone()));
    world.append(log(&erasing), UserId::NIL, fact).await;
    assert_eq!(world.store.channels_with_retention().await.unwrap(), [(erasing.id, 3_600)]);
}

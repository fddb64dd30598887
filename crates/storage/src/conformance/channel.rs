//! Channels and DMs.

use std::sync::Arc;

use tidings_domain::{Channel, ChannelId, Fact, LogId, Role, Seq, UserId, Visibility};

use super::world::{World, log};
use crate::Store;
use crate::channel::ChannelView;

pub async fn a_channel_is_what_its_own_log_says(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let acme = world.community("acme", &ana).await;
    let created = Channel {
        topic: "what \u{1f916} do".to_owned(),
        category: Some("work".to_owned()),
        retention_s: Some(86_400),
        default: true,
        visibility: Visibility::Private,
        ..world.room(&acme, "ops")
    };
    world.create(created.clone(), &[&ana]).await;
    assert_eq!(world.store.channel(created.id).await.unwrap(), Some(created.clone()));
    assert_eq!(world.store.channel(ChannelId(world.id())).await.unwrap(), None);

    // In its community's log it is told, and no more.
    let renamed = Channel { name: Some("told".to_owned()), ..created.clone() };
    let fact = Fact::ChannelUpdated(Box::new(renamed));
    world.append(LogId::Community(acme.id), ana.id, fact).await;
    assert_eq!(world.store.channel(created.id).await.unwrap(), Some(created.clone()));

    let updated = Channel {
        name: Some("dev".to_owned()),
        topic: String::new(),
        category: None,
        retention_s: None,
        visibility: Visibility::Public,
        ..created
    };
    world.append(log(&updated), ana.id, Fact::ChannelUpdated(Box::new(updated.clone()))).await;
    assert_eq!(world.store.channel(updated.id).await.unwrap(), Some(updated.clone()));
    let archived = Channel { archived: true, ..updated };
    world.append(log(&archived), ana.id, Fact::ChannelArchived(Box::new(archived.clone()))).await;
    assert_eq!(world.store.channel(archived.id).await.unwrap(), Some(archived));
}

pub async fn a_view_tells_where_the_reader_stands(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana]).await;
    world.say(&room, &ana, "one").await;
    let stranger = ChannelView {
        channel: room.clone(),
        member_count: 1,
        joined: false,
        head_seq: Seq(3),
        read_seq: Seq(0),
        unread: 0,
        mentions: 0,
        notice: None,
    };
    assert_eq!(world.view(&room, &ben).await, stranger);
    let member = ChannelView { joined: true, read_seq: Seq(3), ..stranger };
    assert_eq!(world.view(&room, &ana).await, member);
    let unknown = world.store.channel_view(ChannelId(world.id()), ana.id).await.unwrap();
    assert_eq!(unknown, None);
}

pub async fn joined_channels_are_those_of_the_reader(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let one = world.channel("one", &[&ana, &ben]).await;
    let dm = world.dm(&[&ana, &ben]).await;
    world.channel("two", &[&ben]).await;
    let left = world.channel("three", &[&ana]).await;
    world.leave(&left, &ana).await;
    let joined = world.store.joined_channels(ana.id).await.unwrap();
    assert_eq!(joined, [world.view(&one, &ana).await, world.view(&dm, &ana).await]);
}

pub async fn private_channels_are_hidden_from_others(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    let open = world.create(world.room(&acme, "open"), &[&ana]).await;
    let hidden = Channel { visibility: Visibility::Private, ..world.room(&acme, "hidden") };
    let hidden = world.create(hidden, &[&ana]).await;
    world.channel("elsewhere", &[&ana, &ben]).await;

    let of = async |user: UserId| {
        let views = world.store.community_channels(acme.id, user).await.unwrap();
        views.into_iter().map(|view| view.channel.id).collect::<Vec<_>>()
    };
    assert_eq!(of(ana.id).await, [open.id, hidden.id]);
    assert_eq!(of(ben.id).await, [open.id]);
    world.leave(&hidden, &ana).await;
    assert_eq!(of(ana.id).await, [open.id]);
}

pub async fn channels_are_found_by_name(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    let open = world.create(world.room(&acme, "open"), &[&ana]).await;
    let hidden = Channel { visibility: Visibility::Private, ..world.room(&acme, "hidden") };
    let hidden = world.create(hidden, &[&ana]).await;
    let old = world.create(world.room(&acme, "old"), &[&ana]).await;
    let archived = Channel { archived: true, ..old.clone() };
    world.append(log(&old), ana.id, Fact::ChannelArchived(Box::new(archived))).await;

    let names = ["hidden", "nothing", "old", "open"].map(str::to_owned);
    let of = async |user: UserId| {
        let mut found = world.store.channels_by_name(acme.id, &names, user).await.unwrap();
        found.sort_by_key(|channel| channel.id);
        found
    };
    assert_eq!(of(ana.id).await, [open.clone(), hidden]);
    assert_eq!(of(ben.id).await, [open]);
}

pub async fn a_dm_is_found_by_its_users(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let cleo = world.user("cleo").await;
    let (pair, alone) = (world.dm(&[&ana, &ben]).await, world.dm(&[&ana]).await);
    let group = world.dm(&[&ana, &ben, &cleo]).await;
    let store = &world.store;
    assert_eq!(store.dm(&[ana.id, ben.id]).await.unwrap(), Some(pair.id));
    assert_eq!(store.dm(&[ana.id]).await.unwrap(), Some(alone.id));
    assert_eq!(store.dm(&[ana.id, ben.id, cleo.id]).await.unwrap(), Some(group.id));
    assert_eq!(store.dm(&[ana.id, cleo.id]).await.unwrap(), None);
    assert_eq!(store.channel(group.id).await.unwrap(), Some(group));
}

pub async fn members_come_and_go(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana]).await;
    assert!(!world.store.in_channel(room.id, ben.id).await.unwrap());
    world.join(&room, &ben).await;
    assert!(world.store.in_channel(room.id, ben.id).await.unwrap());
    assert_eq!(world.view(&room, &ben).await.member_count, 2);
    world.leave(&room, &ben).await;
    assert!(!world.store.in_channel(room.id, ben.id).await.unwrap());
    assert_eq!(world.view(&room, &ben).await.member_count, 1);
    world.join(&room, &ben).await;
    assert_eq!(world.view(&room, &ana).await.member_count, 2);
}

pub async fn members_are_listed_in_order_of_ids(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let (cleo, dan) = (world.user("cleo").await, world.user("dan").await);
    let room = world.channel("room", &[&dan, &ben, &ana, &cleo]).await;
    world.leave(&room, &cleo).await;
    let page = world.store.channel_members(room.id, UserId::NIL, 2).await.unwrap();
    let users: Vec<_> = page.iter().map(|member| member.user.clone()).collect();
    assert_eq!(users, [ana, ben.clone()]);
    assert!(page.iter().all(|member| member.role == Role::Member));
    let page = world.store.channel_members(room.id, ben.id, 2).await.unwrap();
    let users: Vec<_> = page.into_iter().map(|member| member.user).collect();
    assert_eq!(users, [dan]);
}

//! What calls for attention, and what is kept in sight.

use std::sync::Arc;

use tidings_domain::{
    Attention, ChannelNotice, Fact, LogId, Mention, MessageId, Notification, NotificationId,
    NotificationKind, NotifyLevel, Quiet, QuietHours, Timestamp, User,
};

use super::rebuild::History;
use super::world::{World, one};
use crate::attention::Listener;
use crate::{Precondition, Store};

const END: NotificationId = NotificationId(uuid::Uuid::max());

async fn listed(world: &World, user: &User) -> Vec<(NotificationId, bool)> {
    let found = world.store.notifications(user.id, false, END, 50).await.unwrap();
    found.iter().map(|it| (it.notification.id, it.read)).collect()
}

async fn unread(world: &World, user: &User) -> u64 {
    world.store.unread_notifications(user.id).await.unwrap()
}

pub async fn who_is_told_has_it_until_it_is_read(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let draft = world.draft(&room, &ana, "hey");
    let mut change = one(world.sending(&draft));
    change.entries.push(world.telling(&draft, &ben));
    let seq = world.commit(change).await[0].seq;
    let id = NotificationId(draft.id.0);
    assert_eq!(listed(&world, &ben).await, [(id, false)]);
    let found = world.store.notifications(ben.id, true, END, 50).await.unwrap();
    let it = &found[0].notification;
    assert_eq!(
        (it.kind, it.message_id, it.actor),
        (NotificationKind::Mention, Some(draft.id), ana.id)
    );
    assert_eq!((it.channel_id, it.created_at), (Some(room.id), draft.created_at));
    assert_eq!(listed(&world, &ana).await, []);
    world.read(&room, &ben, seq).await;
    assert_eq!((listed(&world, &ben).await, unread(&world, &ben).await), (vec![(id, true)], 0));
    // A marker that goes back makes it unread again; deleting the message takes it away.
    world.read(&room, &ben, tidings_domain::Seq(0)).await;
    assert_eq!(unread(&world, &ben).await, 1);
    world.delete(&draft).await;
    assert_eq!((listed(&world, &ben).await, unread(&world, &ben).await), (vec![], 0));
}

pub async fn a_call_to_everybody_is_one_entry(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben, cleo) =
        (world.user("ana").await, world.user("ben").await, world.user("cleo").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let head = world.store.head().await.unwrap().0;
    let call = world.mention(&room, &ana, &[Mention::Everyone]).await;
    assert_eq!(world.store.head().await.unwrap().0, head + 1);
    let id = NotificationId(call.id.0);
    assert_eq!(listed(&world, &ben).await, [(id, false)]);
    assert_eq!(listed(&world, &ana).await, []);
    // Who comes later was not called.
    world.join(&room, &cleo).await;
    assert_eq!(listed(&world, &cleo).await, []);
    world.append(LogId::User(ben.id), ben.id, Fact::NotificationRead { ids: vec![id] }).await;
    assert_eq!((listed(&world, &ben).await, unread(&world, &ben).await), (vec![(id, true)], 0));
    // Whom one has blocked calls one no more.
    let block =
        crate::block::StoredBlock { user_id: ben.id, blocked: ana.id, created_at: Timestamp(1) };
    world.record(crate::Record::Block(block)).await;
    assert_eq!(listed(&world, &ben).await, []);
    assert_eq!(world.store.listeners(room.id, ana.id, &[ben.id]).await.unwrap(), []);
    world.record(crate::Record::Unblock(ben.id, ana.id)).await;
    assert_eq!(listed(&world, &ben).await.len(), 1);
    world.leave(&room, &ben).await;
    assert_eq!(listed(&world, &ben).await, []);
}

pub async fn a_silenced_channel_calls_nobody(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    assert_eq!(world.view(&room, &ben).await.notice, None);
    let choose = async |level, muted_until| {
        let notice = ChannelNotice { level, muted_until };
        let fact = Fact::NotifyUpdated { channel_id: room.id, notice };
        world.append(LogId::User(ben.id), ben.id, fact).await;
        assert_eq!(world.view(&room, &ben).await.notice, Some(notice));
        assert_eq!(world.view(&room, &ana).await.notice, None);
    };
    let call = world.mention(&room, &ana, &[Mention::Here]).await;
    choose(NotifyLevel::Nothing, None).await;
    assert_eq!(listed(&world, &ben).await, []);
    choose(NotifyLevel::Mentions, Some(Timestamp(call.created_at.0 + 1))).await;
    assert_eq!(listed(&world, &ben).await, []);
    choose(NotifyLevel::Mentions, Some(call.created_at)).await;
    assert_eq!(unread(&world, &ben).await, 1);
}

pub async fn what_is_no_message_is_read_when_it_is_marked(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let id = NotificationId(world.id());
    let notification = Notification {
        id,
        kind: NotificationKind::Invite,
        community_id: None,
        channel_id: None,
        message_id: None,
        parent_id: None,
        actor: ana.id,
        quiet: true,
        created_at: Timestamp(5),
    };
    let fact = Fact::NotificationCreated(Box::new(notification.clone()));
    world.append(LogId::User(ana.id), ana.id, fact).await;
    let found = world.store.notifications(ana.id, true, END, 50).await.unwrap();
    assert_eq!(found[0].notification, notification);
    assert_eq!(world.store.notifications(ana.id, true, id, 50).await.unwrap(), []);
    world.append(LogId::User(ana.id), ana.id, Fact::NotificationRead { ids: vec![id] }).await;
    assert_eq!((listed(&world, &ana).await, unread(&world, &ana).await), (vec![(id, true)], 0));
}

pub async fn choices_replace_each_other(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    assert_eq!(world.store.attention(ana.id).await.unwrap(), Attention::default());
    let hours = QuietHours { from: 1320, to: 420, utc_offset: -300 };
    let one = Attention {
        keywords: vec!["blue green".to_owned(), "deploy".to_owned()],
        quiet: Quiet { until: Some(Timestamp(9)), hours: Some(hours) },
        hide_typing: true,
    };
    let two = Attention { keywords: vec!["deploy".to_owned()], ..Attention::default() };
    for chosen in [&one, &two, &one] {
        let fact = Fact::AttentionUpdated(Box::new((*chosen).clone()));
        world.append(LogId::User(ana.id), ana.id, fact).await;
        assert_eq!(&world.store.attention(ana.id).await.unwrap(), chosen);
    }
    let fact = Fact::AttentionUpdated(Box::new(two.clone()));
    world.append(LogId::User(ben.id), ben.id, fact).await;
    let mut keywords = world.store.keywords().await.unwrap();
    keywords.sort_unstable();
    assert_eq!(keywords, ["blue green", "deploy"]);
    let mut both = vec![ana.id, ben.id];
    both.sort_unstable();
    let asked = ["deploy".to_owned(), "blue green".to_owned()];
    let found = world.store.keyword_listeners(room.id, &asked, 9).await.unwrap();
    assert_eq!(found, both);
    world.leave(&room, &ben).await;
    let found = world.store.keyword_listeners(room.id, &asked, 9).await.unwrap();
    assert_eq!(found, [ana.id]);
    let found = world.store.listeners(room.id, ben.id, &both).await.unwrap();
    assert_eq!(found, [Listener { user: ana.id, notice: None, quiet: one.quiet }]);
}

pub async fn followers_of_a_thread_are_known(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let top = world.say(&room, &ana, "question").await;
    assert_eq!(world.store.thread_followers(top.id, 9).await.unwrap(), [ana.id]);
    world.reply(&top, &ben, "answer").await;
    let mut both = vec![ana.id, ben.id];
    both.sort_unstable();
    assert_eq!(world.store.thread_followers(top.id, 9).await.unwrap(), both);
    assert_eq!(world.store.thread_followers(top.id, 1).await.unwrap(), both[..1]);
}

pub async fn pins_are_listed_newest_first_and_go_with_their_message(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let (first, second) = (world.say(&room, &ana, "1").await, world.say(&room, &ana, "2").await);
    assert!(world.holds(Precondition::Pinnable(room.id, first.id, 1)).await);
    world.pin(&second, &ana, true).await;
    assert!(!world.holds(Precondition::Pinnable(room.id, first.id, 1)).await);
    world.pin(&first, &ana, true).await;
    assert!(world.holds(Precondition::Pinned(first.id)).await);
    assert!(!world.holds(Precondition::Pinnable(room.id, first.id, 9)).await);
    let pins = async || {
        let found = world.store.pins(room.id, ana.id).await.unwrap();
        assert!(found.iter().all(|message| message.pinned));
        found.iter().map(|message| message.id).collect::<Vec<_>>()
    };
    assert_eq!(pins().await, [first.id, second.id]);
    world.edit(&first, "edited").await;
    world.pin(&second, &ana, false).await;
    assert_eq!(pins().await, [first.id]);
    world.delete(&first).await;
    assert_eq!(pins().await, []);
    assert!(!world.holds(Precondition::Pinned(first.id)).await);
}

pub async fn saved_messages_are_ones_own(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana, &ben]).await;
    let (first, second) = (world.say(&room, &ana, "1").await, world.say(&room, &ana, "2").await);
    let save = async |message: MessageId| {
        let fact = Fact::MessageSaved { channel_id: room.id, message_id: message };
        world.append(LogId::User(ben.id), ben.id, fact).await;
    };
    save(second.id).await;
    save(first.id).await;
    assert!(world.holds(Precondition::Saved(ben.id, first.id, true)).await);
    assert!(world.holds(Precondition::Saved(ana.id, first.id, false)).await);
    let saved = async |before: MessageId, limit| {
        let found = world.store.saved(ben.id, before, limit).await.unwrap();
        found.iter().map(|message| message.id).collect::<Vec<_>>()
    };
    let end = MessageId(uuid::Uuid::max());
    assert_eq!(saved(end, 9).await, [second.id, first.id]);
    assert_eq!(saved(end, 1).await, [second.id]);
    assert_eq!(saved(second.id, 9).await, [first.id]);
    assert_eq!(world.store.saved(ana.id, end, 9).await.unwrap(), []);
    let fact = Fact::MessageUnsaved { channel_id: room.id, message_id: first.id };
    world.append(LogId::User(ben.id), ben.id, fact).await;
    world.delete(&second).await;
    assert_eq!(saved(end, 9).await, []);
}

/// After a random history and after reading everything nothing is left, however it came about.
pub async fn reading_everything_leaves_nothing_unread(store: Arc<dyn Store>) {
    let world = World::new(store);
    let mut history = History::new(&world).await;
    for _ in 0..4 {
        for _ in 0..60 {
            history.step().await;
        }
        history.verify().await;
        history.read_everything().await;
        history.verify_nothing_unread().await;
        history.verify().await;
    }
}

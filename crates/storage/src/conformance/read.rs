//! Read markers, unread counts and mentions.

use std::sync::Arc;

use tidings_domain::{Channel, Fact, LogId, Mention, Message, Seq, User};
use tidings_wire::event::decode_data;

use super::rebuild::History;
use super::world::{World, one};
use crate::Store;
use crate::change::Placed;

async fn room(world: &World) -> (Channel, User, User) {
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    (world.channel("room", &[&ana, &ben]).await, ana, ben)
}

/// Joining sets the marker to the head, so nothing is unread.
pub async fn joining_reads_everything(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    world.say(&room, &ana, "before").await;
    let cleo = world.user("cleo").await;
    let joined = world.join(&room, &cleo).await;
    let view = world.view(&room, &cleo).await;
    assert_eq!((view.read_seq, view.unread, view.mentions), (joined.seq, 0, 0));
    world.say(&room, &ana, "after").await;
    assert_eq!(world.unread(&room, &cleo).await, (1, 0));
}

pub async fn messages_of_others_are_unread(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let message = world.say(&room, &ana, "one").await;
    world.say(&room, &ana, "two").await;
    assert_eq!(world.unread(&room, &ben).await, (2, 0));
    // Entries that are no messages count nothing.
    world.edit(&message, "edited").await;
    world.react(&message, &ana, ":ok:").await;
    world.join(&room, &world.user("cleo").await).await;
    assert_eq!(world.unread(&room, &ben).await, (2, 0));
}

pub async fn posting_moves_the_own_marker(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    world.say(&room, &ana, "one").await;
    let mine = world.say(&room, &ben, "two").await;
    let view = world.view(&room, &ben).await;
    assert_eq!((view.read_seq, view.unread), (mine.seq, 0));
    assert_eq!(world.unread(&room, &ana).await, (1, 0));
}

/// A reply or an imported message moves no marker, and nothing moves it back.
pub async fn posting_never_moves_the_marker_back(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ana, "root").await;
    let marker = world.view(&room, &ben).await.read_seq;
    world.reply(&top, &ben, "in the thread").await;
    world.send(Message { imported: true, ..world.draft(&room, &ben, "long ago") }).await;
    assert_eq!(world.view(&room, &ben).await.read_seq, marker);
    assert_eq!(world.unread(&room, &ben).await, (1, 0));

    world.read(&room, &ben, Seq(1_000)).await;
    world.say(&room, &ben, "behind the marker").await;
    assert_eq!(world.view(&room, &ben).await.read_seq, Seq(1_000));
}

pub async fn a_marker_moves_where_it_is_set(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let one = world.say(&room, &ana, "one").await;
    let two = world.say(&room, &ana, "two").await;
    world.react(&two, &ana, ":ok:").await;
    for (seq, unread) in [(two.seq, 0), (one.seq, 1), (Seq(0), 2), (two.seq.next(), 0)] {
        world.read(&room, &ben, seq).await;
        assert_eq!(world.unread(&room, &ben).await, (unread, 0));
        assert_eq!(world.view(&room, &ben).await.read_seq, seq);
    }
    // Marking unread counts one's own messages too.
    let mine = world.say(&room, &ben, "three").await;
    world.read(&room, &ben, two.seq).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    world.read(&room, &ben, mine.seq).await;
    assert_eq!(world.unread(&room, &ben).await, (0, 0));
}

async fn told(world: &World, user: &User, placed: Placed) -> (u64, u64) {
    let after = Seq(placed.seq.0 - 1);
    let entries = world.store.entries(LogId::User(user.id), after, 1).await.unwrap();
    let (data, _) = entries[0].data.as_ref().unwrap();
    match decode_data(&entries[0].kind, data).unwrap() {
        Fact::ReadUpdated { unread, mentions, .. } => (unread, mentions),
        other => unreachable!("{other:?}"),
    }
}

pub async fn a_read_fact_tells_what_is_left(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let one = world.mention(&room, &ana, &[Mention::User(ben.id)]).await;
    let two = world.mention(&room, &ana, &[Mention::Everyone]).await;
    world.say(&room, &ana, "three").await;
    for (seq, left) in [(one.seq, (2, 1)), (two.seq, (1, 0)), (Seq(0), (3, 2))] {
        let placed = world.read(&room, &ben, seq).await;
        assert_eq!(told(&world, &ben, placed).await, left);
        assert_eq!(world.unread(&room, &ben).await, left);
    }
    // Also when the message came in the same change.
    let mut change = one_more(&world, &room, &ana);
    let read = Fact::ReadUpdated { channel_id: room.id, seq: two.seq, unread: 9, mentions: 9 };
    change.entries.push(world.entry(LogId::User(ben.id), ben.id, read));
    let placed = world.commit(change).await[1];
    assert_eq!(told(&world, &ben, placed).await, (2, 0));
}

fn one_more(world: &World, room: &Channel, user: &User) -> crate::Change {
    one(world.sending(&world.draft(room, user, "one more")))
}

pub async fn replies_count_only_when_broadcast(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ana, "root").await;
    world.read(&room, &ben, top.seq).await;
    let mentions = vec![Mention::User(ben.id)];
    let reply = Message { mentions: mentions.clone(), ..world.answer(&top, &ana, "quiet") };
    world.send(reply).await;
    assert_eq!(world.unread(&room, &ben).await, (0, 0));
    let loud = Message { mentions, broadcast: true, ..world.answer(&top, &ana, "loud") };
    world.send(loud).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 1));
}

pub async fn deleting_an_unread_message_lowers_unread(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let one = world.say(&room, &ana, "one").await;
    let two = world.say(&room, &ana, "two").await;
    world.delete(&one).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    world.delete(&two).await;
    assert_eq!(world.unread(&room, &ben).await, (0, 0));
    world.say(&room, &ana, "three").await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
}

/// The count of messages never falls, or what is unread would fall with it.
pub async fn deleting_a_read_message_changes_nothing(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let read = world.say(&room, &ana, "one").await;
    let last = world.say(&room, &ana, "two").await;
    world.read(&room, &ben, last.seq).await;
    world.say(&room, &ana, "three").await;
    world.delete(&read).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    // Nor the message that the marker stands at.
    world.delete(&last).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    world.read(&room, &ben, read.seq).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
}

pub async fn imported_messages_count_as_read(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let mentions = vec![Mention::User(ben.id), Mention::Everyone];
    let import = |body| Message {
        imported: true,
        mentions: mentions.clone(),
        ..world.draft(&room, &ana, body)
    };
    let old = world.send(import("one")).await;
    world.say(&room, &ana, "two").await;
    let older = world.send(import("three")).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    world.delete(&older).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    world.read(&room, &ben, old.seq).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    let edit = world.editing(&old, "named again", &mentions);
    world.commit(one(edit)).await;
    world.read(&room, &ben, Seq(0)).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
}

pub async fn leaving_ends_counting(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    world.mention(&room, &ana, &[Mention::Everyone]).await;
    world.leave(&room, &ben).await;
    let view = world.view(&room, &ben).await;
    assert_eq!((view.joined, view.read_seq), (false, Seq(0)));
    assert_eq!((view.unread, view.mentions), (0, 0));
    world.mention(&room, &ana, &[Mention::Everyone]).await;
    let back = world.join(&room, &ben).await;
    let view = world.view(&room, &ben).await;
    assert_eq!((view.read_seq, view.unread, view.mentions), (back.seq, 0, 0));
}

pub async fn mentions_name_the_reader_or_everyone(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let cleo = world.user("cleo").await;
    world.join(&room, &cleo).await;
    world.mention(&room, &ana, &[Mention::User(ben.id)]).await;
    world.mention(&room, &ana, &[Mention::Here]).await;
    world.mention(&room, &ana, &[Mention::Everyone, Mention::User(ben.id)]).await;
    world.mention(&room, &ana, &[Mention::Channel(room.id)]).await;
    assert_eq!(world.unread(&room, &ben).await, (4, 3));
    assert_eq!(world.unread(&room, &cleo).await, (4, 2));
}

pub async fn own_messages_mention_nobody(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let start = world.view(&room, &ana).await.read_seq;
    world.mention(&room, &ana, &[Mention::User(ana.id), Mention::Everyone]).await;
    world.read(&room, &ana, start).await;
    assert_eq!(world.unread(&room, &ana).await, (1, 0));
}

pub async fn an_edit_replaces_mentions(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let cleo = world.user("cleo").await;
    world.join(&room, &cleo).await;
    let message = world.mention(&room, &ana, &[Mention::User(ben.id)]).await;
    let edit = world.editing(&message, "hey you", &[Mention::User(cleo.id)]);
    world.commit(one(edit)).await;
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    assert_eq!(world.unread(&room, &cleo).await, (1, 1));
    world.edit(&message, "hey").await;
    assert_eq!(world.unread(&room, &cleo).await, (1, 0));
}

pub async fn a_deleted_message_mentions_nobody(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let message = world.mention(&room, &ana, &[Mention::Here, Mention::User(ben.id)]).await;
    world.delete(&message).await;
    assert_eq!(world.unread(&room, &ben).await, (0, 0));
}

/// Three hundred random steps, after each of which the arithmetic agrees with a plain recount.
pub async fn counting_agrees_with_a_recount(store: Arc<dyn Store>) {
    let world = World::new(store);
    let mut history = History::new(&world).await;
    for _ in 0..300 {
        history.step().await;
        history.verify().await;
    }
}

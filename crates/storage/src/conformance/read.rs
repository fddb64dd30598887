//! Read markers, unread counts and mentions.

use std::sync::Arc;

use tidings_domain::{Channel, Fact, LogId, Mention, Message, MessageId, Seq, User};
use tidings_wire::event::decode_data;

use super::rebuild::History;
use super::world::{World, one};
use crate::Store;
use crate::change::Placed;
use crate::message::PageAt;

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
    let read = Fact::ReadUpdated {
        channel_id: room.id,
        thread: None,
        seq: two.seq,
        unread: 9,
        mentions: 9,
    };
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

/// Where a user stands in a thread: marker and unread replies.
async fn stands(world: &World, top: &Message, user: &User) -> Option<(Seq, u64)> {
    let state = world.store.thread_state(top.id, user.id).await.unwrap();
    state.map(|state| (state.read_seq, state.unread))
}

pub async fn who_writes_in_a_thread_follows_it(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let cleo = world.user("cleo").await;
    world.join(&room, &cleo).await;
    let top = world.say(&room, &ana, "root").await;
    assert_eq!(stands(&world, &top, &ana).await, None);
    let one = world.reply(&top, &ben, "one").await;
    // Whoever asked has the answer to read; whoever answered has not.
    assert_eq!(stands(&world, &top, &ana).await, Some((top.seq, 1)));
    assert_eq!(stands(&world, &top, &ben).await, Some((one.seq, 0)));
    let two = world.reply(&top, &ana, "two").await;
    assert_eq!(stands(&world, &top, &ana).await, Some((two.seq, 0)));
    assert_eq!(stands(&world, &top, &ben).await, Some((one.seq, 1)));
    assert_eq!(stands(&world, &top, &cleo).await, None);
    // The marker of the channel is another one.
    assert_eq!(world.unread(&room, &ben).await, (1, 0));
    // Somebody else's is not shown, and a message without replies has nothing to follow.
    let kept = async |message: &Message, user: &User| {
        world.store.message(message.id, user.id).await.unwrap().unwrap().thread
    };
    assert_eq!(kept(&top, &ben).await.map(|it| it.unread), Some(1));
    assert_eq!((kept(&top, &cleo).await, kept(&one, &ben).await), (None, None));
    let page = world.store.timeline(room.id, PageAt::Newest, 10, ben.id).await.unwrap();
    assert_eq!(page.messages[0].thread.map(|it| it.unread), Some(1));
    // Who is not in the room follows nothing by writing.
    let dan = world.user("dan").await;
    world.reply(&top, &dan, "passing by").await;
    assert_eq!(stands(&world, &top, &dan).await, None);
}

pub async fn a_thread_marker_moves_where_it_is_set(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ana, "root").await;
    let one = world.reply(&top, &ana, "one").await;
    world.say(&room, &ana, "in between").await;
    let two = world.reply(&top, &ana, "two").await;
    assert_eq!(stands(&world, &top, &ben).await, None);
    for (seq, unread) in [(two.seq, 0), (one.seq, 1), (Seq(0), 2), (two.seq, 0)] {
        world.read_thread(&top, &ben, seq).await;
        assert_eq!(stands(&world, &top, &ben).await, Some((seq, unread)));
    }
    // Marking unread counts one's own replies too; posting never moves the marker back.
    let mine = world.reply(&top, &ben, "three").await;
    world.read_thread(&top, &ben, two.seq).await;
    assert_eq!(stands(&world, &top, &ben).await, Some((two.seq, 1)));
    let beyond = Seq(mine.seq.0 + 100);
    world.read_thread(&top, &ben, beyond).await;
    world.reply(&top, &ben, "behind the marker").await;
    assert_eq!(stands(&world, &top, &ben).await.map(|it| it.0), Some(beyond));
    // Who is not in the room has no marker.
    let cleo = world.user("cleo").await;
    world.read_thread(&top, &cleo, one.seq).await;
    assert_eq!(stands(&world, &top, &cleo).await, None);
}

pub async fn deleted_replies_are_not_unread(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ben, "root").await;
    let one = world.reply(&top, &ana, "one").await;
    let two = world.reply(&top, &ana, "two").await;
    world.reply(&top, &ana, "three").await;
    world.delete(&two).await;
    assert_eq!(stands(&world, &top, &ben).await, Some((top.seq, 2)));
    world.read_thread(&top, &ben, one.seq).await;
    assert_eq!(stands(&world, &top, &ben).await, Some((one.seq, 1)));
    world.delete(&one).await;
    assert_eq!(stands(&world, &top, &ben).await, Some((one.seq, 1)));
    // A deleted question keeps its answers.
    world.delete(&top).await;
    assert_eq!(stands(&world, &top, &ben).await, Some((one.seq, 1)));
}

pub async fn imported_replies_count_as_read(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ben, "root").await;
    let import = |body| Message { imported: true, ..world.answer(&top, &ana, body) };
    let old = world.send(import("old")).await;
    assert_eq!(stands(&world, &top, &ben).await, None);
    world.reply(&top, &ana, "new").await;
    let late = world.send(import("late")).await;
    assert_eq!(stands(&world, &top, &ben).await, Some((top.seq, 1)));
    for imported in [&old, &late] {
        world.delete(imported).await;
        assert_eq!(stands(&world, &top, &ben).await, Some((top.seq, 1)));
    }
    world.read_thread(&top, &ben, late.seq).await;
    assert_eq!(stands(&world, &top, &ben).await, Some((late.seq, 0)));
}

pub async fn leaving_ends_following(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let elsewhere = world.dm(&[&ana, &ben]).await;
    let top = world.say(&room, &ben, "root").await;
    let kept = world.say(&elsewhere, &ben, "another").await;
    for top in [&top, &kept] {
        world.reply(top, &ana, "reply").await;
    }
    world.leave(&room, &ben).await;
    assert_eq!(stands(&world, &top, &ben).await, None);
    assert_eq!(stands(&world, &kept, &ben).await, Some((kept.seq, 1)));
    world.join(&room, &ben).await;
    assert_eq!(stands(&world, &top, &ben).await, None);
}

pub async fn followed_threads_are_listed(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let mut tops = Vec::new();
    for number in 0..5 {
        let top = world.say(&room, &ben, &number.to_string()).await;
        world.reply(&top, &ana, "reply").await;
        tops.push(top);
    }
    // One was read, one is not ben's, one has no replies any more.
    world.read_thread(&tops[1], &ben, Seq(100)).await;
    let other = world.say(&room, &ana, "other").await;
    world.reply(&other, &ana, "to herself").await;
    let gone = world.say(&room, &ben, "gone").await;
    let reply = world.reply(&gone, &ana, "reply").await;
    world.delete(&reply).await;
    let list = async |unread, after, limit| {
        let found = world.store.threads(ben.id, unread, after, limit).await.unwrap();
        let number = |id| tops.iter().position(|top| top.id == id).unwrap();
        found.iter().map(|it| (number(it.id), it.thread.unwrap().unread)).collect::<Vec<_>>()
    };
    let first = MessageId(uuid::Uuid::nil());
    assert_eq!(list(true, first, 9).await, [(0, 1), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(list(false, first, 9).await, [(0, 1), (1, 0), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(list(true, tops[0].id, 2).await, [(2, 1), (3, 1)]);
}

pub async fn a_thread_read_fact_tells_what_is_left(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.mention(&room, &ana, &[Mention::User(ben.id)]).await;
    let one = world.reply(&top, &ana, "one").await;
    world.reply(&top, &ana, "two").await;
    for (seq, left) in [(top.seq, 2), (one.seq, 1)] {
        let placed = world.read_thread(&top, &ben, seq).await;
        assert_eq!(told(&world, &ben, placed).await, (left, 0));
    }
    // Also when the reply came in the same change.
    let mut change = one_more_reply(&world, &top, &ana);
    change.entries.push(world.reading_thread(&top, &ben, one.seq));
    let placed = world.commit(change).await[1];
    assert_eq!(told(&world, &ben, placed).await, (2, 0));
}

fn one_more_reply(world: &World, top: &Message, user: &User) -> crate::Change {
    one(world.sending(&world.answer(top, user, "one more")))
}

//! Messages: pages, threads, versions, reactions.

use std::sync::Arc;

use tidings_domain::message::Format;
use tidings_domain::{Channel, Fact, Mention, Message, MessageId, Seq, User, UserId};
use tidings_wire::event::decode_data;

use super::world::{World, author, log, one};
use crate::Store;
use crate::message::{MessagePage, PageAt, StoredMessage, StoredReaction};

async fn room(world: &World) -> (Channel, User, User) {
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    (world.channel("room", &[&ana, &ben]).await, ana, ben)
}

async fn kept(world: &World, message: &Message) -> StoredMessage {
    world.store.message(message.id, UserId::NIL).await.unwrap().unwrap()
}

/// What the newest version says.
fn said(kept: &StoredMessage) -> Message {
    match decode_data("message.edited", kept.data.as_ref().unwrap()).unwrap() {
        Fact::MessageEdited { message } => *message,
        other => unreachable!("{other:?}"),
    }
}

fn ids(page: &MessagePage) -> Vec<MessageId> {
    page.messages.iter().map(|message| message.id).collect()
}

pub async fn a_message_is_kept_as_it_was_sent(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let draft = Message {
        format: Format::Me,
        mentions: vec![Mention::User(ben.id), Mention::Channel(room.id), Mention::Here],
        client_id: Some("c \u{1f4ac}".to_owned()),
        ..world.draft(&room, &ana, "quote \" back \\ tab \t nul-free \u{1} \u{2028} \u{1f4ac}")
    };
    let message = world.send(draft).await;
    let kept = kept(&world, &message).await;
    assert_eq!(said(&kept), message);
    let expected = StoredMessage {
        id: message.id,
        channel_id: room.id,
        seq: message.seq,
        author_id: ana.id,
        parent_id: None,
        broadcast: false,
        created_at: message.created_at,
        edited_at: None,
        deleted: false,
        pinned: false,
        reply_count: 0,
        last_reply_at: None,
        data: kept.data.clone(),
        reactions: Vec::new(),
        thread: None,
    };
    assert_eq!(kept, expected);
    let nothing = world.store.message(MessageId(world.id()), ana.id).await.unwrap();
    assert_eq!(nothing, None);
}

pub async fn pages_lie_where_they_were_asked_for(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let mut all = Vec::new();
    for number in 0..10 {
        all.push(world.say(&room, &ana, &number.to_string()).await);
        // Entries that are no messages lie between.
        world.react(&all[number], &ben, ":ok:").await;
    }
    let numbers = async |at, limit| {
        let page = world.store.timeline(room.id, at, limit, ana.id).await.unwrap();
        let number = |id| all.iter().position(|message| message.id == id).unwrap();
        let numbers: Vec<_> = ids(&page).into_iter().map(number).collect();
        (numbers, page.more_before, page.more_after)
    };
    let seq = |number: usize| all[number].seq;
    assert_eq!(numbers(PageAt::Newest, 3).await, (vec![7, 8, 9], true, false));
    assert_eq!(numbers(PageAt::Newest, 10).await, ((0..10).collect(), false, false));
    assert_eq!(numbers(PageAt::Before(seq(7)), 3).await, (vec![4, 5, 6], true, true));
    assert_eq!(numbers(PageAt::Before(seq(2)), 3).await, (vec![0, 1], false, true));
    assert_eq!(numbers(PageAt::After(seq(3)), 3).await, (vec![4, 5, 6], true, true));
    assert_eq!(numbers(PageAt::After(seq(7)), 3).await, (vec![8, 9], true, false));
    assert_eq!(numbers(PageAt::Around(seq(5)), 4).await, (vec![3, 4, 5, 6], true, true));
    assert_eq!(numbers(PageAt::Around(seq(5)), 5).await, (vec![3, 4, 5, 6, 7], true, true));
    assert_eq!(numbers(PageAt::Around(seq(0)), 4).await, (vec![0, 1], false, true));
    // A place between two messages is as good as any.
    assert_eq!(numbers(PageAt::Before(seq(7).next()), 1).await, (vec![7], true, true));
    assert_eq!(numbers(PageAt::After(Seq(0)), 2).await, (vec![0, 1], false, true));
    assert_eq!(numbers(PageAt::Before(Seq(1)), 2).await.0, [0; 0]);
    assert_eq!(numbers(PageAt::After(Seq(1_000)), 2).await.0, [0; 0]);
}

pub async fn every_page_knows_what_lies_around_it(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let mut seqs = Vec::new();
    for number in 0..6 {
        seqs.push(world.say(&room, &ana, &number.to_string()).await.seq);
    }
    let head = world.store.log_head(log(&room)).await.unwrap();
    for place in 0..=head.0 + 1 {
        let place = Seq(place);
        for at in [PageAt::Before(place), PageAt::After(place), PageAt::Around(place)] {
            for limit in 1..=7 {
                let page = world.store.timeline(room.id, at, limit, ana.id).await.unwrap();
                let found: Vec<_> = page.messages.iter().map(|message| message.seq).collect();
                let before = seqs.iter().filter(|seq| **seq < place).copied();
                let (from, after) = (
                    seqs.iter().filter(|seq| **seq >= place).copied(),
                    seqs.iter().filter(|seq| **seq > place).copied(),
                );
                let last = |limit: usize| {
                    before.clone().skip(before.clone().count().saturating_sub(limit))
                };
                let expected: Vec<_> = match at {
                    PageAt::Before(_) => last(limit).collect(),
                    PageAt::After(_) => after.take(limit).collect(),
                    _ => last(limit / 2).chain(from.take(limit - limit / 2)).collect(),
                };
                assert_eq!(found, expected, "{at:?}, {limit}");
                if let (Some(first), Some(last)) = (found.first(), found.last()) {
                    let around = (seqs[0] < *first, seqs[5] > *last);
                    assert_eq!((page.more_before, page.more_after), around, "{at:?}, {limit}");
                }
            }
        }
    }
}

pub async fn replies_stay_out_of_the_timeline(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ana, "root").await;
    let reply = world.reply(&top, &ben, "reply").await;
    let next = world.say(&room, &ana, "next").await;
    let page = world.store.timeline(room.id, PageAt::Newest, 10, ana.id).await.unwrap();
    assert_eq!(ids(&page), [top.id, next.id]);
    let thread = world.store.thread(top.id, PageAt::Newest, 10, ana.id).await.unwrap();
    assert_eq!(ids(&thread), [reply.id]);
    assert_eq!(thread.messages[0].parent_id, Some(top.id));
    let none = world.store.thread(reply.id, PageAt::Newest, 10, ana.id).await.unwrap();
    assert_eq!(none, MessagePage::default());
}

pub async fn broadcast_replies_stand_in_both(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ana, "root").await;
    let reply = Message { broadcast: true, ..world.answer(&top, &ben, "all of you") };
    let reply = world.send(reply).await;
    let page = world.store.timeline(room.id, PageAt::Newest, 10, ana.id).await.unwrap();
    assert_eq!(ids(&page), [top.id, reply.id]);
    assert!(page.messages[1].broadcast);
    let thread = world.store.thread(top.id, PageAt::Newest, 10, ana.id).await.unwrap();
    assert_eq!(ids(&thread), [reply.id]);
}

pub async fn a_thread_counts_its_replies(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let top = world.say(&room, &ana, "root").await;
    let mut replies = Vec::new();
    for number in 0..5 {
        replies.push(world.reply(&top, &ben, &number.to_string()).await);
    }
    let count = async || {
        let kept = kept(&world, &top).await;
        (kept.reply_count, kept.last_reply_at)
    };
    assert_eq!(count().await, (5, Some(replies[4].created_at)));
    world.delete(&replies[4]).await;
    world.delete(&replies[1]).await;
    assert_eq!(count().await, (3, Some(replies[3].created_at)));

    let at = PageAt::Before(replies[4].seq);
    let page = world.store.thread(top.id, at, 2, ana.id).await.unwrap();
    assert_eq!(ids(&page), [replies[2].id, replies[3].id]);
    assert_eq!((page.more_before, page.more_after), (true, true));
    let at = PageAt::After(replies[0].seq);
    let page = world.store.thread(top.id, at, 1, ana.id).await.unwrap();
    assert_eq!(ids(&page), [replies[1].id]);
    assert!(page.messages[0].deleted);

    world.delete(&top).await;
    assert_eq!(count().await.0, 3);
    for reply in [&replies[0], &replies[2], &replies[3]] {
        world.delete(reply).await;
    }
    assert_eq!(count().await, (0, None));
}

pub async fn an_edit_keeps_what_edits_do_not_change(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let draft = Message {
        client_id: Some("c1".to_owned()),
        mentions: vec![Mention::User(ben.id)],
        ..world.draft(&room, &ana, "first")
    };
    let message = world.send(draft).await;
    world.react(&message, &ben, "\u{1f44d}").await;
    world.react(&message, &ana, "\u{1f44d}").await;
    let reply = world.reply(&message, &ben, "reply").await;
    // Whoever edits knows the body alone.
    let claimed = Message {
        author: author(&ben),
        parent_id: Some(reply.id),
        created_at: world.now(),
        client_id: None,
        imported: true,
        seq: Seq(99),
        reply_count: 7,
        pinned: true,
        ..message.clone()
    };
    let editing = world.editing(&claimed, "second", &[Mention::Everyone]);
    let edited_at = editing.at;
    let place = world.commit(one(editing)).await[0];

    let kept = kept(&world, &message).await;
    assert_eq!((kept.seq, kept.author_id, kept.parent_id), (message.seq, ana.id, None));
    assert_eq!((kept.created_at, kept.edited_at), (message.created_at, Some(edited_at)));
    assert_eq!((kept.reply_count, kept.last_reply_at), (1, Some(reply.created_at)));
    assert!(place.seq > message.seq);
    let expected = Message {
        body: "second".to_owned(),
        body_html: "<p>second</p>".to_owned(),
        mentions: vec![Mention::Everyone],
        edited_at: Some(edited_at),
        reply_count: 1,
        last_reply_at: Some(reply.created_at),
        reactions: vec![tidings_domain::message::ReactionCount {
            emoji: "\u{1f44d}".parse().unwrap(),
            count: 2,
        }],
        ..message
    };
    assert_eq!(said(&kept), expected);
}

pub async fn every_version_is_kept(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let message = world.say(&room, &ana, "one").await;
    let (two, three) = (world.edit(&message, "two").await, world.edit(&message, "three").await);
    let versions = world.store.versions(message.id).await.unwrap();
    let seqs: Vec<_> = versions.iter().map(|version| version.seq).collect();
    assert_eq!(seqs, [message.seq, two.seq, three.seq]);
    let bodies: Vec<_> = versions
        .iter()
        .map(|version| match decode_data("message.edited", &version.data).unwrap() {
            Fact::MessageEdited { message } => message.body,
            other => unreachable!("{other:?}"),
        })
        .collect();
    assert_eq!(bodies, ["one", "two", "three"]);
    assert!(versions.is_sorted_by(|one, other| one.at < other.at));
    assert_eq!(world.store.versions(MessageId(world.id())).await.unwrap(), []);
}

pub async fn a_deletion_erases_every_version(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let message = world.say(&room, &ana, "one secret").await;
    world.edit(&message, "two secrets").await;
    world.say(&room, &ana, "no harm").await;
    world.delete(&message).await;
    let kept = kept(&world, &message).await;
    assert_eq!((kept.deleted, kept.data), (true, None));
    assert_eq!((kept.seq, kept.author_id), (message.seq, ana.id));
    assert_eq!(kept.created_at, message.created_at);
    assert_eq!(world.store.versions(message.id).await.unwrap(), []);
    for entry in world.store.entries(log(&room), Seq(0), 100).await.unwrap() {
        let data = entry.data.map(|(data, _)| data).unwrap_or_default();
        assert!(!data.windows(6).any(|part| part == b"secret"));
    }
    let rows = world.store.dump_projections().await.unwrap();
    assert!(rows.iter().all(|row| !row.contains("secret")));
}

pub async fn a_tombstone_stays_in_the_timeline(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let one = world.say(&room, &ana, "one").await;
    let two = world.say(&room, &ana, "two").await;
    world.delete(&one).await;
    let page = world.store.timeline(room.id, PageAt::Newest, 10, ana.id).await.unwrap();
    assert_eq!(ids(&page), [one.id, two.id]);
    assert!(page.messages[0].deleted && !page.messages[1].deleted);
}

fn reaction(emoji: &str, count: u32, me: bool) -> StoredReaction {
    StoredReaction { emoji: emoji.parse().unwrap(), count, me }
}

pub async fn reactions_are_counted_in_order_of_arrival(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let message = world.say(&room, &ana, "hi").await;
    world.react(&message, &ana, ":zebra:").await;
    world.react(&message, &ben, ":ant:").await;
    world.react(&message, &ben, ":zebra:").await;
    let of = async |user: &User| {
        world.store.message(message.id, user.id).await.unwrap().unwrap().reactions
    };
    let expected = [reaction(":zebra:", 2, true), reaction(":ant:", 1, false)];
    assert_eq!(of(&ana).await, expected);
    world.unreact(&message, &ana, ":zebra:").await;
    let expected = [reaction(":zebra:", 1, false), reaction(":ant:", 1, false)];
    assert_eq!(of(&ana).await, expected);
    let page = world.store.timeline(room.id, PageAt::Newest, 1, ben.id).await.unwrap();
    let expected = [reaction(":zebra:", 1, true), reaction(":ant:", 1, true)];
    assert_eq!(page.messages[0].reactions, expected);
}

pub async fn a_reaction_keeps_its_place_while_anybody_holds_it(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let message = world.say(&room, &ana, "hi").await;
    let order = async || {
        let kept = kept(&world, &message).await;
        let emoji = kept.reactions.into_iter().map(|it| it.emoji.as_str().to_owned());
        emoji.collect::<Vec<_>>()
    };
    world.react(&message, &ana, ":one:").await;
    world.react(&message, &ana, ":two:").await;
    world.react(&message, &ben, ":one:").await;
    world.unreact(&message, &ana, ":one:").await;
    assert_eq!(order().await, [":one:", ":two:"]);
    world.unreact(&message, &ben, ":one:").await;
    world.react(&message, &ben, ":one:").await;
    assert_eq!(order().await, [":two:", ":one:"]);
}

pub async fn a_deleted_message_has_no_reactions(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let message = world.say(&room, &ana, "hi").await;
    world.react(&message, &ben, ":one:").await;
    world.delete(&message).await;
    assert_eq!(kept(&world, &message).await.reactions, []);
}

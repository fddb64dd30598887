//! Search.

use std::sync::Arc;

use tidings_domain::{Channel, ChannelId, Mention, Message, MessageId, User};

use super::world::{World, one};
use crate::Store;
use crate::search::{Carries, SearchFilter, SearchTerm};

fn term(words: &str, exclude: bool) -> SearchTerm {
    SearchTerm { words: words.split(' ').map(str::to_owned).collect(), exclude }
}

fn filter(room: &Channel, words: &[&str]) -> SearchFilter {
    let terms = words.iter().map(|words| term(words, false)).collect();
    SearchFilter { terms, channels: vec![room.id], ..SearchFilter::default() }
}

async fn room(world: &World) -> (Channel, User, User) {
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    (world.channel("room", &[&ana, &ben]).await, ana, ben)
}

/// The ids of what is found, newest first, once the index has caught up.
async fn found(world: &World, filter: &SearchFilter) -> Vec<MessageId> {
    world.store.indexed(world.store.head().await.unwrap()).await.unwrap();
    let reader = tidings_domain::UserId::NIL;
    let page = world.store.search(filter, None, 100, reader).await.unwrap();
    assert_eq!(page.next, None);
    page.messages.iter().map(|message| message.id).collect()
}

pub async fn words_match_whole_and_without_accents(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let one = world.say(&room, &ana, "The Caf\u{e9} opens **today**!").await;
    let two = world.reply(&one, &ben, "which cafe?").await;
    world.say(&room, &ana, "cafeteria").await;
    assert_eq!(found(&world, &filter(&room, &["cafe"])).await, [two.id, one.id]);
    assert_eq!(found(&world, &filter(&room, &["CAFE\u{301}", "today"])).await, [one.id]);
    assert_eq!(found(&world, &filter(&room, &["caf"])).await, []);
    assert_eq!(found(&world, &filter(&room, &["cafe", "tomorrow"])).await, []);
    let page = world.store.search(&filter(&room, &["today"]), None, 10, ana.id).await.unwrap();
    let kept = world.store.message(one.id, ana.id).await.unwrap().unwrap();
    assert_eq!(page.messages, [kept]);
}

pub async fn phrases_match_words_in_order(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let one = world.say(&room, &ana, "never change a running system").await;
    world.say(&room, &ana, "a system running never fails").await;
    assert_eq!(found(&world, &filter(&room, &["running system"])).await, [one.id]);
    assert_eq!(found(&world, &filter(&room, &["running", "system"])).await.len(), 2);
    assert_eq!(found(&world, &filter(&room, &["change running"])).await, []);
}

pub async fn excluded_words_must_not_be_there(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let one = world.say(&room, &ana, "red apple pie").await;
    let two = world.say(&room, &ana, "green apple").await;
    let mut asked = filter(&room, &["apple"]);
    asked.terms.push(term("green", true));
    assert_eq!(found(&world, &asked).await, [one.id]);
    asked.terms[1] = term("apple pie", true);
    assert_eq!(found(&world, &asked).await, [two.id]);
    let only = SearchFilter { terms: vec![term("green", true)], ..filter(&room, &[]) };
    assert_eq!(found(&world, &only).await, [one.id]);
}

pub async fn only_asked_channels_are_searched(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let other = world.dm(&[&ana]).await;
    let one = world.say(&room, &ana, "here").await;
    let two = world.say(&other, &ana, "here").await;
    assert_eq!(found(&world, &filter(&room, &["here"])).await, [one.id]);
    let of = |channels: &[ChannelId]| SearchFilter {
        channels: channels.to_vec(),
        ..filter(&room, &["here"])
    };
    assert_eq!(found(&world, &of(&[room.id, other.id])).await, [two.id, one.id]);
    assert_eq!(found(&world, &of(&[])).await, []);
    assert_eq!(found(&world, &of(&[ChannelId(world.id())])).await, []);
}

pub async fn authors_and_times_narrow_a_search(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let one = world.say(&room, &ana, "word").await;
    let two = world.say(&room, &ben, "word").await;
    let three = world.say(&room, &ana, "word").await;
    let all = filter(&room, &["word"]);
    let by = |users: &[&User]| SearchFilter {
        authors: users.iter().map(|user| user.id).collect(),
        ..all.clone()
    };
    assert_eq!(found(&world, &by(&[&ana])).await, [three.id, one.id]);
    assert_eq!(found(&world, &by(&[&ana, &ben])).await, [three.id, two.id, one.id]);
    let before = SearchFilter { before: Some(two.created_at), ..all.clone() };
    assert_eq!(found(&world, &before).await, [one.id]);
    let after = SearchFilter { after: Some(two.created_at), ..all.clone() };
    assert_eq!(found(&world, &after).await, [three.id, two.id]);
}

pub async fn links_are_found(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let one = world.say(&room, &ana, "see https://example.org/x for more").await;
    world.say(&room, &ana, "see more").await;
    let with = |carries| SearchFilter { carries: vec![carries], ..filter(&room, &["see"]) };
    assert_eq!(found(&world, &with(Carries::Link)).await, [one.id]);
    assert_eq!(found(&world, &with(Carries::File)).await, []);
    assert_eq!(found(&world, &with(Carries::Image)).await, []);
}

pub async fn references_are_not_found(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let body = format!("thanks @<user:{}> and @<here>", ben.id);
    let draft = world.draft(&room, &ana, &body);
    let mentions = vec![Mention::User(ben.id), Mention::Here];
    let one = world.send(Message { mentions, ..draft }).await;
    assert_eq!(found(&world, &filter(&room, &["thanks"])).await, [one.id]);
    for word in ["user", "here"] {
        assert_eq!(found(&world, &filter(&room, &[word])).await, []);
    }
}

pub async fn deleted_and_edited_text_is_gone(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, _) = room(&world).await;
    let edited = world.say(&room, &ana, "old words").await;
    let deleted = world.say(&room, &ana, "old secret").await;
    assert_eq!(found(&world, &filter(&room, &["old"])).await, [deleted.id, edited.id]);
    world.edit(&edited, "new words").await;
    world.delete(&deleted).await;
    assert_eq!(found(&world, &filter(&room, &["old"])).await, []);
    assert_eq!(found(&world, &filter(&room, &["secret"])).await, []);
    assert_eq!(found(&world, &filter(&room, &["new"])).await, [edited.id]);

    // Also what the index never saw while it was live.
    let brief = world.draft(&room, &ana, "brief secret");
    let mut change = one(world.sending(&brief));
    change.entries.push(world.editing(&brief, "other secret", &[]));
    change.entries.push(world.deleting(&brief));
    world.commit(change).await;
    assert_eq!(found(&world, &filter(&room, &["secret"])).await, []);
}

pub async fn pages_lead_to_every_result(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    let mut expected = Vec::new();
    for number in 0..11 {
        let message = world.say(&room, &ana, &format!("word {number}")).await;
        world.say(&room, &ben, "noise").await;
        expected.push(message.id);
    }
    // An edit does not make a message newer.
    let oldest = world.store.message(expected[0], ana.id).await.unwrap().unwrap();
    let oldest = Message { id: oldest.id, ..world.draft(&room, &ana, "") };
    world.edit(&oldest, "word again").await;
    expected.reverse();
    world.store.indexed(world.store.head().await.unwrap()).await.unwrap();

    let asked = filter(&room, &["word"]);
    for limit in [1, 2, 3, 11] {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = world.store.search(&asked, before, limit, ana.id).await.unwrap();
            assert!(page.messages.len() <= limit);
            all.extend(page.messages.iter().map(|message| message.id));
            assert!(all.len() <= expected.len(), "pages repeat themselves");
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(all, expected, "limit {limit}");
    }
}

pub async fn filters_alone_find_messages(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana, ben) = room(&world).await;
    world.say(&room, &ana, "one").await;
    let two = world.say(&room, &ben, "\u{1f44d}").await;
    let imported = Message { imported: true, ..world.draft(&room, &ben, "three") };
    let three = world.send(imported).await;
    let asked = SearchFilter { authors: vec![ben.id], ..filter(&room, &[]) };
    assert_eq!(found(&world, &asked).await, [three.id, two.id]);
}

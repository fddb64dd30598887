//! The log: entries, hash chains, the tail.

use std::collections::HashSet;
use std::sync::Arc;

use tidings_domain::{Fact, LogId, Position, Role, Seq, UserId};
use tidings_wire::{chain, event};

use super::world::{World, author, log};
use crate::Store;
use crate::entry::{StoredEntry, UserLogs};

/// Every entry of these logs, in order of positions.
pub(super) async fn everything(world: &World, logs: &[LogId]) -> Vec<StoredEntry> {
    let mut all = Vec::new();
    for log in logs {
        all.extend(world.store.entries(*log, Seq(0), 10_000).await.unwrap());
    }
    all.sort_by_key(|entry| entry.position);
    all
}

pub(super) fn header(entry: &StoredEntry) -> event::Header<'_> {
    event::Header {
        actor: entry.actor,
        community: entry.community,
        log: entry.log,
        seq: entry.seq,
        at: entry.at,
        kind: &entry.kind,
    }
}

/// Follows the hash chain of a log from its first entry.
pub(super) async fn verify(world: &World, log: LogId) {
    let mut prev = chain::GENESIS;
    let mut seq = Seq(0);
    for entry in world.store.entries(log, Seq(0), 10_000).await.unwrap() {
        seq = seq.next();
        assert_eq!((entry.log, entry.seq, entry.prev), (log, seq, prev));
        if let Some((data, salt)) = &entry.data {
            assert_eq!(chain::commitment(salt, data), entry.commitment, "{log} at {seq}");
        }
        prev = chain::entry_hash(&prev, &header(&entry).encode(), &entry.commitment);
        assert_eq!(prev, entry.hash, "{log} at {seq}");
    }
    assert_eq!(world.store.log_head(log).await.unwrap(), seq);
}

pub async fn entries_are_read_in_pages(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    for number in 0..5 {
        world.say(&room, &ana, &number.to_string()).await;
    }
    assert_eq!(world.store.log_head(log(&room)).await.unwrap(), Seq(7));
    let seqs = async |after, limit| {
        let entries = world.store.entries(log(&room), Seq(after), limit).await.unwrap();
        entries.iter().map(|entry| entry.seq.0).collect::<Vec<_>>()
    };
    assert_eq!(seqs(0, 3).await, [1, 2, 3]);
    assert_eq!(seqs(3, 10).await, [4, 5, 6, 7]);
    assert_eq!(seqs(7, 10).await, [0; 0]);
    let nobody = LogId::User(UserId(world.id()));
    assert_eq!(world.store.log_head(nobody).await.unwrap(), Seq(0));
    assert_eq!(world.store.entries(nobody, Seq(0), 10).await.unwrap(), []);

    let kinds: Vec<_> = everything(&world, &[log(&room)]).await;
    let kinds: Vec<_> = kinds.iter().map(|entry| entry.kind.as_str()).take(3).collect();
    assert_eq!(kinds, ["channel.created", "member.joined", "message.created"]);
}

pub async fn hash_chains_verify(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ana).await;
    world.enlist(&acme, &ben, Role::Admin).await;
    let room = world.create(world.room(&acme, "room"), &[&ana, &ben]).await;
    let message = world.say(&room, &ana, "quote \" tab \t \u{1f4ac} \u{1}").await;
    world.edit(&message, "again").await;
    world.react(&message, &ben, "\u{1f44d}").await;
    world.reply(&message, &ben, "yes").await;
    world.read(&room, &ben, message.seq).await;
    for log in [log(&room), LogId::Community(acme.id), LogId::User(ben.id)] {
        verify(&world, log).await;
    }
    // What was committed to is what happened.
    for entry in everything(&world, &[log(&room)]).await {
        let (data, _) = entry.data.as_ref().unwrap();
        let fact = event::decode_data(&entry.kind, data).unwrap();
        assert_eq!(event::encode_data(&fact).unwrap(), *data);
        if let Fact::MessageCreated { message } = fact {
            assert_eq!((message.channel_id, message.seq), (room.id, entry.seq));
        }
    }
}

pub async fn hash_chains_verify_after_erasure(store: Arc<dyn Store>) {
    let world = World::new(store);
    let ana = world.user("ana").await;
    let room = world.channel("room", &[&ana]).await;
    let message = world.say(&room, &ana, "secret").await;
    let edit = world.edit(&message, "secret still").await;
    world.say(&room, &ana, "open").await;
    let before = everything(&world, &[log(&room)]).await;
    world.delete(&message).await;
    verify(&world, log(&room)).await;
    for (was, is) in before.iter().zip(everything(&world, &[log(&room)]).await) {
        let erased = is.seq == message.seq || is.seq == edit.seq;
        let expected = StoredEntry { data: was.data.clone().filter(|_| !erased), ..was.clone() };
        assert_eq!(is, expected);
    }
}

pub async fn the_tail_is_the_log(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let room = world.channel("room", &[&ana]).await;
    let start = world.store.head().await.unwrap();
    let mut tail = world.store.take_tail().unwrap();
    world.join(&room, &ben).await;
    let message = world.say(&room, &ben, "hi").await;
    world.edit(&message, "ho").await;
    world.react(&message, &ana, ":ok:").await;
    world.read(&room, &ana, message.seq).await;
    world.user("cleo").await;
    world.leave(&room, &ben).await;
    let head = world.store.head().await.unwrap();

    let mut seen = Vec::new();
    while seen.len() < usize::try_from(head.0 - start.0).unwrap() {
        let batch = tail.recv().await.unwrap();
        assert!(!batch.entries.is_empty());
        seen.extend(batch.entries.iter().cloned());
    }
    let all = everything(&world, &[log(&room), LogId::User(ana.id)]).await;
    let stored: Vec<_> = all.iter().filter(|entry| entry.position > start).collect();
    assert_eq!(seen.len(), stored.len());
    for (number, (seen, stored)) in (1..).zip(seen.iter().zip(stored)) {
        assert_eq!(seen.position, Position(start.0 + number));
        assert_eq!((seen.position, seen.log, seen.seq), (stored.position, stored.log, stored.seq));
        assert_eq!((seen.community, seen.actor), (stored.community, stored.actor));
        let (data, _) = stored.data.as_ref().unwrap();
        let fact = event::decode_data(&stored.kind, data).unwrap();
        assert_eq!(seen.fact.as_deref(), Some(&fact));
        assert_eq!(seen.event, header(stored).encode_event(data));
    }
}

pub async fn the_tail_can_be_taken_once(store: Arc<dyn Store>) {
    let world = World::new(store);
    let tail = world.store.take_tail();
    assert!(tail.is_some());
    assert!(world.store.take_tail().is_none());
    // Without its consumer the store goes on.
    drop(tail);
    let ana = world.user("ana").await;
    world.channel("room", &[&ana]).await;
    assert!(world.store.take_tail().is_none());
}

pub async fn the_generation_stays(store: Arc<dyn Store>) {
    let world = World::new(store);
    let generation = world.store.generation().await.unwrap();
    let ana = world.user("ana").await;
    world.channel("room", &[&ana]).await;
    assert_eq!(world.store.generation().await.unwrap(), generation);
}

pub async fn a_user_listens_to_own_logs_and_rooms(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let acme = world.community("acme", &ben).await;
    let joined = world.enlist(&acme, &ana, Role::Member).await;
    let room = world.create(world.room(&acme, "room"), &[&ana]).await;
    let dm = world.dm(&[&ana, &ben]).await;
    let left = world.create(world.room(&acme, "left"), &[&ana]).await;
    world.create(world.room(&acme, "other"), &[&ben]).await;
    world.leave(&left, &ana).await;
    assert_eq!(joined.seq, Seq(2));

    let UserLogs { logs: all, at } = world.store.logs_of(ana.id).await.unwrap();
    assert_eq!(at, world.store.head().await.unwrap());
    let mine = [LogId::User(ana.id), LogId::Community(acme.id), log(&room), log(&dm)];
    assert_eq!(all.len(), mine.len());
    assert_eq!(all.into_iter().collect::<HashSet<_>>(), HashSet::from(mine));
    let gone = Fact::MemberLeft { user: author(&ana) };
    let gone = world.append(LogId::Community(acme.id), ana.id, gone).await;
    let all = world.store.logs_of(ana.id).await.unwrap();
    assert!(!all.logs.contains(&LogId::Community(acme.id)));
    assert_eq!(all.at, gone.position);
    let nobody = UserId(world.id());
    let none = world.store.logs_of(nobody).await.unwrap();
    assert_eq!((none.logs, none.at), (vec![LogId::User(nobody)], gone.position));
}

//! Changes: dedupe, all or nothing, order, places without gaps.

use std::collections::HashSet;
use std::sync::Arc;

use tidings_domain::{Channel, Fact, LogId, MessageId, Position, Seq, User, UserId};
use tokio::task::JoinSet;

use super::world::{World, author, deduped, log, one};
use crate::change::{Change, ChangeError, Committed, Deduped, Precondition, Refusal};
use crate::{Record, Store};

async fn room(world: &World) -> (Channel, User) {
    let ana = world.user("ana").await;
    (world.channel("room", &[&ana]).await, ana)
}

async fn answer(world: &World, change: Change) -> Result<Committed, Refusal> {
    match world.store.commit(change).await {
        Ok(committed) => Ok(committed),
        Err(ChangeError::Refused(refusal)) => Err(refusal),
        Err(error) => unreachable!("{error}"),
    }
}

pub async fn the_same_request_is_replayed(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let first = world.draft(&room, &ana, "hi");
    let placed = world.commit(deduped(world.sending(&first), "c1", 1)).await;
    let head = world.store.head().await.unwrap();

    let again = deduped(world.sending(&world.draft(&room, &ana, "hi")), "c1", 1);
    let expected = Deduped { message_id: first.id, seq: placed[0].seq };
    assert_eq!(answer(&world, again).await, Ok(Committed::Replayed(expected)));
    assert_eq!(world.store.head().await.unwrap(), head);
}

pub async fn another_request_under_the_same_client_id_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    world.commit(deduped(world.sending(&world.draft(&room, &ana, "hi")), "c1", 1)).await;
    let head = world.store.head().await.unwrap();
    let other = deduped(world.sending(&world.draft(&room, &ana, "ho")), "c1", 2);
    assert_eq!(answer(&world, other).await, Err(Refusal::DedupeMismatch));
    assert_eq!(world.store.head().await.unwrap(), head);
}

pub async fn a_request_is_replayed_after_edit_and_deletion(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let message = world.draft(&room, &ana, "hi");
    let placed = world.commit(deduped(world.sending(&message), "c1", 1)).await;
    let expected = Committed::Replayed(Deduped { message_id: message.id, seq: placed[0].seq });
    let again = |request| deduped(world.sending(&world.draft(&room, &ana, "hi")), "c1", request);

    world.edit(&message, "ho").await;
    assert_eq!(answer(&world, again(1)).await, Ok(expected.clone()));
    assert_eq!(answer(&world, again(2)).await, Err(Refusal::DedupeMismatch));
    world.delete(&message).await;
    assert_eq!(answer(&world, again(1)).await, Ok(expected));
    assert_eq!(answer(&world, again(2)).await, Err(Refusal::DedupeMismatch));
}

pub async fn client_ids_belong_to_one_author_in_one_channel(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let ben = world.user("ben").await;
    world.join(&room, &ben).await;
    let other = world.channel("other", &[&ana]).await;
    for (room, user, id) in
        [(&room, &ana, "c1"), (&room, &ben, "c1"), (&other, &ana, "c1"), (&room, &ana, "C1")]
    {
        let change = deduped(world.sending(&world.draft(room, user, "hi")), id, 1);
        assert!(matches!(answer(&world, change).await, Ok(Committed::Appended(_))), "{id}");
    }
}

pub async fn dedupe_comes_before_preconditions(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let sending = || {
        let mut change = deduped(world.sending(&world.draft(&room, &ana, "hi")), "c1", 1);
        change.preconditions.push(Precondition::InChannel(room.id, ana.id));
        change
    };
    world.commit(sending()).await;
    world.leave(&room, &ana).await;
    assert!(matches!(answer(&world, sending()).await, Ok(Committed::Replayed(_))));
}

pub async fn of_equal_concurrent_requests_one_is_appended(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let mut senders = JoinSet::new();
    for _ in 0..50 {
        let change = deduped(world.sending(&world.draft(&room, &ana, "hi")), "c1", 1);
        let store = Arc::clone(&world.store);
        senders.spawn(async move { store.commit(change).await.unwrap() });
    }
    let answers = senders.join_all().await;
    let appended = answers.iter().filter(|it| matches!(it, Committed::Appended(_))).count();
    let replayed: HashSet<_> = answers
        .iter()
        .filter_map(|it| match it {
            Committed::Replayed(first) => Some((first.message_id, first.seq)),
            Committed::Appended(_) => None,
        })
        .collect();
    assert_eq!((appended, replayed.len()), (1, 1));
}

pub async fn a_refused_change_leaves_nothing(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let (ben, stranger) = (world.account("ben"), UserId(world.id()));
    let message = world.draft(&room, &ana, "hi");
    let refused = Precondition::InChannel(room.id, stranger);
    let change = Change {
        preconditions: vec![Precondition::UsernameFree("ben".to_owned()), refused.clone()],
        records: vec![
            Record::CreateUser(ben.clone()),
            Record::PutSetting("left", vec![1]),
            Record::BindSource { source: "s".to_owned(), target: world.id() },
        ],
        ..deduped(world.sending(&message), "c1", 1)
    };
    let (head, rows) = snapshot(&world).await;
    assert_eq!(world.refusal(change.clone()).await, Refusal::Precondition(refused));
    assert_eq!(snapshot(&world).await, (head, rows));
    assert_eq!(world.store.user(ben.id).await.unwrap(), None);
    assert_eq!(world.store.setting("left").await.unwrap(), None);
    assert_eq!(world.store.sources(&["s".to_owned()]).await.unwrap(), [None]);

    // Nor is the `client_id` taken.
    let change = Change { preconditions: Vec::new(), ..change };
    assert!(matches!(answer(&world, change).await, Ok(Committed::Appended(_))));
}

async fn snapshot(world: &World) -> (Position, Vec<String>) {
    let head = world.store.head().await.unwrap();
    (head, world.store.dump_projections().await.unwrap())
}

pub async fn a_colliding_record_leaves_nothing(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let before = snapshot(&world).await;
    let change = Change {
        records: vec![
            Record::PutSetting("left", vec![1]),
            Record::CreateUser(world.account("ana")),
        ],
        ..one(world.sending(&world.draft(&room, &ana, "hi")))
    };
    assert!(matches!(world.store.commit(change).await, Err(ChangeError::Storage(_))));
    assert_eq!(snapshot(&world).await, before);
    assert_eq!(world.store.setting("left").await.unwrap(), None);
    // What comes after is none the worse.
    world.say(&room, &ana, "ho").await;
}

pub async fn the_first_precondition_that_fails_is_named(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let first = Precondition::MessageLive(room.id, MessageId(world.id()));
    let change = Change {
        preconditions: vec![
            Precondition::UserActive(ana.id),
            first.clone(),
            Precondition::UsernameFree("ana".to_owned()),
        ],
        ..Change::default()
    };
    assert_eq!(world.refusal(change).await, Refusal::Precondition(first));
}

pub async fn preconditions_see_what_was_submitted_before(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let leaving = world.entry(log(&room), ana.id, Fact::MemberLeft { user: author(&ana) });
    let inside = Precondition::InChannel(room.id, ana.id);
    let sending = Change {
        preconditions: vec![inside.clone()],
        ..one(world.sending(&world.draft(&room, &ana, "hi")))
    };
    // Both wait for the writer together; the right is gone when the second one's turn comes.
    let left = world.store.submit(one(leaving)).await.unwrap();
    let sent = world.store.submit(sending).await.unwrap();
    assert!(matches!(left.await.unwrap(), Ok(Committed::Appended(_))));
    match sent.await.unwrap() {
        Err(ChangeError::Refused(refusal)) => {
            assert_eq!(refusal, Refusal::Precondition(inside));
        }
        other => unreachable!("expected a refusal: {other:?}"),
    }
}

pub async fn a_change_without_entries_takes_no_position(store: Arc<dyn Store>) {
    let world = World::new(store);
    world.user("ana").await;
    assert_eq!(world.store.head().await.unwrap(), Position(0));
    assert_eq!(world.commit(Change::default()).await, []);
    assert_eq!(world.store.head().await.unwrap(), Position(0));
}

pub async fn entries_of_a_change_lie_together(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let head = world.store.head().await.unwrap().0;
    let seq = world.store.log_head(log(&room)).await.unwrap().0;
    let marker = Fact::ReadUpdated {
        channel_id: room.id,
        thread: None,
        seq: Seq(1),
        unread: 0,
        mentions: 0,
    };
    let change = Change {
        entries: vec![
            world.sending(&world.draft(&room, &ana, "one")),
            world.entry(LogId::User(ana.id), ana.id, marker),
            world.sending(&world.draft(&room, &ana, "two")),
        ],
        ..Change::default()
    };
    let placed = world.commit(change).await;
    let found: Vec<_> = placed.iter().map(|it| (it.position.0 - head, it.seq.0)).collect();
    assert_eq!(found, [(1, seq + 1), (2, 1), (3, seq + 2)]);
}

pub async fn places_are_gapless_under_fifty_senders(store: Arc<dyn Store>) {
    let world = Arc::new(World::new(store));
    let ana = world.user("ana").await;
    let mut rooms = Vec::new();
    for name in ["a", "b", "c"] {
        rooms.push(world.channel(name, &[&ana]).await);
    }
    let start = world.store.head().await.unwrap().0;
    let mut senders = JoinSet::new();
    for number in 0..50 {
        let (world, ana) = (Arc::clone(&world), ana.clone());
        let room = rooms[number % rooms.len()].clone();
        senders.spawn(async move {
            let mut placed = Vec::new();
            for _ in 0..4 {
                let message = world.draft(&room, &ana, "hi");
                let at = world.commit(one(world.sending(&message))).await[0];
                placed.push((log(&room), at, message.id));
                // A refused one in between must not use up a place.
                let refused = Precondition::UserActive(UserId(world.id()));
                let change = Change {
                    preconditions: vec![refused],
                    ..one(world.sending(&world.draft(&room, &ana, "no")))
                };
                world.refusal(change).await;
            }
            placed
        });
    }
    let placed: Vec<_> = senders.join_all().await.into_iter().flatten().collect();
    let mut positions: Vec<_> = placed.iter().map(|(_, at, _)| at.position.0 - start).collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=200).collect::<Vec<_>>());
    for room in &rooms {
        let here = placed.iter().filter(|(it, _, _)| *it == log(room));
        let mut seqs: Vec<_> = here.clone().map(|(_, at, _)| at.seq.0).collect();
        seqs.sort_unstable();
        // The channel's creation and the joining came before.
        assert_eq!(seqs, (3..3 + seqs.len() as u64).collect::<Vec<_>>());
        for (_, at, id) in here {
            let kept = world.store.message(*id, ana.id).await.unwrap().unwrap();
            assert_eq!((kept.channel_id, kept.seq), (room.id, at.seq));
        }
    }
    assert_eq!(world.store.check(&|_, _| ()).await.unwrap(), Vec::<String>::new());
}

pub async fn changes_are_written_in_order_of_submission(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let mut pending = Vec::new();
    for number in 0..100 {
        let message = world.draft(&room, &ana, &number.to_string());
        pending.push(world.store.submit(one(world.sending(&message))).await.unwrap());
    }
    let mut last = Seq(0);
    for answer in pending {
        let Ok(Committed::Appended(placed)) = answer.await.unwrap() else {
            unreachable!("nothing refuses it")
        };
        assert!(placed[0].seq > last);
        last = placed[0].seq;
    }
}

pub async fn of_two_takers_of_a_name_one_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store);
    let mut takers = JoinSet::new();
    for _ in 0..10 {
        let change = Change {
            preconditions: vec![Precondition::UsernameFree("ana".to_owned())],
            records: vec![Record::CreateUser(world.account("ana"))],
            ..Change::default()
        };
        let store = Arc::clone(&world.store);
        takers.spawn(async move { store.commit(change).await });
    }
    let answers = takers.join_all().await;
    assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1);
    assert!(answers.iter().all(|it| !matches!(it, Err(ChangeError::Storage(_)))));
}

pub async fn edits_and_deletions_need_a_live_message(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let message = world.say(&room, &ana, "hi").await;
    let unsent = world.draft(&room, &ana, "never");
    world.delete(&message).await;
    let before = snapshot(&world).await;
    for message in [&message, &unsent] {
        for entry in [world.editing(message, "ho", &[]), world.deleting(message)] {
            let expected = Precondition::MessageLive(room.id, message.id);
            assert_eq!(world.refusal(one(entry)).await, Refusal::Precondition(expected));
        }
    }
    assert_eq!(snapshot(&world).await, before);
}

pub async fn a_closed_store_takes_no_changes(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (room, ana) = room(&world).await;
    let sending = world.sending(&world.draft(&room, &ana, "hi"));
    let pending = world.store.submit(one(sending)).await.unwrap();
    world.store.close().await;
    // What was submitted has been finished.
    assert!(matches!(pending.await.unwrap(), Ok(Committed::Appended(_))));
    let late = one(world.sending(&world.draft(&room, &ana, "late")));
    assert!(matches!(world.store.commit(late).await, Err(ChangeError::Storage(_))));
}

//! A cursor never skips, whoever commits and however slowly.

use std::sync::Arc;

use tidings_domain::{Fact, IdentityKey, LogId, Position, ServerRole, Timestamp, User, UserId};
use tidings_storage::{Change, EntryRepository as _, LogWriter as _, NewEntry, Record};
use tidings_storage_sql::SqlStore;
use tidings_testkit::postgres_database;
use tokio_postgres::NoTls;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::databases;

const USER: UserId = UserId(Uuid::from_u128(1));
/// Entries that each of two writers appends.
const EACH: u64 = 200;

async fn create_user(store: &SqlStore) {
    let user = User {
        id: USER,
        username: "ana".to_owned(),
        display_name: "Ana".to_owned(),
        identity: Some(IdentityKey([1; 32])),
        server_role: ServerRole::User,
        bot: false,
        discoverable: false,
        status: String::new(),
        disabled: false,
        created_at: Timestamp(0),
    };
    let change = Change { records: vec![Record::CreateUser(user)], ..Change::default() };
    store.commit(change).await.unwrap();
}

/// One entry in the user's own log.
fn entry(number: u128) -> Change {
    let device_id = tidings_domain::DeviceId(Uuid::from_u128(number));
    let entry = NewEntry {
        log: LogId::User(USER),
        community: None,
        actor: USER,
        at: Timestamp(0),
        fact: Fact::DeviceAdded { user_id: USER, device_id },
        salt: [0; 32],
    };
    Change { entries: vec![entry], ..Change::default() }
}

/// Reads on from a cursor, as a client does; the positions that were seen.
async fn read_on(store: &SqlStore, cursor: &mut Position) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let page = store.visible(USER, *cursor, Position(u64::MAX >> 1), 7).await.unwrap();
        seen.extend(page.events.iter().map(|event| event.position.0));
        *cursor = page.reached;
        if !page.has_more {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_slow_transaction_holds_the_cursor_back() {
    let url = postgres_database().await;
    let (one, two) = (databases::open(&url).await, databases::open(&url).await);
    create_user(&one).await;
    one.commit(entry(1)).await.unwrap();
    let mut cursor = Position(0);
    assert_eq!(read_on(&two, &mut cursor).await, [1]);

    // A third writer has taken position 2 and its log's place 2, and does not commit yet.
    let (slow, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let driver = TaskTracker::new().spawn(connection);
    slow.batch_execute(
        "BEGIN;
         SELECT position FROM log_position WHERE id = 1 FOR UPDATE;
         INSERT INTO entries (position, log, seq, kind, actor, at, data, salt, commitment, hash)
           SELECT 2, log, 2, kind, actor, at, data, salt, commitment, hash
           FROM entries WHERE position = 1;
         UPDATE logs SET head_seq = 2;
         UPDATE log_position SET position = 2 WHERE id = 1;",
    )
    .await
    .unwrap();
    let fast = [one.submit(entry(2)).await.unwrap(), two.submit(entry(3)).await.unwrap()];
    assert_eq!(read_on(&one, &mut cursor).await, [0; 0], "nothing is seen before its time");
    assert_eq!(cursor, Position(1), "the cursor does not run ahead of the slow transaction");

    slow.batch_execute("COMMIT").await.unwrap();
    for pending in fast {
        pending.await.unwrap().unwrap();
    }
    assert_eq!(read_on(&one, &mut cursor).await, [2, 3, 4]);
    drop(slow);
    driver.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_two_writers_leave_no_gap_for_a_follower() {
    let url = postgres_database().await;
    let writers = [Arc::new(databases::open(&url).await), Arc::new(databases::open(&url).await)];
    create_user(&writers[0]).await;
    let mut tail = writers[0].take_tail().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for (index, writer) in (0_u128..).zip(&writers) {
        for lane in 0..4_u128 {
            let writer = Arc::clone(writer);
            tasks.spawn(async move {
                for number in 0..u128::from(EACH) / 4 {
                    writer.commit(entry(index << 64 | lane << 32 | number)).await.unwrap();
                }
            });
        }
    }
    let mut cursor = Position(0);
    let mut seen = Vec::new();
    while tasks.join_next().await.is_some() {
        seen.append(&mut read_on(&writers[1], &mut cursor).await);
    }
    seen.append(&mut read_on(&writers[1], &mut cursor).await);
    let all: Vec<u64> = (1..=2 * EACH).collect();
    assert_eq!(seen, all);

    // The tail of one writer has what the other wrote too, in order and without gaps. One more
    // change of its own makes it look.
    writers[0].commit(entry(u128::MAX)).await.unwrap();
    let mut told = Vec::new();
    while told.len() < all.len() + 1 {
        let batch = tail.recv().await.unwrap();
        told.extend(batch.entries.iter().map(|entry| entry.position.0));
    }
    assert_eq!(told, (1..=2 * EACH + 1).collect::<Vec<_>>());
}

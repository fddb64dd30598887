//! Many callers, one writer: places without gaps, each caller's own answer, and a tail that has
//! everything in order.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use tidings_domain::{ChannelId, Fact, LogId, MessageId, Position, Seq, Timestamp, UserId};
use tidings_storage::change::Placed;
use tidings_storage::{
    Change, ChangeError, Committed, CommittedEntry, NewEntry, Precondition, Refusal, StorageError,
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::writer::group::{Database, Done, Group, Submitted, TailSlot};
use crate::{Schedules, explore};

/// Callers, each with this many changes.
const CALLERS: u128 = 3;
const CHANGES: u128 = 2;
/// Changes that wait for the writer.
const QUEUE: usize = 2;
/// Changes of one transaction at most.
const BATCH: usize = 3;
/// Batches that wait for the reader of the tail.
const TAIL: usize = 1;

/// The actor of a change that makes its whole transaction fail.
const POISON: UserId = UserId(Uuid::from_u128(666));

/// The rows that several processes write.
#[derive(Debug, Clone, Default)]
struct Rows {
    entries: Vec<CommittedEntry>,
    seqs: HashMap<LogId, u64>,
}

impl Rows {
    fn head(&self) -> u64 {
        self.entries.len() as u64
    }

    fn append(&mut self, entry: &NewEntry) -> Placed {
        let position = Position(self.head() + 1);
        let seq = self.seqs.entry(entry.log).or_default();
        *seq += 1;
        let seq = Seq(*seq);
        self.entries.push(CommittedEntry {
            position,
            log: entry.log,
            seq,
            community: None,
            actor: entry.actor,
            fact: Some(Arc::new(entry.fact.clone())),
            event: Bytes::new(),
        });
        Placed { position, seq }
    }
}

/// A database of this process among others.
struct Disk {
    rows: Arc<Mutex<Rows>>,
    /// Whether reads and writes may fail.
    failing: bool,
}

impl Disk {
    fn fails(&self) -> bool {
        self.failing && thread_rng().gen_ratio(1, 5)
    }
}

fn with<T>(rows: &Mutex<Rows>, work: impl FnOnce(&mut Rows) -> T) -> T {
    work(&mut rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// All of it under one lock, as the row of `log_position` is in every database.
fn transaction<T>(rows: &Arc<Mutex<Rows>>, work: impl FnOnce(&mut Rows) -> T) -> T {
    with(rows, work)
}

fn unavailable() -> StorageError {
    StorageError::Unavailable { detail: "gone for a moment".to_owned() }
}

impl Database for Disk {
    async fn transact(&mut self, changes: &[Box<Change>]) -> Result<Done, StorageError> {
        if self.fails() {
            return Err(unavailable());
        }
        if changes.iter().any(|change| change.entries.iter().any(|it| it.actor == POISON)) {
            return Err(StorageError::Internal { detail: "a row is in the way".to_owned() });
        }
        Ok(transaction(&self.rows, |rows| {
            let before = rows.entries.len();
            let outcomes = changes
                .iter()
                .map(|change| match change.preconditions.first() {
                    Some(refused) => Err(Refusal::Precondition(refused.clone()).into()),
                    None => Ok(Committed::Appended(
                        change.entries.iter().map(|entry| rows.append(entry)).collect(),
                    )),
                })
                .collect();
            let entries = rows.entries.iter().skip(before).cloned().collect();
            Done { outcomes, entries, head: rows.head() }
        }))
    }

    async fn committed(
        &mut self,
        after: u64,
        up_to: u64,
    ) -> Result<Vec<CommittedEntry>, StorageError> {
        if self.fails() {
            return Err(unavailable());
        }
        let wanted = |entry: &&CommittedEntry| (after + 1..=up_to).contains(&entry.position.0);
        Ok(with(&self.rows, |rows| rows.entries.iter().filter(wanted).cloned().collect()))
    }
}

/// An entry that is told from all others by its number.
fn entry(number: u128, actor: UserId) -> NewEntry {
    NewEntry {
        log: LogId::Conversation(ChannelId(Uuid::from_u128(thread_rng().gen_range(1..=2)))),
        community: None,
        actor,
        at: Timestamp(0),
        fact: Fact::MessageDeleted { message_id: MessageId(Uuid::from_u128(number)) },
        salt: [0; 32],
    }
}

fn number(entry: &CommittedEntry) -> u128 {
    match entry.fact.as_deref() {
        Some(Fact::MessageDeleted { message_id }) => message_id.0.as_u128(),
        _ => 0,
    }
}

/// What a caller asks for, by chance: mostly one entry, sometimes two, sometimes what is refused.
fn change(number: u128) -> Change {
    let mut random = thread_rng();
    let (poison, refused) = (random.gen_ratio(1, 8), random.gen_ratio(1, 8));
    let actor = if poison { POISON } else { UserId(Uuid::from_u128(1)) };
    let mut entries = vec![entry(number, actor)];
    if random.gen_ratio(1, 4) {
        entries.push(entry(number + 1_000, actor));
    }
    let preconditions = if refused { vec![Precondition::NoAccounts] } else { Vec::new() };
    Change { preconditions, entries, ..Change::default() }
}

/// Hands over two changes and waits for their answers, one by one or both together.
async fn call(
    caller: u128,
    requests: mpsc::Sender<Submitted>,
    rows: Arc<Mutex<Rows>>,
    head: Arc<AtomicU64>,
) -> Vec<u128> {
    let together = thread_rng().gen_ratio(1, 2);
    let mut pending = Vec::new();
    let mut written = Vec::new();
    for index in 0..CHANGES {
        let change = change(caller * 10 + index);
        let (answer, answered) = oneshot::channel();
        let handed = requests.send((Box::new(change.clone()), answer)).await;
        assert!(handed.is_ok(), "the writer outlives its callers");
        pending.push((change, answered));
        if together && index + 1 < CHANGES {
            continue;
        }
        for (change, answered) in pending.drain(..) {
            let outcome = answered.await;
            assert!(outcome.is_ok(), "every change is answered");
            if let Ok(outcome) = outcome {
                written.extend(check_answer(&change, &outcome, &rows, &head));
            }
        }
    }
    written
}

/// Asserts that an outcome is the one of this change; the numbers of what was written.
fn check_answer(
    change: &Change,
    outcome: &Result<Committed, ChangeError>,
    rows: &Mutex<Rows>,
    head: &AtomicU64,
) -> Vec<u128> {
    let poison = change.entries.iter().any(|entry| entry.actor == POISON);
    match outcome {
        Ok(Committed::Appended(placed)) => {
            assert!(!poison && change.preconditions.is_empty(), "it could not be written");
            assert_eq!(placed.len(), change.entries.len());
            placed
                .iter()
                .zip(&change.entries)
                .map(|(place, asked)| {
                    // Whoever was answered finds it at once.
                    assert!(head.load(Ordering::Acquire) >= place.position.0);
                    let index = usize::try_from(place.position.0 - 1).unwrap_or_default();
                    let row = with(rows, |rows| rows.entries.get(index).cloned());
                    let fits = row.as_ref().is_some_and(|row| {
                        row.fact.as_deref() == Some(&asked.fact)
                            && (row.log, row.seq) == (asked.log, place.seq)
                    });
                    assert!(fits, "the answer is another's: {place:?} for {asked:?}, {row:?}");
                    row.as_ref().map(number).unwrap_or_default()
                })
                .collect()
        }
        Ok(Committed::Replayed(_)) => {
            assert!(change.dedupe.is_some(), "nothing was sent twice");
            Vec::new()
        }
        Err(ChangeError::Refused(_)) => {
            assert!(!change.preconditions.is_empty() && !poison, "it was not to be refused");
            Vec::new()
        }
        Err(ChangeError::Storage(StorageError::Internal { .. })) => {
            assert!(poison, "a change fails with its neighbor");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

async fn write(
    mut disk: Disk,
    mut group: Group,
    mut requests: mpsc::Receiver<Submitted>,
) -> (Disk, Group) {
    let mut inbox = Vec::new();
    while requests.recv_many(&mut inbox, BATCH).await > 0 {
        let served = group.commit(&mut disk, std::mem::take(&mut inbox)).await;
        assert!(served.is_ok());
    }
    // What an idle writer does.
    disk.failing = false;
    if group.is_behind() {
        group.catch_up(&mut disk).await;
    }
    group.close();
    (disk, group)
}

/// Another process, which writes to the same database and tells nobody.
fn intrude(rows: Arc<Mutex<Rows>>) -> JoinHandle<Vec<u128>> {
    spawn(async move {
        let numbers = vec![900, 901];
        for number in &numbers {
            let entry = entry(*number, UserId(Uuid::from_u128(2)));
            with(&rows, |rows| rows.append(&entry));
        }
        numbers
    })
}

fn scenario(failing: bool, others: bool) {
    block_on(async {
        let rows = Arc::new(Mutex::new(Rows::default()));
        let head = Arc::new(AtomicU64::new(0));
        let (sink, mut tail) = mpsc::channel(TAIL);
        let slot: TailSlot = Arc::new(Mutex::new(Some(sink)));
        let group = Group::new(slot, Arc::clone(&head));
        let (requests, inbox) = mpsc::channel(QUEUE);
        let disk = Disk { rows: Arc::clone(&rows), failing };
        let writer = spawn(write(disk, group, inbox));
        let intruder = others.then(|| intrude(Arc::clone(&rows)));
        let callers: Vec<_> = (1..=CALLERS)
            .map(|caller| {
                let (rows, head) = (Arc::clone(&rows), Arc::clone(&head));
                spawn(call(caller, requests.clone(), rows, head))
            })
            .collect();
        drop(requests);
        let reader = spawn(async move {
            let mut told = Vec::new();
            while let Some(batch) = tail.recv().await {
                assert!(!batch.entries.is_empty());
                told.extend(batch.entries.iter().map(|it| (it.position, number(it))));
            }
            told
        });

        let mut written = Vec::new();
        for caller in callers {
            written.extend(caller.await.unwrap_or_default());
        }
        let ended = writer.await;
        assert!(ended.is_ok());
        let told = reader.await.unwrap_or_default();
        if let Some(intruder) = intruder {
            written.extend(intruder.await.unwrap_or_default());
        }
        with(&rows, |rows| check_end(rows, &written, &told, head.load(Ordering::Acquire)));
    });
}

fn check_end(rows: &Rows, written: &[u128], told: &[(Position, u128)], head: u64) {
    let mut seqs: HashMap<LogId, u64> = HashMap::new();
    for (index, row) in rows.entries.iter().enumerate() {
        assert_eq!(row.position.0, index as u64 + 1);
        let seq = seqs.entry(row.log).or_default();
        assert_eq!(row.seq.0, *seq + 1, "a gap in {}", row.log);
        *seq += 1;
        assert_ne!(row.actor, POISON);
    }
    // Each was written once, by whoever was told so.
    let mut there: Vec<_> = rows.entries.iter().map(number).collect();
    let mut answered = written.to_vec();
    there.sort_unstable();
    answered.sort_unstable();
    assert_eq!(there, answered, "what is there is not what was answered");
    // The tail has every entry up to our newest commit, once and in order.
    let all: Vec<_> = rows.entries.iter().map(|it| (it.position, number(it))).collect();
    let expected: Vec<_> = all.into_iter().filter(|(position, _)| position.0 <= head).collect();
    assert_eq!(told, expected, "the tail is not the log");
}

/// Three callers and the writer, on a database that is theirs alone and never fails.
///
/// # Panics
/// When a place is given twice or left out, an answer goes to another, or the tail is not the log.
pub fn callers_and_the_writer(schedules: Schedules) {
    explore(schedules, || scenario(false, false));
}

/// The same beside another process, on a database that fails now and then.
///
/// # Panics
/// As [`callers_and_the_writer`].
pub fn callers_the_writer_another_process_and_faults(schedules: Schedules) {
    explore(schedules, || scenario(true, true));
}

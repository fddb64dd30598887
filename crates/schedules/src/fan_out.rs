//! The hub, its queues and its subscriptions against the log: whoever attaches, whenever, and is
//! slow, breaks off and comes back, sees what the log says, once and in order.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::Mutex;
use tidings_domain::{Author, ChannelId, Fact, LogId, MessageId, Position, Role, Seq, UserId};
use tidings_storage::entry::{VisibleEvent, VisiblePage};
use tidings_storage::{
    CommittedBatch, CommittedEntry, EntryRepository, StorageError, StoredEntry, UserLogs,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::realtime::delivery::{Delivery, LiveEvent};
use super::realtime::hub::{self, Ended, HubHandle};
use super::realtime::queue::Close;
use super::realtime::subscription::{End, Subscription};
use crate::{Schedules, explore};

const GENERATION: u64 = 7;
const ANA: UserId = UserId(Uuid::from_u128(1));
const BO: UserId = UserId(Uuid::from_u128(2));
/// Everyone is in it from the start.
const OPEN: LogId = LogId::Conversation(ChannelId(Uuid::from_u128(10)));
/// People come and go.
const SIDE: LogId = LogId::Conversation(ChannelId(Uuid::from_u128(11)));
/// Batches that wait for the hub.
const TAIL: usize = 1;
/// Events of one page of the log at most, whatever was asked for: pages may be short.
const PAGE: usize = 2;
/// Entries that one page looks at, so that some are empty and still have more.
const SCAN: usize = 3;

/// The log, as every store keeps it.
#[derive(Debug, Default)]
struct Log {
    entries: Mutex<Vec<CommittedEntry>>,
}

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Say(LogId),
    Join(UserId, LogId),
    Leave(UserId, LogId),
}

fn person(id: UserId) -> Author {
    Author { id, username: String::new(), display_name: String::new(), bot: false }
}

impl Log {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<CommittedEntry>) -> T) -> T {
        work(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Commits steps together.
    fn commit(&self, steps: &[Step]) -> Arc<CommittedBatch> {
        self.with(|entries| {
            let before = entries.len();
            for step in steps {
                let (log, fact) = match *step {
                    Step::Say(log) => {
                        let message_id = MessageId(Uuid::nil());
                        (log, Fact::MessageDeleted { message_id })
                    }
                    Step::Join(user, log) => {
                        (log, Fact::MemberJoined { user: person(user), role: Role::Member })
                    }
                    Step::Leave(user, log) => (log, Fact::MemberLeft { user: person(user) }),
                };
                let position = Position(entries.len() as u64 + 1);
                entries.push(CommittedEntry {
                    position,
                    log,
                    seq: Seq(0),
                    community: None,
                    actor: UserId::NIL,
                    fact: Some(Arc::new(fact)),
                    event: Bytes::new(),
                });
            }
            Arc::new(CommittedBatch { entries: entries.iter().skip(before).cloned().collect() })
        })
    }
}

/// Whether a user is in a log after these entries, and since when: the rule of the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Membership {
    Never,
    Since(Position),
    Left(Position),
}

impl Membership {
    fn of(user: UserId, log: LogId, entries: &[CommittedEntry]) -> Self {
        let mut membership = Self::Never;
        for entry in entries.iter().filter(|entry| entry.log == log) {
            match entry.fact.as_deref() {
                Some(Fact::MemberJoined { user: who, .. }) if who.id == user => {
                    membership = Self::Since(entry.position);
                }
                Some(Fact::MemberLeft { user: who }) if who.id == user => {
                    membership = Self::Left(entry.position);
                }
                _ => {}
            }
        }
        membership
    }

    fn sees(self, position: Position) -> bool {
        match self {
            Self::Never => false,
            Self::Since(joined) => position >= joined,
            Self::Left(left) => position == left,
        }
    }
}

#[async_trait]
impl EntryRepository for Log {
    async fn generation(&self) -> Result<u64, StorageError> {
        Ok(GENERATION)
    }

    async fn head(&self) -> Result<Position, StorageError> {
        Ok(Position(self.with(|entries| entries.len() as u64)))
    }

    async fn log_head(&self, _: LogId) -> Result<Seq, StorageError> {
        Ok(Seq(0))
    }

    async fn entries(&self, _: LogId, _: Seq, _: usize) -> Result<Vec<StoredEntry>, StorageError> {
        Ok(Vec::new())
    }

    async fn visible(
        &self,
        user: UserId,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<VisiblePage, StorageError> {
        Ok(self.with(|entries| {
            let mut page = VisiblePage { reached: after, ..VisiblePage::default() };
            let end = up_to.0.min(entries.len() as u64);
            let later = entries.iter().filter(|it| it.position > after && it.position.0 <= end);
            for entry in later.take(SCAN) {
                if page.events.len() == limit.min(PAGE) {
                    break;
                }
                page.reached = entry.position;
                if Membership::of(user, entry.log, entries).sees(entry.position) {
                    page.events.push(VisibleEvent {
                        position: entry.position,
                        kind: Arc::from("x"),
                        event: Bytes::new(),
                    });
                }
            }
            page.has_more = page.reached.0 < end;
            page
        }))
    }

    async fn logs_of(&self, user: UserId) -> Result<UserLogs, StorageError> {
        Ok(self.with(|entries| {
            let member =
                |log: &LogId| matches!(Membership::of(user, *log, entries), Membership::Since(_));
            let logs = [OPEN, SIDE].into_iter().filter(member).collect();
            UserLogs { logs, at: Position(entries.len() as u64) }
        }))
    }
}

/// Batches by chance; the last entry is one that everybody sees.
fn script() -> Vec<Vec<Step>> {
    let mut random = thread_rng();
    let mut inside: HashMap<UserId, bool> = HashMap::new();
    let mut batches: Vec<Vec<Step>> = (0..random.gen_range(3..=5))
        .map(|_| {
            (0..random.gen_range(1..=2))
                .map(|_| match random.gen_range(0..8) {
                    0..2 => Step::Say(OPEN),
                    2..4 => Step::Say(SIDE),
                    choice => {
                        let user = if choice == 7 { BO } else { ANA };
                        let is_in = inside.entry(user).or_default();
                        *is_in = !*is_in;
                        if *is_in { Step::Join(user, SIDE) } else { Step::Leave(user, SIDE) }
                    }
                })
                .collect()
        })
        .collect();
    batches.push(vec![Step::Say(OPEN)]);
    batches
}

/// What one follower saw.
#[derive(Debug)]
struct Seen {
    user: UserId,
    /// Where it began: after this position.
    start: Position,
    /// Where it ended.
    cursor: Position,
    positions: Vec<Position>,
    /// Events without a position.
    ephemeral: usize,
    ended: Option<Close>,
}

/// Follows until `end`, or until the server says goodbye; comes back after breaking off.
async fn follow(
    log: Arc<Log>,
    hub: HubHandle,
    user: UserId,
    since: Option<Position>,
    end: Position,
) -> Seen {
    let mut seen = Seen {
        user,
        start: since.unwrap_or_default(),
        cursor: since.unwrap_or_default(),
        positions: Vec::new(),
        ephemeral: 0,
        ended: None,
    };
    let mut since = since;
    let mut breaks = thread_rng().gen_range(0..=1);
    loop {
        let store: Arc<dyn EntryRepository> = Arc::clone(&log) as _;
        let begun = Subscription::begin(store, hub.clone(), user, GENERATION, since).await;
        let mut subscription = match begun {
            Ok(subscription) => subscription,
            Err(end) => {
                seen.ended = Some(reason(&end));
                return seen;
            }
        };
        if since.is_none() {
            (seen.start, seen.cursor) = (subscription.cursor(), subscription.cursor());
        }
        let mut patience = if breaks > 0 { thread_rng().gen_range(0..3) } else { usize::MAX };
        breaks -= usize::from(breaks > 0);
        while seen.cursor < end && patience > 0 {
            patience -= 1;
            match subscription.take().await {
                Ok(deliveries) => {
                    let nothing = deliveries.is_empty();
                    for event in deliveries.iter().flat_map(|delivery| delivery.events()) {
                        match event.position {
                            Some(position) => seen.positions.push(position),
                            None => seen.ephemeral += 1,
                        }
                    }
                    seen.cursor = subscription.cursor();
                    if nothing && seen.cursor < end {
                        subscription.filled().await;
                    }
                }
                Err(end) => {
                    seen.ended = Some(reason(&end));
                    return seen;
                }
            }
        }
        if seen.cursor >= end {
            return seen;
        }
        since = Some(seen.cursor);
    }
}

fn reason(end: &End) -> Close {
    match end {
        End::Closed(why) => *why,
        End::Storage(_) => Close::Gone,
    }
}

/// Asserts that a follower saw what the log says between its start and its cursor.
fn check(seen: &Seen, entries: &[CommittedEntry]) {
    let ascending = seen.positions.windows(2).all(|pair| pair.first() < pair.last());
    assert!(ascending, "out of order, or twice: {seen:?} of {entries:?}");
    assert!(seen.positions.iter().all(|it| *it > seen.start), "too early: {seen:?}");
    for entry in entries {
        let at = entry.position;
        let got = seen.positions.contains(&at);
        let now = Membership::of(seen.user, entry.log, entries);
        // What a member may see now, and may not have missed.
        let owed = at > seen.start && at <= seen.cursor && now.sees(at);
        assert!(got || !owed, "{at:?} is lost: {seen:?} of {entries:?}");
        // What a member could see then; the entry of joining or leaving is the member's own.
        let index = usize::try_from(at.0).unwrap_or_default();
        let until = entries.get(..index).unwrap_or(entries);
        let then = Membership::of(seen.user, entry.log, until);
        assert!(!got || then.sees(at), "{at:?} was never theirs: {seen:?} of {entries:?}");
    }
}

struct Scene {
    log: Arc<Log>,
    hub: HubHandle,
    stop: CancellationToken,
    writer: JoinHandle<mpsc::Sender<Arc<CommittedBatch>>>,
    task: JoinHandle<Ended>,
    end: Position,
}

/// A log with two members, its writer at work, and a hub that starts while it is.
async fn scene() -> Scene {
    let log = Arc::new(Log::default());
    log.commit(&[Step::Join(ANA, OPEN), Step::Join(BO, OPEN)]);
    let script = script();
    let end = Position(2 + script.iter().map(Vec::len).sum::<usize>() as u64);
    let (tail, batches) = mpsc::channel(TAIL);
    let written = Arc::clone(&log);
    let writer = spawn(async move {
        for steps in script {
            let batch = written.commit(&steps);
            // A hub that was stopped takes nothing any more.
            let _ = tail.send(batch).await;
        }
        tail
    });
    let head = log.head().await.unwrap_or_default();
    let stop = CancellationToken::new();
    let (hub, start) = hub::new(GENERATION, head);
    let task = spawn(start(batches, Box::new(|_| {}), stop.clone()).run());
    Scene { log, hub, stop, writer, task, end }
}

/// A place to begin: the head, or somewhere in the log.
fn anywhere() -> Option<Position> {
    let mut random = thread_rng();
    random.gen_ratio(1, 2).then(|| Position(random.gen_range(0..=3)))
}

/// Followers that attach at any moment, are slow, break off and come back.
///
/// # Panics
/// When one of them misses an entry, sees one twice, out of order or that was never theirs, or
/// waits for good.
pub fn attaching_lagging_and_coming_back(schedules: Schedules) {
    explore(schedules, || {
        block_on(async {
            let Scene { log, hub, stop: _stop, writer, task, end } = scene().await;
            let followers: Vec<_> = [ANA, ANA, BO]
                .map(|user| spawn(follow(Arc::clone(&log), hub.clone(), user, anywhere(), end)))
                .into();
            for follower in followers {
                let seen = follower.await;
                assert!(seen.is_ok());
                if let Ok(seen) = seen {
                    assert_eq!((seen.ended, seen.cursor), (None, end));
                    log.with(|entries| check(&seen, entries));
                }
            }
            // The writer ends, and with it the tail and the hub.
            drop(writer.await);
            assert_eq!(task.await.ok(), Some(Ended::WriterGone));
            assert_eq!(hub.head(), end);
        });
    });
}

/// The server stops at any moment, while events that are never stored go out.
///
/// # Panics
/// When a follower is not told, has lost something up to its cursor, or gets what is never stored
/// more often than it was sent.
pub fn stopping_at_any_moment(schedules: Schedules) {
    explore(schedules, || {
        block_on(async {
            let Scene { log, hub, stop, writer, task, end } = scene().await;
            let followers: Vec<_> = [ANA, BO]
                .map(|user| spawn(follow(Arc::clone(&log), hub.clone(), user, anywhere(), end)))
                .into();
            let typing = hub.clone();
            let publisher = spawn(async move {
                let event =
                    LiveEvent { position: None, kind: Arc::from("typing"), event: Bytes::new() };
                typing.publish(OPEN, Arc::new(Delivery::new(GENERATION, vec![event])));
            });
            // The steps before this are as many as the scheduler likes.
            stop.cancel();
            assert_eq!(task.await.ok(), Some(Ended::Stopped));
            for follower in followers {
                let seen = follower.await;
                assert!(seen.is_ok());
                if let Ok(seen) = seen {
                    let complete = seen.ended.is_none() && seen.cursor >= end;
                    assert!(complete || seen.ended == Some(Close::Restart), "{seen:?}");
                    assert!(seen.ephemeral <= 1, "{seen:?}");
                    log.with(|entries| check(&seen, entries));
                }
            }
            assert!(publisher.await.is_ok());
            drop(writer.await);
        });
    });
}

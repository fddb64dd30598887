//! The writer: everything that waits is committed in one transaction (group commit).
//!
//! Started by `SqlStore::open`, on a thread of its own for SQLite and as a task for PostgreSQL;
//! stops when every handle is gone, when [`Request::Stop`] comes, or when the operating system
//! cannot make data durable. Its inbox is the bounded queue of [`Request`]s. After each commit it
//! answers the callers, then hands the committed entries to the tail, in order of positions.
//!
//! Every writing transaction locks the row of `log_position` first, so all writers of one database
//! take turns: positions are gapless and in commit order, preconditions are checked against what
//! the change will stand on, and no two writers can deadlock. Group commit pays for the lock.

mod attention;
mod batch;
mod group;
mod index;
mod precondition;
mod primitives;
mod projection;
mod record;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use futures_util::future::BoxFuture;
use tidings_storage::change::Pending;
use tidings_storage::{Change, CommittedEntry, StorageError};
use tokio::sync::{mpsc, oneshot, watch};

use crate::conn::Conn;
use crate::read;
use crate::store::{Start, postgres_conn};
use batch::Finished;
pub(crate) use batch::{Batch, log_columns};
pub(crate) use group::TailSlot;
use group::{Answer, Database, Done, Group, NotDurable, Outcomes, Submitted};
pub(crate) use precondition::dm_users;
pub(crate) use projection::{Seen, Subject, project};

/// Changes that wait for the writer; past it callers wait to hand theirs over.
const QUEUE: usize = 4096;
/// Changes of one transaction at most. Enough that the fsync is shared by many, small enough that
/// the first of them is answered within some tens of milliseconds.
const BATCH: usize = 512;
/// How long the writer rests after a commit before it brings the search index up to date: long
/// enough that a busy server indexes in large strides, short enough that nobody waits for it.
const IDLE: Duration = Duration::from_millis(50);
/// Entries that the index may fall behind before a commit takes the time to catch up.
const INDEX_LAG: u64 = 2_000;
/// Entries that are indexed in one transaction.
const INDEX_STRIDE: u64 = 4_000;
/// How long the writer waits for another process's lock on the position.
const POSTGRES_BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '2s'";
/// How long the writer waits before it asks PostgreSQL for a connection again.
const RECONNECT: Duration = Duration::from_millis(200);

/// A job that needs the writer's connection for itself.
pub(crate) type ExclusiveJob =
    Box<dyn for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, ()> + Send + 'static>;

/// What the writer is asked.
pub(crate) enum Request {
    /// Write this.
    Change(Box<Change>, Answer),
    /// Bring the search index up to this position soon.
    Index(u64),
    /// Run this between two transactions.
    Exclusive(ExclusiveJob),
    /// Finish what came before, then stop.
    Stop(oneshot::Sender<()>),
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct WriterHandle {
    requests: mpsc::Sender<Request>,
}

impl WriterHandle {
    pub(crate) async fn submit(&self, mut change: Change) -> Result<Pending, StorageError> {
        change.prepare();
        let (answer, pending) = oneshot::channel();
        self.send(Request::Change(Box::new(change), answer)).await?;
        Ok(pending)
    }

    pub(crate) async fn send(&self, request: Request) -> Result<(), StorageError> {
        self.requests.send(request).await.map_err(|_| StorageError::Unavailable {
            detail: "the log's writer has stopped".to_owned(),
        })
    }
}

/// Starts the writer of a SQLite file.
pub(crate) fn spawn_sqlite(
    conn: Conn,
    start: &Start,
    tail: TailSlot,
) -> Result<(WriterHandle, watch::Receiver<u64>), StorageError> {
    let (handle, indexed, writer) = Writer::new(Source::Sqlite, start, tail);
    let failed = |e: std::io::Error| StorageError::Unavailable { detail: e.to_string() };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    std::thread::Builder::new()
        .name("db-writer".to_owned())
        .spawn(move || runtime.block_on(writer.run(Some(conn))))
        .map_err(failed)?;
    Ok((handle, indexed))
}

/// Starts the writer of a PostgreSQL database.
#[expect(clippy::disallowed_methods, reason = "the writer ends with its handles, or by Stop")]
pub(crate) fn spawn_postgres(
    pool: Pool,
    start: &Start,
    tail: TailSlot,
) -> (WriterHandle, watch::Receiver<u64>) {
    let (handle, indexed, writer) = Writer::new(Source::Postgres(pool), start, tail);
    tokio::spawn(writer.run(None));
    (handle, indexed)
}

/// Where a lost connection is replaced from.
enum Source {
    /// A SQLite connection is never lost.
    Sqlite,
    Postgres(Pool),
}

impl Source {
    async fn connect<'c>(&self, conn: &'c mut Option<Conn>) -> Result<&'c mut Conn, StorageError> {
        if conn.is_none() {
            match self {
                Self::Sqlite => {
                    let detail = "the connection for writing is gone".to_owned();
                    return Err(StorageError::Unavailable { detail });
                }
                Self::Postgres(pool) => *conn = Some(postgres_conn(pool).await?),
            }
        }
        conn.as_mut().ok_or_else(|| StorageError::Unavailable { detail: String::new() })
    }
}

struct Writer {
    source: Source,
    requests: mpsc::Receiver<Request>,
    group: Group,
    /// Up to where the search index goes.
    indexed: watch::Sender<u64>,
    /// What is not indexed yet, as it was when it was written.
    fresh: index::Fresh,
    /// Up to where somebody wants it to go at once.
    wanted: u64,
    /// Whether bodies were erased since the last truncating checkpoint (SQLite).
    erased: bool,
}

/// What ends the writer.
enum Stop {
    Asked(Option<oneshot::Sender<()>>),
    NotDurable,
}

impl Writer {
    fn new(
        source: Source,
        start: &Start,
        tail: TailSlot,
    ) -> (WriterHandle, watch::Receiver<u64>, Self) {
        let (requests, inbox) = mpsc::channel(QUEUE);
        let (indexed, reached) = watch::channel(start.indexed);
        let writer = Self {
            source,
            requests: inbox,
            group: Group::new(tail, Arc::clone(&start.head)),
            indexed,
            fresh: index::Fresh::starting_at(start.head()),
            wanted: 0,
            erased: false,
        };
        (WriterHandle { requests }, reached, writer)
    }

    async fn run(mut self, conn: Option<Conn>) {
        self.work(conn).await;
        // Whoever listens learns that nothing more will come.
        self.group.close();
    }

    async fn work(&mut self, mut conn: Option<Conn>) {
        let mut inbox = Vec::with_capacity(BATCH);
        loop {
            let received = if self.has_idle_work() {
                let receive = self.requests.recv_many(&mut inbox, BATCH);
                let Ok(received) = tokio::time::timeout(IDLE, receive).await else {
                    if self.idle(&mut conn).await.is_err() {
                        return;
                    }
                    continue;
                };
                received
            } else {
                self.requests.recv_many(&mut inbox, BATCH).await
            };
            let stop = if received == 0 {
                Some(Stop::Asked(None))
            } else {
                self.serve(&mut conn, &mut inbox).await
            };
            match stop {
                None => {}
                Some(Stop::NotDurable) => return,
                Some(Stop::Asked(done)) => {
                    if self.settle(&mut conn).await.is_err() {
                        return;
                    }
                    // The readers keep the write-ahead log open; whoever copies a stopped server's
                    // files should find everything in the database itself.
                    let or_else = "the write-ahead log stays beside the database";
                    if self.truncate(&mut conn, or_else).await.is_err() {
                        return;
                    }
                    drop(conn);
                    if let Some(done) = done {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                    }
                    return;
                }
            }
        }
    }

    fn has_idle_work(&self) -> bool {
        self.erased || self.group.is_behind() || *self.indexed.borrow() < self.group.head()
    }

    /// Works through the inbox in order; changes that stand next to each other share a transaction.
    async fn serve(&mut self, conn: &mut Option<Conn>, inbox: &mut Vec<Request>) -> Option<Stop> {
        let mut changes: Vec<Submitted> = Vec::with_capacity(inbox.len());
        let mut stop = None;
        for request in inbox.drain(..) {
            match request {
                Request::Change(change, answer) => changes.push((change, answer)),
                Request::Index(position) => self.wanted = self.wanted.max(position),
                Request::Exclusive(job) => {
                    if let Err(stopped) = self.commit(conn, std::mem::take(&mut changes)).await {
                        return Some(stopped);
                    }
                    if let Ok(conn) = self.source.connect(conn).await {
                        job(conn).await;
                    }
                }
                Request::Stop(done) => stop = Some(Stop::Asked(Some(done))),
            }
        }
        if let Err(stopped) = self.commit(conn, changes).await {
            return Some(stopped);
        }
        let behind = self.group.head().saturating_sub(*self.indexed.borrow());
        let lags = self.wanted > *self.indexed.borrow() || behind > INDEX_LAG;
        if lags && let Err(stopped) = self.index(conn).await {
            return Some(stopped);
        }
        stop
    }

    fn database<'a>(&'a mut self, slot: &'a mut Option<Conn>) -> (&'a mut Group, Sql<'a>) {
        let Self { source, group, fresh, erased, .. } = self;
        (group, Sql { source, slot, fresh, erased })
    }

    async fn commit(
        &mut self,
        conn: &mut Option<Conn>,
        changes: Vec<Submitted>,
    ) -> Result<(), Stop> {
        let (group, mut database) = self.database(conn);
        group.commit(&mut database, changes).await.map_err(|NotDurable| not_durable())
    }

    /// What can wait until nobody writes: the index, and making erasures final.
    async fn idle(&mut self, conn: &mut Option<Conn>) -> Result<(), Stop> {
        self.settle(conn).await?;
        if self.erased {
            let or_else = "erased bodies stay in the write-ahead log until its next reset";
            self.truncate(conn, or_else).await?;
        }
        Ok(())
    }

    /// Tells the tail and the index what they have not been told.
    async fn settle(&mut self, conn: &mut Option<Conn>) -> Result<(), Stop> {
        if self.group.is_behind() {
            let (group, mut database) = self.database(conn);
            group.catch_up(&mut database).await;
            if group.is_behind() {
                tokio::time::sleep(RECONNECT).await;
            }
        }
        self.index(conn).await
    }

    /// Moves the write-ahead log of SQLite into the database and empties it. When that fails for
    /// another reason than a disk that lies, `or_else` is what comes of it.
    async fn truncate(
        &mut self,
        conn: &mut Option<Conn>,
        or_else: &'static str,
    ) -> Result<(), Stop> {
        self.erased = false;
        let (Source::Sqlite, Some(conn)) = (&self.source, conn) else { return Ok(()) };
        match conn.batch("PRAGMA wal_checkpoint(TRUNCATE)").await {
            Ok(()) => Ok(()),
            Err(StorageError::NotDurable { .. }) => Err(not_durable()),
            Err(error) => {
                tracing::warn!(%error, "{or_else}");
                Ok(())
            }
        }
    }

    /// Brings the index up to the head, or as far as one transaction goes.
    async fn index(&mut self, slot: &mut Option<Conn>) -> Result<(), Stop> {
        let from = *self.indexed.borrow();
        let to = self.group.head().min(from + INDEX_STRIDE);
        if to <= from {
            return Ok(());
        }
        let Ok(conn) = self.source.connect(slot).await else { return Ok(()) };
        let mut fresh = std::mem::take(&mut self.fresh);
        let begin = if conn.is_postgres() { POSTGRES_BEGIN } else { "BEGIN IMMEDIATE" };
        let stride = async {
            conn.batch(begin).await?;
            let reached = index::advance(conn, &mut fresh, to).await?;
            conn.batch("COMMIT").await?;
            Ok::<_, StorageError>(reached)
        };
        let stride = stride.await;
        self.fresh = fresh;
        match stride {
            Ok(reached) => {
                self.indexed.send_replace(reached);
            }
            // What the disk has lost of this file nobody knows: it concerns messages too.
            Err(StorageError::NotDurable { .. }) => return Err(not_durable()),
            Err(error) => {
                tracing::warn!(%error, "the search index could not be brought up to date");
                if conn.batch("ROLLBACK").await.is_err() && conn.is_postgres() {
                    *slot = None;
                }
                tokio::time::sleep(RECONNECT).await;
            }
        }
        Ok(())
    }
}

/// What a writer does that cannot rely on its disk any more.
fn not_durable() -> Stop {
    tracing::error!("the database could not be made durable; the writer stops for good");
    Stop::NotDurable
}

/// The connection for writing, as group commit sees it.
struct Sql<'a> {
    source: &'a Source,
    slot: &'a mut Option<Conn>,
    fresh: &'a mut index::Fresh,
    erased: &'a mut bool,
}

impl Database for Sql<'_> {
    async fn transact(&mut self, changes: &[Box<Change>]) -> Result<Done, StorageError> {
        let conn = match self.source.connect(self.slot).await {
            Ok(conn) => conn,
            Err(error) => {
                tracing::warn!(%error, "no connection for writing");
                tokio::time::sleep(RECONNECT).await;
                return Err(error);
            }
        };
        match attempt(conn, changes).await {
            Ok((outcomes, Finished { entries, head, erased, documents, simple })) => {
                *self.erased |= erased;
                if let Some(first) = entries.first() {
                    self.fresh.add(first.position.0 - 1, head, documents, simple);
                }
                Ok(Done { outcomes, entries, head })
            }
            Err(error) => {
                if conn.batch("ROLLBACK").await.is_err()
                    || (conn.is_postgres() && matches!(error, StorageError::Unavailable { .. }))
                {
                    // SQLite has rolled back by itself then; a PostgreSQL connection in an unknown
                    // state is replaced.
                    if matches!(self.source, Source::Postgres(_)) {
                        *self.slot = None;
                    }
                }
                metrics::counter!("tidings_log_commit_failures_total").increment(1);
                Err(error)
            }
        }
    }

    async fn committed(
        &mut self,
        after: u64,
        up_to: u64,
    ) -> Result<Vec<CommittedEntry>, StorageError> {
        let conn = self.source.connect(self.slot).await?;
        read::entry::committed_range(conn, after, up_to).await
    }
}

/// Writes changes in one transaction, or leaves one to be rolled back.
async fn attempt(
    conn: &mut Conn,
    changes: &[Box<Change>],
) -> Result<(Outcomes, Finished), StorageError> {
    let postgres = conn.is_postgres();
    conn.batch(if postgres { POSTGRES_BEGIN } else { "BEGIN IMMEDIATE" }).await?;
    let mut batch = Batch::begin(conn).await?;
    let outcomes = batch.apply(changes).await?;
    let finished = batch.finish().await?;
    conn.batch("COMMIT").await?;
    Ok((outcomes, finished))
}

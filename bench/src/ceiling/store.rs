//! The disk of the broadcaster: one thread that commits everything waiting in one transaction.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use anyhow::Context as _;
use mio::Waker;
use rusqlite::{Connection, params};

/// Most appends that share one commit: at 200 bytes each a transaction of about one megabyte, long
/// past the point where the fsync is the smaller part.
const LARGEST_BATCH: usize = 4096;

/// Appends that may wait for the writer before the network thread is held back.
const QUEUE: usize = 65_536;

/// A message on its way to disk and then to the members of its room.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) room: u32,
    pub(super) sender: usize,
    pub(super) payload: Vec<u8>,
    /// Given by the writer, from 1 in every room.
    pub(super) seq: u64,
}

/// Where the network thread hands over appends and collects committed ones.
#[derive(Debug)]
pub(super) struct Writer {
    queue: SyncSender<Append>,
    committed: Receiver<Vec<Append>>,
}

impl Writer {
    /// Opens the database in `data` and starts the thread; it ends with this value, or with the
    /// process when a commit fails (nothing may be acknowledged after that).
    pub(super) fn start(data: &Path, waker: Waker) -> anyhow::Result<Self> {
        let database = open(&data.join("ceiling.db"))?;
        let (queue, waiting) = sync_channel(QUEUE);
        let (done, committed) = channel();
        std::thread::Builder::new().name("writer".into()).spawn(move || {
            if let Err(error) = write_all(database, &waiting, &done, &waker) {
                crate::report::complain(&format!("ceiling writer: {error:#}"));
                std::process::exit(1);
            }
        })?;
        Ok(Self { queue, committed })
    }

    /// Queues one append; blocks while the queue is full.
    pub(super) fn append(&self, append: Append) -> anyhow::Result<()> {
        self.queue.send(append).ok().context("the writer has ended")
    }

    /// A committed batch, when there is one.
    pub(super) fn committed(&self) -> Option<Vec<Append>> {
        self.committed.try_recv().ok()
    }
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    let database = Connection::open(path).with_context(|| format!("open {}", path.display()))?;
    database.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS entry (
             room INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
             PRIMARY KEY (room, seq)
         ) STRICT, WITHOUT ROWID;",
    )?;
    Ok(database)
}

fn write_all(
    mut database: Connection,
    waiting: &Receiver<Append>,
    done: &Sender<Vec<Append>>,
    waker: &Waker,
) -> anyhow::Result<()> {
    let mut heads: Vec<u64> = Vec::new();
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(LARGEST_BATCH - 1));
        let transaction = database.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO entry (room, seq, body) VALUES (?1, ?2, ?3)")?;
            for append in &mut batch {
                let room = append.room as usize;
                if heads.len() <= room {
                    heads.resize(room + 1, 0);
                }
                let head = heads.get_mut(room).context("a room that was just made")?;
                *head += 1;
                append.seq = *head;
                insert.execute(params![append.room, append.seq.cast_signed(), append.payload])?;
            }
        }
        transaction.commit()?;
        if done.send(batch).is_err() {
            break;
        }
        waker.wake()?;
    }
    Ok(())
}

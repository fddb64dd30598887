//! The same SQL, bare: what B4 and B5 are measured against. It reads the server's own database
//! through a connection of its own and leaves out everything else.

use std::path::Path;

use anyhow::Context as _;
use rusqlite::{Connection, OpenFlags, params};

/// A second reader of a server's SQLite database.
#[derive(Debug)]
pub struct Database(Connection);

impl Database {
    /// Opens the database of a server with its data in `data`.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("tidings.db");
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .with_context(|| format!("open {}", path.display()))?;
        Ok(Self(database))
    }

    /// The number under which the database knows the log of a channel.
    pub fn log_of(&self, channel: uuid::Uuid) -> anyhow::Result<i64> {
        let sql = "SELECT log FROM channels WHERE id = ?1";
        Ok(self.0.query_row(sql, params![channel.as_bytes()], |row| row.get(0))?)
    }

    /// Reads the `limit` messages of a timeline before `seq` and returns how many there were.
    pub fn page_before(&self, log: i64, seq: i64, limit: usize) -> anyhow::Result<usize> {
        self.read(
            "SELECT m.id, m.seq, m.author, m.created_at, e.data
             FROM messages m JOIN entries e ON e.position = m.latest
             WHERE m.log = ?1 AND m.timeline = TRUE AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?3",
            params![log, seq, i64::try_from(limit)?],
        )
    }

    /// The same for the messages from `seq` on.
    pub fn page_from(&self, log: i64, seq: i64, limit: usize) -> anyhow::Result<usize> {
        self.read(
            "SELECT m.id, m.seq, m.author, m.created_at, e.data
             FROM messages m JOIN entries e ON e.position = m.latest
             WHERE m.log = ?1 AND m.timeline = TRUE AND m.seq >= ?2 ORDER BY m.seq LIMIT ?3",
            params![log, seq, i64::try_from(limit)?],
        )
    }

    /// Finds the newest `limit` messages that hold `words`, with their bodies.
    pub fn search(&self, words: &str, limit: usize) -> anyhow::Result<usize> {
        self.read(
            "SELECT e.subject, e.seq, e.actor, e.at, e.data
             FROM (SELECT rowid AS position FROM search WHERE search MATCH ?1
                   ORDER BY rowid DESC LIMIT ?2) found
             JOIN entries e ON e.position = found.position",
            params![words, i64::try_from(limit)?],
        )
    }

    /// Reads every column of every row, the last one as bytes.
    fn read(&self, sql: &str, values: impl rusqlite::Params) -> anyhow::Result<usize> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let id: [u8; 16] = row.get(0)?;
            let numbers: (i64, [u8; 16], i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let data: Vec<u8> = row.get(4)?;
            std::hint::black_box((id, numbers, data));
            count += 1;
        }
        Ok(count)
    }
}

/// Processor seconds per body that the full-text index costs when it is kept alone: FTS5 with the
/// server's tokenizer in a database in memory, 64 bodies to a transaction.
pub fn index_cost(bodies: impl Iterator<Item = String>) -> anyhow::Result<f64> {
    let mut database = Connection::open_in_memory()?;
    database.execute_batch(
        "CREATE VIRTUAL TABLE search USING fts5 (
             body, meta, tokenize = \"unicode61 remove_diacritics 2\", columnsize = 0
         );",
    )?;
    let bodies: Vec<String> = bodies.collect();
    let before = crate::process::own_cpu_seconds()?;
    for part in bodies.chunks(64) {
        let transaction = database.transaction()?;
        {
            let sql = "INSERT INTO search (body, meta) VALUES (?1, 'c1 u0123456789abcdef')";
            let mut insert = transaction.prepare_cached(sql)?;
            for body in part {
                insert.execute([body])?;
            }
        }
        transaction.commit()?;
    }
    let spent = crate::process::own_cpu_seconds()? - before;
    Ok(spent / crate::stats::count(bodies.len().max(1)))
}

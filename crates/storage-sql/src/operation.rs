//! Operations: readiness, totals, checks, rebuilding projections.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{LogId, MessageId, UserId};
use tidings_storage::change::{Digest, Pending, Placed};
use tidings_storage::operation::{Rebuilt, StoredResponse, Totals};
use tidings_storage::{Change, CommittedBatch, LogWriter, OperationRepository, StorageError};
use tidings_wire::chain;
use tidings_wire::event::decode_data;
use tokio::sync::{mpsc, oneshot};

use crate::conn::{Conn, Row, params};
use crate::read::entry::RawEntry;
use crate::store::SqlStore;
use crate::writer::{Batch, ExclusiveJob, Request, Seen, Subject, project};

/// Entries that are read at once while all of them are walked.
const PAGE: usize = 2_000;

#[async_trait]
impl LogWriter for SqlStore {
    async fn submit(&self, change: Change) -> Result<Pending, StorageError> {
        self.writer.submit(change).await
    }

    fn take_tail(&self) -> Option<mpsc::Receiver<Arc<CommittedBatch>>> {
        self.tail()
    }
}

/// How far a long walk has come: entries done, entries in all.
type Steps = mpsc::Sender<(u64, u64)>;

impl SqlStore {
    /// Runs a job on the writer's connection and passes its steps on.
    async fn exclusively<T, F>(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
        job: F,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(
                &'c mut Conn,
                Steps,
            )
                -> futures_util::future::BoxFuture<'c, Result<T, StorageError>>
            + Send
            + 'static,
    {
        let (steps, mut walked) = mpsc::channel(16);
        let (answer, mut answered) = oneshot::channel();
        let job: ExclusiveJob = Box::new(move |conn| {
            Box::pin(async move {
                // The caller may have stopped waiting; the job is done all the same.
                let _ = answer.send(job(conn, steps).await);
            })
        });
        self.writer.send(Request::Exclusive(job)).await?;
        loop {
            tokio::select! {
                Some((done, all)) = walked.recv() => progress(done, all),
                result = &mut answered => {
                    while let Ok((done, all)) = walked.try_recv() {
                        progress(done, all);
                    }
                    return result.unwrap_or_else(|_| Err(StorageError::Unavailable {
                        detail: "the log's writer has stopped".to_owned(),
                    }));
                }
            }
        }
    }
}

#[async_trait]
impl OperationRepository for SqlStore {
    async fn ping(&self) -> Result<(), StorageError> {
        self.read(|conn| {
            Box::pin(async move { conn.query("SELECT 1", params![], |_| Ok(())).await.map(drop) })
        })
        .await
    }

    async fn response(
        &self,
        user: UserId,
        key: &Digest,
    ) -> Result<Option<StoredResponse>, StorageError> {
        let key = *key;
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT request, status, body, expires_at FROM responses
                           WHERE user_id = ?1 AND key = ?2";
                conn.query_first(sql, params![user, key], |row| {
                    Ok(StoredResponse {
                        user_id: user,
                        key,
                        request: row.hash(0)?,
                        status: u16::try_from(row.int(1)?).unwrap_or(500),
                        body: row.opt_bytes(2)?,
                        expires_at: tidings_domain::Timestamp(row.int(3)?),
                    })
                })
                .await
            })
        })
        .await
    }

    async fn setting(&self, name: &'static str) -> Result<Option<Vec<u8>>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT value FROM settings WHERE name = ?1";
                conn.query_first(sql, params![name], |row| row.bytes(0)).await
            })
        })
        .await
    }

    async fn totals(&self) -> Result<Totals, StorageError> {
        self.read(|conn| Box::pin(totals(conn))).await
    }

    async fn check(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Vec<String>, StorageError> {
        self.exclusively(progress, |conn, steps| Box::pin(check(conn, steps))).await
    }

    async fn rebuild(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Rebuilt, StorageError> {
        self.exclusively(progress, |conn, steps| {
            Box::pin(async move {
                conn.batch(if conn.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" }).await?;
                match rebuild(conn, steps).await {
                    Ok(rebuilt) => conn.batch("COMMIT").await.map(|()| rebuilt),
                    Err(error) => {
                        // The first error is the one to report.
                        let _ = conn.batch("ROLLBACK").await;
                        Err(error)
                    }
                }
            })
        })
        .await
    }

    async fn dump_projections(&self) -> Result<Vec<String>, StorageError> {
        self.read(|conn| Box::pin(dump(conn))).await
    }

    async fn close(&self) {
        let (done, stopped) = oneshot::channel();
        if self.writer.send(Request::Stop(done)).await.is_ok() {
            // A writer that stopped by itself drops the sender.
            let _ = stopped.await;
        }
    }
}

async fn one_count(conn: &mut Conn, sql: &'static str) -> Result<u64, StorageError> {
    Ok(conn.query_first(sql, params![], |row| row.count(0)).await?.unwrap_or(0))
}

async fn totals(conn: &mut Conn) -> Result<Totals, StorageError> {
    let bytes = if conn.is_postgres() {
        "SELECT pg_database_size(current_database())"
    } else {
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    };
    Ok(Totals {
        users: one_count(conn, "SELECT COUNT(*) FROM users").await?,
        channels: one_count(conn, "SELECT COUNT(*) FROM channels").await?,
        messages: one_count(conn, "SELECT COUNT(*) FROM messages").await?,
        entries: one_count(conn, "SELECT position FROM log_position").await?,
        bytes: one_count(conn, bytes).await?,
    })
}

async fn check(conn: &mut Conn, steps: Steps) -> Result<Vec<String>, StorageError> {
    let mut wrong = Vec::new();
    if !conn.is_postgres() {
        let lines = conn.query("PRAGMA integrity_check", params![], |row| row.text(0)).await?;
        wrong.extend(lines.into_iter().filter(|line| line != "ok"));
        let lines = conn.query("PRAGMA foreign_key_check", params![], |row| row.text(0)).await?;
        wrong.extend(lines);
    }
    let all = one_count(conn, "SELECT position FROM log_position").await?;
    let mut expected = 1;
    let mut heads = std::collections::HashMap::<LogId, (u64, chain::Hash)>::new();
    loop {
        let page = conn
            .query(
                "SELECT e.position, l.kind, l.owner, l.community_id, e.seq, e.kind, e.actor, e.at,
                   e.data, e.salt, e.commitment, e.hash
                 FROM entries e JOIN logs l ON l.id = e.log
                 WHERE e.position >= ?1 ORDER BY e.position LIMIT ?2",
                params![expected, PAGE],
                |row| Ok((RawEntry::read(row)?, row.opt_hash(9)?, row.hash(10)?, row.hash(11)?)),
            )
            .await?;
        if page.is_empty() {
            break;
        }
        for (raw, salt, commitment, hash) in page {
            let position = raw.position.0;
            if position != expected {
                wrong.push(format!("positions {expected} to {} are missing", position - 1));
            }
            expected = position + 1;
            let (seq, prev) = heads.entry(raw.log).or_insert((0, chain::GENESIS));
            if raw.seq.0 != *seq + 1 {
                wrong.push(format!("log {}: {} comes after {seq}", raw.log, raw.seq));
            }
            if let Some((data, salt)) = raw.data.as_deref().zip(salt)
                && chain::commitment(&salt, data) != commitment
            {
                wrong.push(format!("log {}, {}: the data was changed", raw.log, raw.seq));
            }
            if chain::entry_hash(prev, &raw.header().encode(), &commitment) != hash {
                wrong.push(format!("log {}, {}: the chain is broken", raw.log, raw.seq));
            }
            (*seq, *prev) = (raw.seq.0, hash);
        }
        // Whoever watches may have gone away.
        let _ = steps.try_send((expected - 1, all));
    }
    if expected != all + 1 {
        wrong.push(format!("the newest position is {all}, but entries end at {}", expected - 1));
    }
    let logs = conn
        .query("SELECT kind, owner, head_seq, head_hash FROM logs", params![], |row| {
            let log = crate::read::entry::log_id(&row.text(0)?, row.id(1)?)?;
            Ok((log, row.count(2)?, row.hash(3)?))
        })
        .await?;
    for (log, seq, hash) in logs {
        if heads.get(&log).copied().unwrap_or((0, chain::GENESIS)) != (seq, hash) {
            wrong.push(format!("log {log}: its head does not fit to its entries"));
        }
    }
    Ok(wrong)
}

async fn rebuild(conn: &mut Conn, steps: Steps) -> Result<Rebuilt, StorageError> {
    for sql in [
        "DELETE FROM channels",
        "DELETE FROM memberships",
        "DELETE FROM messages",
        "DELETE FROM versions",
        "DELETE FROM reactions",
        "DELETE FROM attachments",
        "DELETE FROM mentions",
        "DELETE FROM tombstones",
        "DELETE FROM thread_markers",
        "DELETE FROM notifications",
        "DELETE FROM calls",
        "DELETE FROM notification_reads",
        "DELETE FROM channel_notices",
        "DELETE FROM attention",
        "DELETE FROM keywords",
        "DELETE FROM saved",
        "DELETE FROM search",
        "UPDATE search_position SET position = 0",
        "UPDATE logs SET message_count = 0, member_count = 0",
    ] {
        conn.batch(sql).await?;
    }
    let all = one_count(conn, "SELECT position FROM log_position").await?;
    let mut batch = Batch::begin(conn).await?;
    let mut rebuilt = Rebuilt::default();
    let mut after = 0;
    loop {
        batch.flush().await?;
        let page = batch
            .conn
            .query(
                "SELECT e.position, l.kind, l.owner, l.community_id, e.seq, e.kind, e.actor, e.at,
                   e.data, e.subject, e.parent, e.flags
                 FROM entries e JOIN logs l ON l.id = e.log
                 WHERE e.position > ?1 ORDER BY e.position LIMIT ?2",
                params![after, PAGE],
                |row| {
                    let subject = Subject {
                        message: MessageId(row.id(9)?),
                        parent: MessageId(row.id(10)?),
                        flags: row.int(11)?,
                    };
                    Ok((RawEntry::read(row)?, subject))
                },
            )
            .await?;
        let Some((last, _)) = page.last() else { break };
        after = last.position.0;
        for (raw, subject) in page {
            let fact = match raw.data.as_deref().map(|data| decode_data(&raw.kind, data)) {
                None => None,
                Some(Ok(fact)) => Some(fact),
                Some(Err(error)) => {
                    tracing::warn!(log = %raw.log, seq = raw.seq.0, %error, "an entry was passed over");
                    rebuilt.unknown += 1;
                    continue;
                }
            };
            let place = Placed { position: raw.position, seq: raw.seq };
            let seen = Seen { place, log: raw.log, actor: raw.actor, at: raw.at, subject };
            project(&mut batch, &seen, fact.as_ref()).await?;
            rebuilt.entries += 1;
        }
        // Whoever watches may have gone away.
        let _ = steps.try_send((after, all));
    }
    batch.flush().await?;
    Ok(rebuilt)
}

/// The projections: name, query, and the kind of each column (`u` id, `t` text, `i` number,
/// `b` truth), so that both databases write the same text.
const PROJECTIONS: &[(&str, &str, &str)] = &[
    (
        "channels",
        "SELECT id, community_id, name, type, visibility, kind, topic, category, archived,
           is_default, created_at, dm_users, retention_s FROM channels",
        "uuttttttbbiti",
    ),
    (
        "memberships",
        "SELECT l.owner, m.user_id, m.role, m.joined_at, m.joined_position, m.left_position,
           m.read_seq, m.read_ordinal, m.nickname
         FROM memberships m JOIN logs l ON l.id = m.log",
        "uutiiiiit",
    ),
    (
        "messages",
        "SELECT l.owner, m.seq, m.id, m.position, m.latest, m.author, m.parent, m.reply,
           m.broadcast, m.timeline, m.counted, m.ordinal, m.created_at, m.edited_at, m.deleted,
           m.reply_count, m.last_reply_at, m.reply_number, m.pinned
         FROM messages m JOIN logs l ON l.id = m.log",
        "uiuiiuubbbbiiibiiii",
    ),
    ("reactions", "SELECT message_id, emoji, user_id, position FROM reactions", "utui"),
    ("attachments", "SELECT message_id, media_id FROM attachments", "uu"),
    ("versions", "SELECT message_id, position FROM versions", "ui"),
    (
        "mentions",
        "SELECT l.owner, m.user_id, m.seq, m.author FROM mentions m JOIN logs l ON l.id = m.log",
        "uuiu",
    ),
    ("thread_markers", "SELECT user_id, root, read_seq FROM thread_markers", "uui"),
    (
        "notifications",
        "SELECT user_id, id, position, kind, community, channel, message, parent, actor, quiet, at
         FROM notifications",
        "uuituuuuubi",
    ),
    (
        "calls",
        "SELECT l.owner, c.message, c.position, c.author, c.at
         FROM calls c JOIN logs l ON l.id = c.log",
        "uuiui",
    ),
    ("notification_reads", "SELECT user_id, id FROM notification_reads", "uu"),
    (
        "channel_notices",
        "SELECT n.user_id, l.owner, n.level, n.muted_until
         FROM channel_notices n JOIN logs l ON l.id = n.log",
        "uuti",
    ),
    (
        "attention",
        "SELECT user_id, quiet_until, quiet_from, quiet_to, utc_offset FROM attention",
        "uiiii",
    ),
    ("keywords", "SELECT phrase, user_id FROM keywords", "tu"),
    ("saved", "SELECT user_id, message FROM saved", "uu"),
    ("tombstones", "SELECT l.owner, t.seq FROM tombstones t JOIN logs l ON l.id = t.log", "ui"),
    ("logs", "SELECT owner, kind, head_seq, message_count, member_count FROM logs", "utiii"),
];

async fn dump(conn: &mut Conn) -> Result<Vec<String>, StorageError> {
    let mut lines = Vec::new();
    for (name, sql, kinds) in PROJECTIONS {
        let line = |row: &Row<'_>| {
            let mut line = (*name).to_owned();
            for (column, kind) in kinds.chars().enumerate() {
                line.push('|');
                line.push_str(&match kind {
                    'u' => row.id(column)?.as_simple().to_string(),
                    't' => row.text(column)?,
                    'b' => row.bool(column)?.to_string(),
                    _ => row.int(column)?.to_string(),
                });
            }
            Ok(line)
        };
        lines.append(&mut conn.query(sql, params![], line).await?);
    }
    lines.sort_unstable();
    Ok(lines)
}

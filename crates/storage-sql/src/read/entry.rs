//! The log, read back.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{ChannelId, CommunityId, LogId, Position, Seq, Timestamp, UserId};
use tidings_storage::entry::{VisibleEvent, VisiblePage};
use tidings_storage::{CommittedEntry, EntryRepository, StorageError, StoredEntry, UserLogs};
use tidings_wire::chain;
use tidings_wire::event::{Header, decode_data};
use uuid::Uuid;

use crate::conn::{Conn, Row, corrupt, params};
use crate::store::SqlStore;
use crate::writer::log_columns;

/// Entries that one look at the log passes over at most: about ten milliseconds of work.
const SCAN: u64 = 10_000;

/// The log with this kind and owner.
pub(crate) fn log_id(kind: &str, owner: Uuid) -> Result<LogId, StorageError> {
    match kind {
        "c" => Ok(LogId::Conversation(ChannelId(owner))),
        "g" => Ok(LogId::Community(CommunityId(owner))),
        "u" => Ok(LogId::User(UserId(owner))),
        other => Err(corrupt("logs.kind", &other)),
    }
}

/// An entry's columns: position, `log.kind`, `log.owner`, `log.community_id`, seq, kind, actor,
/// at, data.
pub(crate) struct RawEntry {
    pub(crate) position: Position,
    pub(crate) log: LogId,
    pub(crate) community: Option<CommunityId>,
    pub(crate) seq: Seq,
    pub(crate) kind: String,
    pub(crate) actor: UserId,
    pub(crate) at: Timestamp,
    pub(crate) data: Option<Vec<u8>>,
}

impl RawEntry {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let community = CommunityId(row.id(3)?);
        Ok(Self {
            position: Position(row.count(0)?),
            log: log_id(&row.text(1)?, row.id(2)?)?,
            community: if community == CommunityId::NIL { None } else { Some(community) },
            seq: Seq(row.count(4)?),
            kind: row.text(5)?,
            actor: UserId(row.id(6)?),
            at: Timestamp(row.int(7)?),
            data: row.opt_bytes(8)?,
        })
    }

    pub(crate) fn header(&self) -> Header<'_> {
        Header {
            actor: self.actor,
            community: self.community,
            log: self.log,
            seq: self.seq,
            at: self.at,
            kind: &self.kind,
        }
    }

    fn event(&self) -> Bytes {
        Bytes::from(self.header().encode_event(self.data.as_deref().unwrap_or(b"null")))
    }
}

/// Committed entries after a position and up to another, for the tail.
pub(crate) async fn committed_range(
    conn: &mut Conn,
    after: u64,
    up_to: u64,
) -> Result<Vec<CommittedEntry>, StorageError> {
    let rows = conn
        .query(
            "SELECT e.position, l.kind, l.owner, l.community_id, e.seq, e.kind, e.actor, e.at, e.data
             FROM entries e JOIN logs l ON l.id = e.log
             WHERE e.position > ?1 AND e.position <= ?2 ORDER BY e.position",
            params![after, up_to],
            RawEntry::read,
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|raw| CommittedEntry {
            position: raw.position,
            log: raw.log,
            seq: raw.seq,
            community: raw.community,
            actor: raw.actor,
            // A type that a newer version wrote has no meaning here; it is delivered all the same.
            fact: raw
                .data
                .as_deref()
                .and_then(|data| decode_data(&raw.kind, data).ok())
                .map(Arc::new),
            event: raw.event(),
        })
        .collect())
}

#[async_trait]
impl EntryRepository for SqlStore {
    async fn generation(&self) -> Result<u64, StorageError> {
        Ok(self.generation)
    }

    async fn head(&self) -> Result<Position, StorageError> {
        if let Some(head) = self.own_head() {
            return Ok(Position(head));
        }
        self.read(|conn| {
            Box::pin(async move {
                let sql = "SELECT position FROM log_position WHERE id = 1";
                let head = conn.query_first(sql, params![], |row| row.count(0)).await?;
                Ok(Position(head.unwrap_or(0)))
            })
        })
        .await
    }

    async fn log_head(&self, log: LogId) -> Result<Seq, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let (kind, owner) = log_columns(log);
                let sql = "SELECT head_seq FROM logs WHERE owner = ?1 AND kind = ?2";
                let head = conn.query_first(sql, params![owner, kind], |row| row.count(0)).await?;
                Ok(Seq(head.unwrap_or(0)))
            })
        })
        .await
    }

    async fn entries(
        &self,
        log: LogId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let (kind, owner) = log_columns(log);
                let sql = "SELECT id FROM logs WHERE owner = ?1 AND kind = ?2";
                let Some(id) =
                    conn.query_first(sql, params![owner, kind], |row| row.int(0)).await?
                else {
                    return Ok(Vec::new());
                };
                let mut prev = conn
                    .query_first(
                        "SELECT hash FROM entries WHERE log = ?1 AND seq = ?2",
                        params![id, after],
                        |row| row.hash(0),
                    )
                    .await?
                    .unwrap_or(chain::GENESIS);
                conn.query(
                    "SELECT e.position, l.kind, l.owner, l.community_id, e.seq, e.kind, e.actor,
                       e.at, e.data, e.salt, e.commitment, e.hash
                     FROM entries e JOIN logs l ON l.id = e.log
                     WHERE e.log = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3",
                    params![id, after, limit],
                    |row| {
                        let raw = RawEntry::read(row)?;
                        let hash = row.hash(11)?;
                        Ok(StoredEntry {
                            position: raw.position,
                            log: raw.log,
                            seq: raw.seq,
                            community: raw.community,
                            actor: raw.actor,
                            at: raw.at,
                            kind: raw.kind,
                            data: raw.data.map(Bytes::from).zip(row.opt_hash(9)?),
                            commitment: row.hash(10)?,
                            prev: std::mem::replace(&mut prev, hash),
                            hash,
                        })
                    },
                )
                .await
            })
        })
        .await
    }

    async fn visible(
        &self,
        user: UserId,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<VisiblePage, StorageError> {
        self.read(move |conn| {
            Box::pin(async move { visible(conn, user, after, up_to, limit).await })
        })
        .await
    }

    async fn logs_of(&self, user: UserId) -> Result<UserLogs, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                // One statement, because place and logs must be of one moment on PostgreSQL too.
                let sql = "SELECT p.position, l.kind, l.owner FROM log_position p
                           LEFT JOIN memberships m ON m.user_id = ?1 AND m.left_position = 0
                           LEFT JOIN logs l ON l.id = m.log WHERE p.id = 1";
                let mut at = Position(0);
                let joined = conn
                    .query(sql, params![user], |row| {
                        at = Position(row.count(0)?);
                        let owner = row.opt_id(2)?;
                        owner.map(|owner| log_id(&row.text(1)?, owner)).transpose()
                    })
                    .await?;
                let logs = joined.into_iter().flatten().chain([LogId::User(user)]).collect();
                Ok(UserLogs { logs, at })
            })
        })
        .await
    }
}

async fn visible(
    conn: &mut Conn,
    user: UserId,
    after: Position,
    up_to: Position,
    limit: usize,
) -> Result<VisiblePage, StorageError> {
    let head = conn
        .query_first("SELECT position FROM log_position WHERE id = 1", params![], |row| {
            row.count(0)
        })
        .await?
        .unwrap_or(0);
    let end = up_to.0.min(head);
    if after.0 >= end {
        return Ok(VisiblePage { events: Vec::new(), reached: after, has_more: false });
    }
    let own = conn
        .query_first("SELECT id FROM logs WHERE owner = ?1 AND kind = 'u'", params![user], |row| {
            row.int(0)
        })
        .await?
        .unwrap_or(0);
    let scanned = end.min(after.0.saturating_add(SCAN));
    let mut kinds: Vec<Arc<str>> = Vec::new();
    // The log is walked in its own order, and each entry asks for its reader's membership: cheap
    // for one reader among many, and bounded by SCAN for everybody.
    let events = conn
        .query(
            "SELECT e.position, l.kind, l.owner, l.community_id, e.seq, e.kind, e.actor, e.at, e.data
             FROM entries e CROSS JOIN logs l
             LEFT JOIN memberships m ON m.user_id = ?1 AND m.log = e.log
             WHERE l.id = e.log AND e.position > ?2 AND e.position <= ?3
               AND (e.log = ?4
                 OR (m.left_position = 0 AND m.joined_position <= e.position)
                 OR m.left_position = e.position)
             ORDER BY e.position LIMIT ?5",
            params![user, after, scanned, own, limit],
            |row| {
                let raw = RawEntry::read(row)?;
                let known = kinds.iter().find(|kind| ***kind == *raw.kind);
                let kind = known.map_or_else(|| Arc::from(&*raw.kind), Arc::clone);
                if known.is_none() {
                    kinds.push(Arc::clone(&kind));
                }
                Ok(VisibleEvent { position: raw.position, kind, event: raw.event() })
            },
        )
        .await?;
    let full = events.len() >= limit;
    let reached = match events.last() {
        Some(last) if full => last.position,
        _ => Position(scanned),
    };
    Ok(VisiblePage { events, reached, has_more: reached.0 < end })
}

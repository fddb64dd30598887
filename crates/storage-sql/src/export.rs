//! What belongs to one community, channel or person, read in one state while a server writes.

mod records;

use bytes::Bytes;
use tidings_domain::{ChannelId, CommunityId, LogId, MediaId, Position, Seq, Timestamp, UserId};
use tidings_storage::{StorageError, StoredEntry};
use uuid::Uuid;

use crate::backup;
use crate::conn::{Conn, Row, SqliteConn, params};
use crate::read::entry::log_id;
use crate::store::{self, OpenError, Options};
use crate::writer::log_columns;

pub use records::Found;

/// One state of the database, until it is dropped. Nobody who reads or writes meanwhile waits.
pub struct Snapshot {
    conn: Conn,
    head: Position,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("head", &self.head).finish_non_exhaustive()
    }
}

/// A community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Its id.
    pub id: CommunityId,
    /// What it is called.
    pub name: String,
}

/// A channel, or direct messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// What it is called; empty for direct messages.
    pub name: String,
    /// Whether only its members may know of it.
    pub private: bool,
}

/// A log as it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    row: i64,
    /// Its id.
    pub id: LogId,
    /// How many entries it has.
    pub entries: u64,
    /// The hash of the newest.
    pub head: [u8; 32],
}

/// Where a page of one person's entries goes on; begin with the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    log: i64,
    seq: i64,
}

/// A file that somebody uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// What its uploader called it.
    pub filename: String,
    /// What its bytes are.
    pub content_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: [u8; 32],
    /// The name of the blob that holds them; empty when there is none.
    pub blob: String,
}

impl Media {
    fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        Ok(Self {
            id: MediaId(row.id(0)?),
            filename: row.text(1)?,
            content_type: row.text(2)?,
            size: row.count(3)?,
            sha256: row.hash(4)?,
            blob: row.text(5)?,
        })
    }
}

impl Snapshot {
    /// Opens the database and holds the state that it has now.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let mut conn = if let Some(path) = options.sqlite_file() {
            Conn::Sqlite(SqliteConn::reader(&path)?)
        } else {
            store::postgres_conn(&store::postgres_pool(options)?).await?
        };
        conn.batch(if conn.is_postgres() {
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        } else {
            "BEGIN"
        })
        .await?;
        let head = backup::number(&mut conn, "SELECT position FROM log_position").await?;
        Ok(Self { conn, head: Position(head) })
    }

    /// The position up to which it has everything.
    pub const fn head(&self) -> Position {
        self.head
    }

    /// The community with this slug or id.
    pub async fn community(&mut self, name: &str) -> Result<Option<Community>, StorageError> {
        let id = name.parse().unwrap_or(Uuid::nil());
        self.conn
            .query_first(
                "SELECT id, name FROM communities WHERE slug = ?1 OR id = ?2",
                params![name, id],
                |row| Ok(Community { id: CommunityId(row.id(0)?), name: row.text(1)? }),
            )
            .await
    }

    /// The channels of a community, by id.
    pub async fn channels(&mut self, of: CommunityId) -> Result<Vec<Channel>, StorageError> {
        self.conn
            .query(
                "SELECT id, name, visibility, community_id FROM channels
                 WHERE community_id = ?1 ORDER BY id",
                params![of],
                channel,
            )
            .await
    }

    /// The channel, or the direct messages, with this id.
    pub async fn channel(&mut self, id: ChannelId) -> Result<Option<Channel>, StorageError> {
        self.conn
            .query_first(
                "SELECT id, name, visibility, community_id FROM channels WHERE id = ?1",
                params![id],
                channel,
            )
            .await
    }

    /// The account with this name or id.
    pub async fn user(&mut self, name: &str) -> Result<Option<(UserId, String)>, StorageError> {
        let id = name.parse().unwrap_or(Uuid::nil());
        self.conn
            .query_first(
                "SELECT id, username FROM users WHERE username = ?1 OR id = ?2",
                params![name, id],
                |row| Ok((UserId(row.id(0)?), row.text(1)?)),
            )
            .await
    }

    /// A log; `None` when nothing was ever written to it.
    pub async fn log(&mut self, id: LogId) -> Result<Option<Log>, StorageError> {
        let (kind, owner) = log_columns(id);
        self.conn
            .query_first(
                "SELECT id, head_seq, head_hash FROM logs WHERE owner = ?1 AND kind = ?2",
                params![owner, kind],
                |row| {
                    let (row, entries, head) = (row.int(0)?, row.count(1)?, row.hash(2)?);
                    Ok(Log { row, id, entries, head })
                },
            )
            .await
    }

    /// Entries of a log after a place, ascending.
    pub async fn entries(
        &mut self,
        log: &Log,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StorageError> {
        self.conn
            .query(
                "SELECT e.position, l.kind, l.owner, l.community_id, e.seq, e.kind, e.actor, e.at,
                   e.data, e.salt, e.commitment, e.hash, p.hash, e.log
                 FROM entries e JOIN logs l ON l.id = e.log
                 LEFT JOIN entries p ON p.log = e.log AND p.seq = e.seq - 1
                 WHERE e.log = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3",
                params![log.row, after, limit],
                entry,
            )
            .await
    }

    /// What one person did in logs that are not their own, log by log, and where to go on.
    pub async fn entries_by(
        &mut self,
        user: UserId,
        from: Place,
        limit: usize,
    ) -> Result<(Vec<StoredEntry>, Place), StorageError> {
        let mut reached = from;
        let entries = self
            .conn
            .query(
                "SELECT e.position, l.kind, l.owner, l.community_id, e.seq, e.kind, e.actor, e.at,
                   e.data, e.salt, e.commitment, e.hash, p.hash, e.log
                 FROM entries e JOIN logs l ON l.id = e.log
                 LEFT JOIN entries p ON p.log = e.log AND p.seq = e.seq - 1
                 WHERE e.actor = ?1 AND (e.log, e.seq) > (?2, ?3)
                   AND NOT (l.kind = 'u' AND l.owner = ?1)
                 ORDER BY e.log, e.seq LIMIT ?4",
                params![user, from.log, from.seq, limit],
                |row| {
                    reached = Place { log: row.int(13)?, seq: row.int(4)? };
                    entry(row)
                },
            )
            .await?;
        Ok((entries, reached))
    }

    /// The files that the messages of a log carry now, by id.
    pub async fn media_of(&mut self, log: &Log) -> Result<Vec<Media>, StorageError> {
        self.conn
            .query(
                "SELECT DISTINCT m.id, m.filename, m.content_type, m.size, m.sha256,
                   coalesce(b.name, '') AS blob
                 FROM messages g JOIN attachments a ON a.message_id = g.id
                 JOIN media m ON m.id = a.media_id LEFT JOIN blobs b ON b.sha256 = m.sha256
                 WHERE g.log = ?1 ORDER BY m.id",
                params![log.row],
                Media::read,
            )
            .await
    }

    /// The files that a person uploaded, by id.
    pub async fn media_by(&mut self, user: UserId) -> Result<Vec<Media>, StorageError> {
        self.conn
            .query(
                "SELECT m.id, m.filename, m.content_type, m.size, m.sha256, coalesce(b.name, '')
                 FROM media m LEFT JOIN blobs b ON b.sha256 = m.sha256
                 WHERE m.uploader = ?1 ORDER BY m.id",
                params![user],
                Media::read,
            )
            .await
    }

    /// The rows of all tables that are about a person, without what is secret; see
    /// docs/schema/export.md.
    pub async fn records(&mut self, user: UserId) -> Result<Vec<Found>, StorageError> {
        records::of(&mut self.conn, user).await
    }
}

fn channel(row: &Row<'_>) -> Result<Channel, StorageError> {
    let private = row.text(2)? != "public" || row.id(3)?.is_nil();
    Ok(Channel { id: ChannelId(row.id(0)?), name: row.text(1)?, private })
}

fn entry(row: &Row<'_>) -> Result<StoredEntry, StorageError> {
    let community = CommunityId(row.id(3)?);
    Ok(StoredEntry {
        position: Position(row.count(0)?),
        log: log_id(&row.text(1)?, row.id(2)?)?,
        seq: Seq(row.count(4)?),
        community: (community != CommunityId::NIL).then_some(community),
        actor: UserId(row.id(6)?),
        at: Timestamp(row.int(7)?),
        kind: row.text(5)?,
        data: row.opt_bytes(8)?.map(Bytes::from).zip(row.opt_hash(9)?),
        commitment: row.hash(10)?,
        prev: row.opt_hash(12)?.unwrap_or(tidings_wire::chain::GENESIS),
        hash: row.hash(11)?,
    })
}

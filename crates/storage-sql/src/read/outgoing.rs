//! Outgoing webhooks.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, Position, Timestamp, UserId, WebhookId};
use tidings_storage::outgoing::{Happening, Happenings, StoredAttempt, StoredOutgoing};
use tidings_storage::{CommittedEntry, OutgoingRepository, StorageError};

use super::entry::{committed_range, log_id};
use crate::conn::{Conn, Row, params};
use crate::store::SqlStore;

/// Entries that one look at the log passes over at most: about ten milliseconds of work.
const SCAN: u64 = 10_000;

macro_rules! select_outgoing {
    ($rest:literal) => {
        concat!(
            "SELECT id, community_id, channel_id, name, url, events, generation, rotated_at,
               revision, position, succeeded_at, disabled_at, disabled_why, created_by, created_at
             FROM outgoing ",
            $rest
        )
    };
}

fn outgoing(row: &Row<'_>) -> Result<StoredOutgoing, StorageError> {
    let channel = ChannelId(row.id(2)?);
    let why = row.text(12)?;
    Ok(StoredOutgoing {
        id: WebhookId(row.id(0)?),
        community_id: CommunityId(row.id(1)?),
        channel_id: (channel != ChannelId::NIL).then_some(channel),
        name: row.text(3)?,
        url: row.text(4)?,
        events: row.text(5)?.split_whitespace().map(str::to_owned).collect(),
        generation: row.count32(6)?,
        rotated_at: row.opt_int(7)?.map(Timestamp),
        revision: row.count32(8)?,
        position: Position(row.count(9)?),
        succeeded_at: row.opt_int(10)?.map(Timestamp),
        disabled: row.opt_int(11)?.map(|at| (Timestamp(at), why)),
        created_by: UserId(row.id(13)?),
        created_at: Timestamp(row.int(14)?),
    })
}

#[async_trait]
impl OutgoingRepository for SqlStore {
    async fn outgoing(&self, id: WebhookId) -> Result<Option<StoredOutgoing>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                conn.query_first(select_outgoing!("WHERE id = ?1"), params![id], outgoing).await
            })
        })
        .await
    }

    async fn outgoing_of(
        &self,
        community: CommunityId,
        channel: Option<ChannelId>,
    ) -> Result<Vec<StoredOutgoing>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_outgoing!(
                    "WHERE community_id = ?1 AND channel_id = ?2 ORDER BY id LIMIT 1000"
                );
                let channel = channel.unwrap_or(ChannelId::NIL);
                conn.query(sql, params![community, channel], outgoing).await
            })
        })
        .await
    }

    async fn outgoing_active(&self) -> Result<Vec<StoredOutgoing>, StorageError> {
        self.read(|conn| {
            Box::pin(async move {
                let sql = select_outgoing!("WHERE disabled_at IS NULL ORDER BY id");
                conn.query(sql, params![], outgoing).await
            })
        })
        .await
    }

    async fn outgoing_attempts(&self, id: WebhookId) -> Result<Vec<StoredAttempt>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT message, attempt, event, at, status, error, next_at
                           FROM outgoing_attempts WHERE webhook_id = ?1
                           ORDER BY at DESC, message DESC, attempt DESC";
                conn.query(sql, params![id], |row| {
                    Ok(StoredAttempt {
                        webhook_id: id,
                        message: row.text(0)?,
                        attempt: row.count32(1)?,
                        event: row.text(2)?,
                        at: Timestamp(row.int(3)?),
                        status: row.opt_int(4)?.and_then(|status| u16::try_from(status).ok()),
                        error: row.text(5)?,
                        next_at: row.opt_int(6)?.map(Timestamp),
                    })
                })
                .await
            })
        })
        .await
    }

    async fn happenings(
        &self,
        community: CommunityId,
        after: Position,
        limit: usize,
    ) -> Result<Happenings, StorageError> {
        self.read(move |conn| {
            Box::pin(async move { happenings(conn, community, after, limit).await })
        })
        .await
    }

    async fn entry_at(&self, position: Position) -> Result<Option<CommittedEntry>, StorageError> {
        let Some(before) = position.0.checked_sub(1) else { return Ok(None) };
        self.read(move |conn| {
            Box::pin(async move {
                Ok(committed_range(conn, before, position.0).await?.into_iter().next())
            })
        })
        .await
    }
}

async fn happenings(
    conn: &mut Conn,
    community: CommunityId,
    after: Position,
    limit: usize,
) -> Result<Happenings, StorageError> {
    let head = conn
        .query_first("SELECT position FROM log_position WHERE id = 1", params![], |row| {
            row.count(0)
        })
        .await?
        .unwrap_or(0);
    if after.0 >= head {
        return Ok(Happenings { items: Vec::new(), reached: after, at_head: true });
    }
    let scanned = head.min(after.0.saturating_add(SCAN));
    // The log is walked in its own order: what is new is a short stretch at its end.
    let items = conn
        .query(
            "SELECT e.position, l.kind, l.owner, e.kind FROM entries e CROSS JOIN logs l
             WHERE l.id = e.log AND l.community_id = ?1 AND e.position > ?2 AND e.position <= ?3
             ORDER BY e.position LIMIT ?4",
            params![community, after, scanned, limit],
            |row| {
                Ok(Happening {
                    position: Position(row.count(0)?),
                    log: log_id(&row.text(1)?, row.id(2)?)?,
                    kind: row.text(3)?,
                })
            },
        )
        .await?;
    let reached = match items.last() {
        Some(last) if items.len() >= limit => last.position,
        _ => Position(scanned),
    };
    Ok(Happenings { items, reached, at_head: reached.0 >= head })
}

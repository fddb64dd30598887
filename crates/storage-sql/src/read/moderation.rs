//! Bans, mutes, the audit log, and selections of messages.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, MessageId, RestrictionKind, Timestamp, UserId};
use tidings_storage::moderation::{Selection, StoredAudit, StoredRestriction};
use tidings_storage::{ModerationRepository, StorageError};
use uuid::Uuid;

use crate::conn::{Params, Row, params};
use crate::error::word;
use crate::store::SqlStore;

fn restriction(row: &Row<'_>) -> Result<StoredRestriction, StorageError> {
    Ok(StoredRestriction {
        community: CommunityId(row.id(0)?),
        kind: row.text(1)?.parse().map_err(word("restrictions.kind"))?,
        user: UserId(row.id(2)?),
        until: row.opt_int(3)?.map(Timestamp),
        reason: row.text(4)?,
        actor: UserId(row.id(5)?),
        at: Timestamp(row.int(6)?),
    })
}

fn act(row: &Row<'_>) -> Result<StoredAudit, StorageError> {
    Ok(StoredAudit {
        community: CommunityId(row.id(0)?),
        id: row.id(1)?,
        private: ChannelId(row.id(2)?),
        actor: UserId(row.id(3)?),
        at: Timestamp(row.int(4)?),
        action: row.text(5)?,
        target_kind: row.text(6)?,
        target: row.id(7)?,
        target_name: row.text(8)?,
        detail: row.text(9)?,
        address: row.text(10)?,
    })
}

// The nil author stands for any; times reach from the smallest to the largest number when open.
fn selected(channel: ChannelId, selection: Selection, limit: usize) -> Params {
    let Selection { author, since, before } = selection;
    params![
        channel,
        author.unwrap_or(UserId::NIL),
        since.map_or(i64::MIN, |at| at.0),
        before.map_or(i64::MAX, |at| at.0),
        limit,
        UserId::NIL
    ]
}

impl SqlStore {
    async fn message_ids(
        &self,
        sql: &'static str,
        params: Params,
    ) -> Result<Vec<MessageId>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move { conn.query(sql, params, |row| row.id(0).map(MessageId)).await })
        })
        .await
    }
}

#[async_trait]
impl ModerationRepository for SqlStore {
    async fn restriction(
        &self,
        kind: RestrictionKind,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<StoredRestriction>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT community_id, kind, user_id, ends_at, reason, actor, at
                           FROM restrictions
                           WHERE community_id = ?1 AND kind = ?2 AND user_id = ?3";
                conn.query_first(sql, params![community, kind.as_str(), user], restriction).await
            })
        })
        .await
    }

    async fn restrictions(
        &self,
        kind: RestrictionKind,
        community: CommunityId,
        now: Timestamp,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<StoredRestriction>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT community_id, kind, user_id, ends_at, reason, actor, at
                           FROM restrictions
                           WHERE community_id = ?1 AND kind = ?2 AND user_id > ?3
                             AND (ends_at IS NULL OR ends_at > ?4)
                           ORDER BY user_id LIMIT ?5";
                let params = params![community, kind.as_str(), after, now, limit];
                conn.query(sql, params, restriction).await
            })
        })
        .await
    }

    async fn was_member(&self, community: CommunityId, user: UserId) -> Result<bool, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM logs l JOIN memberships m ON m.log = l.id
                           WHERE l.owner = ?1 AND l.kind = 'g' AND m.user_id = ?2";
                Ok(conn.query_first(sql, params![community, user], |_| Ok(())).await?.is_some())
            })
        })
        .await
    }

    async fn audit(
        &self,
        community: CommunityId,
        reader: UserId,
        before: Uuid,
        limit: usize,
    ) -> Result<Vec<StoredAudit>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT a.community_id, a.id, a.private, a.actor, a.at, a.action,
                             a.target_kind, a.target, a.target_name, a.detail, a.address
                           FROM audit a
                           WHERE a.community_id = ?1 AND a.id < ?2
                             AND (a.private = ?3 OR EXISTS (SELECT 1 FROM channels c
                               JOIN memberships m ON m.log = c.log
                               WHERE c.id = a.private AND m.user_id = ?4
                                 AND m.left_position = 0))
                           ORDER BY a.id DESC LIMIT ?5";
                let params = params![community, before, ChannelId::NIL, reader, limit];
                conn.query(sql, params, act).await
            })
        })
        .await
    }

    async fn newest_messages(
        &self,
        channel: ChannelId,
        selection: Selection,
        limit: usize,
    ) -> Result<Vec<MessageId>, StorageError> {
        let sql = "SELECT m.id FROM channels c JOIN messages m ON m.log = c.log
                   WHERE c.id = ?1 AND NOT m.deleted AND (m.author = ?2 OR ?2 = ?6)
                     AND m.created_at >= ?3 AND m.created_at < ?4
                   ORDER BY m.seq DESC LIMIT ?5";
        self.message_ids(sql, selected(channel, selection, limit)).await
    }

    async fn oldest_messages(
        &self,
        channel: ChannelId,
        selection: Selection,
        limit: usize,
    ) -> Result<Vec<MessageId>, StorageError> {
        let sql = "SELECT m.id FROM channels c JOIN messages m ON m.log = c.log
                   WHERE c.id = ?1 AND NOT m.deleted AND (m.author = ?2 OR ?2 = ?6)
                     AND m.created_at >= ?3 AND m.created_at < ?4
                   ORDER BY m.seq LIMIT ?5";
        self.message_ids(sql, selected(channel, selection, limit)).await
    }

    async fn channels_with_retention(&self) -> Result<Vec<(ChannelId, u64)>, StorageError> {
        self.read(|conn| {
            Box::pin(async move {
                let sql = "SELECT id, retention_s FROM channels WHERE retention_s > 0 ORDER BY id";
                let read = |row: &Row<'_>| Ok((ChannelId(row.id(0)?), row.count(1)?));
                conn.query(sql, params![], read).await
            })
        })
        .await
    }
}

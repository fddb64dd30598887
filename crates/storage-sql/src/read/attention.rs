//! Notifications, and what people chose to be told.

use async_trait::async_trait;
use tidings_domain::{
    Attention, ChannelId, ChannelNotice, CommunityId, MessageId, Notification, NotificationId,
    Quiet, QuietHours, Timestamp, UserId,
};
use tidings_storage::attention::{Listener, StoredNotification};
use tidings_storage::{AttentionRepository, StorageError};

use crate::conn::{Row, corrupt, params};
use crate::error::word;
use crate::store::SqlStore;

/// What somebody chose for a channel, of two columns beginning with one: the level, empty where they
/// chose nothing, and until when it is muted.
pub(super) fn notice(row: &Row<'_>, column: usize) -> Result<Option<ChannelNotice>, StorageError> {
    let level = row.text(column)?;
    if level.is_empty() {
        return Ok(None);
    }
    let level = level.parse().map_err(word("channel_notices.level"))?;
    let muted_until = row.opt_int(column + 1)?.filter(|until| *until >= 0).map(Timestamp);
    Ok(Some(ChannelNotice { level, muted_until }))
}

/// When not to disturb, of four columns beginning with one.
fn quiet(row: &Row<'_>, column: usize) -> Result<Quiet, StorageError> {
    let until = row.opt_int(column)?.filter(|until| *until >= 0).map(Timestamp);
    let from = row.opt_int(column + 1)?.filter(|from| *from >= 0);
    let hours = match from {
        Some(from) => {
            let small = |value: i64| u16::try_from(value).map_err(|e| corrupt("attention", &e));
            let utc_offset =
                i16::try_from(row.int(column + 3)?).map_err(|e| corrupt("attention", &e))?;
            Some(QuietHours { from: small(from)?, to: small(row.int(column + 2)?)?, utc_offset })
        }
        None => None,
    };
    Ok(Quiet { until, hours })
}

/// Whether a notification `$id` of user ?1 has been seen; `x` is its message, `m` the membership in
/// its channel and `t` the marker of its thread.
macro_rules! seen {
    ($id:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM notification_reads r WHERE r.user_id = ?1 AND r.id = ",
            $id,
            ") OR (x.id IS NOT NULL AND ((x.timeline AND x.seq <= m.read_seq)
                OR (x.reply AND x.seq <= COALESCE(t.read_seq, m.read_seq)))))"
        )
    };
}

macro_rules! from_own {
    ($rest:literal) => {
        concat!(
            "FROM notifications n LEFT JOIN messages x ON x.id = n.message
             LEFT JOIN memberships m ON m.user_id = ?1 AND m.log = x.log AND m.left_position = 0
             LEFT JOIN thread_markers t ON t.user_id = ?1 AND t.root = x.parent
             WHERE n.user_id = ?1 AND (n.message = ?2
               OR (NOT x.deleted AND m.joined_position < n.position))
               AND NOT EXISTS (SELECT 1 FROM blocks b
                 WHERE b.user_id = ?1 AND b.blocked_id = n.actor) ",
            $rest
        )
    };
}

macro_rules! from_calls {
    ($rest:literal) => {
        concat!(
            "FROM memberships m JOIN calls k ON k.log = m.log JOIN channels c ON c.log = m.log
             JOIN messages x ON x.id = k.message
             LEFT JOIN thread_markers t ON t.user_id = ?1 AND t.root = x.parent
             LEFT JOIN channel_notices s ON s.user_id = ?1 AND s.log = m.log
             WHERE m.user_id = ?1 AND m.left_position = 0 AND k.position > m.joined_position
               AND k.author <> ?1 AND (s.level IS NULL OR (s.level <> 'nothing'
                 AND s.muted_until <= k.at))
               AND NOT EXISTS (SELECT 1 FROM notifications o
                 WHERE o.user_id = ?1 AND o.id = k.message)
               AND NOT EXISTS (SELECT 1 FROM blocks b
                 WHERE b.user_id = ?1 AND b.blocked_id = k.author) ",
            $rest
        )
    };
}

const OWN: &str = concat!(
    "SELECT n.id, n.kind, n.community, n.channel, n.message, n.parent, n.actor, n.quiet, n.at, ",
    seen!("n.id"),
    from_own!(" AND n.id < ?3 ORDER BY n.id DESC LIMIT ?4")
);
const OWN_UNREAD: &str = concat!(
    "SELECT n.id, n.kind, n.community, n.channel, n.message, n.parent, n.actor, n.quiet, n.at, FALSE ",
    from_own!(" AND n.id < ?3 AND NOT "),
    seen!("n.id"),
    " ORDER BY n.id DESC LIMIT ?4"
);
const CALLS: &str = concat!(
    "SELECT k.message, 'mention', c.community_id, c.id, k.message, x.parent, k.author, FALSE, k.at, ",
    seen!("k.message"),
    from_calls!(" AND k.message < ?2 ORDER BY k.message DESC LIMIT ?3")
);
const CALLS_UNREAD: &str = concat!(
    "SELECT k.message, 'mention', c.community_id, c.id, k.message, x.parent, k.author, FALSE, k.at,
       FALSE ",
    from_calls!(" AND k.message < ?2 AND NOT "),
    seen!("k.message"),
    " ORDER BY k.message DESC LIMIT ?3"
);
const COUNT_OWN: &str = concat!("SELECT COUNT(*) ", from_own!(" AND NOT "), seen!("n.id"));
const COUNT_CALLS: &str = concat!("SELECT COUNT(*) ", from_calls!(" AND NOT "), seen!("k.message"));

fn notification(row: &Row<'_>) -> Result<StoredNotification, StorageError> {
    let some = |id: uuid::Uuid| if id.is_nil() { None } else { Some(id) };
    let notification = Notification {
        id: NotificationId(row.id(0)?),
        kind: row.text(1)?.parse().map_err(word("notifications.kind"))?,
        community_id: some(row.id(2)?).map(CommunityId),
        channel_id: some(row.id(3)?).map(ChannelId),
        message_id: some(row.id(4)?).map(MessageId),
        parent_id: some(row.id(5)?).map(MessageId),
        actor: UserId(row.id(6)?),
        quiet: row.bool(7)?,
        created_at: Timestamp(row.int(8)?),
    };
    Ok(StoredNotification { notification, read: row.bool(9)? })
}

#[async_trait]
impl AttentionRepository for SqlStore {
    async fn notifications(
        &self,
        user: UserId,
        unread: bool,
        before: NotificationId,
        limit: usize,
    ) -> Result<Vec<StoredNotification>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let (own, calls) = if unread { (OWN_UNREAD, CALLS_UNREAD) } else { (OWN, CALLS) };
                let of_own = params![user, MessageId::NIL, before, limit];
                let mut found = conn.query(own, of_own, notification).await?;
                let of_calls = params![user, before, limit];
                found.append(&mut conn.query(calls, of_calls, notification).await?);
                found.sort_unstable_by_key(|it| std::cmp::Reverse(it.notification.id));
                found.truncate(limit);
                Ok(found)
            })
        })
        .await
    }

    async fn unread_notifications(&self, user: UserId) -> Result<u64, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let count = |row: &Row<'_>| row.count(0);
                let own = params![user, MessageId::NIL];
                let own = conn.query_first(COUNT_OWN, own, count).await?;
                let calls = conn.query_first(COUNT_CALLS, params![user], count).await?;
                Ok(own.unwrap_or(0) + calls.unwrap_or(0))
            })
        })
        .await
    }

    async fn attention(&self, user: UserId) -> Result<Attention, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT quiet_until, quiet_from, quiet_to, utc_offset, hide_typing
                           FROM attention WHERE user_id = ?1";
                let chosen = |row: &Row<'_>| Ok((quiet(row, 0)?, row.bool(4)?));
                let chosen = conn.query_first(sql, params![user], chosen).await?;
                let (quiet, hide_typing) = chosen.unwrap_or_default();
                let sql = "SELECT phrase FROM keywords WHERE user_id = ?1 ORDER BY phrase";
                let keywords = conn.query(sql, params![user], |row| row.text(0)).await?;
                Ok(Attention { keywords, quiet, hide_typing })
            })
        })
        .await
    }

    async fn listeners(
        &self,
        channel: ChannelId,
        speaker: UserId,
        users: &[UserId],
    ) -> Result<Vec<Listener>, StorageError> {
        let mut users = users.to_vec();
        users.sort_unstable();
        users.dedup();
        let rows = users.into_iter().map(|user| params![channel, user, speaker]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                conn.query_all_each(
                    "SELECT m.user_id, COALESCE(s.level, ''), s.muted_until, a.quiet_until,
                       a.quiet_from, a.quiet_to, a.utc_offset
                     FROM channels c JOIN memberships m ON m.log = c.log AND m.left_position = 0
                     LEFT JOIN channel_notices s ON s.user_id = m.user_id AND s.log = m.log
                     LEFT JOIN attention a ON a.user_id = m.user_id
                     WHERE c.id = ?1 AND m.user_id = ?2 AND NOT EXISTS (SELECT 1 FROM blocks b
                       WHERE b.user_id = m.user_id AND b.blocked_id = ?3)",
                    rows,
                    |row| {
                        Ok(Listener {
                            user: UserId(row.id(0)?),
                            notice: notice(row, 1)?,
                            quiet: quiet(row, 3)?,
                        })
                    },
                )
                .await
            })
        })
        .await
    }

    async fn keywords(&self) -> Result<Vec<String>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT DISTINCT phrase FROM keywords";
                conn.query(sql, params![], |row| row.text(0)).await
            })
        })
        .await
    }

    async fn keyword_listeners(
        &self,
        channel: ChannelId,
        keywords: &[String],
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        let rows = keywords.iter().map(|phrase| params![channel, phrase, limit]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let mut found = conn
                    .query_all_each(
                        "SELECT k.user_id FROM channels c JOIN keywords k ON k.phrase = ?2
                         JOIN memberships m ON m.user_id = k.user_id AND m.log = c.log
                           AND m.left_position = 0
                         WHERE c.id = ?1 ORDER BY k.user_id LIMIT ?3",
                        rows,
                        |row| row.id(0).map(UserId),
                    )
                    .await?;
                found.sort_unstable();
                found.dedup();
                found.truncate(limit);
                Ok(found)
            })
        })
        .await
    }

    async fn thread_followers(
        &self,
        root: MessageId,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT user_id FROM thread_markers WHERE root = ?1
                           UNION SELECT author FROM messages WHERE id = ?1
                           ORDER BY 1 LIMIT ?2";
                conn.query(sql, params![root, limit], |row| row.id(0).map(UserId)).await
            })
        })
        .await
    }
}

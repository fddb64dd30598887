//! What calls for attention, as rows.

use tidings_domain::{
    Attention, ChannelId, ChannelNotice, Fact, LogId, MessageId, Notification, UserId,
};
use tidings_storage::StorageError;

use super::batch::Batch;
use super::projection::Seen;
use crate::conn::{Conn, Params, params};

/// The row of one user's notification.
pub(super) fn row(user: UserId, seen: &Seen, notification: &Notification) -> Params {
    let Notification { community_id, channel_id, message_id, parent_id, .. } = notification;
    params![
        user,
        notification.id,
        seen.place.position,
        notification.kind.as_str(),
        community_id.unwrap_or(tidings_domain::CommunityId::NIL),
        channel_id.unwrap_or(ChannelId::NIL),
        message_id.unwrap_or(MessageId::NIL),
        parent_id.unwrap_or(MessageId::NIL),
        notification.actor,
        notification.quiet,
        notification.created_at
    ]
}

/// Writes gathered rows: notifications of users, and calls to everybody.
pub(super) async fn insert(
    conn: &mut Conn,
    notifications: Vec<Params>,
    calls: Vec<Params>,
) -> Result<(), StorageError> {
    if !notifications.is_empty() {
        conn.execute_each(
            "INSERT INTO notifications (user_id, id, position, kind, community, channel, message,
               parent, actor, quiet, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (user_id, id) DO NOTHING",
            notifications,
        )
        .await?;
    }
    if !calls.is_empty() {
        conn.execute_each(
            "INSERT INTO calls (log, message, position, author, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            calls,
        )
        .await?;
    }
    Ok(())
}

/// Carries out a fact about attention; every other fact is none of its business.
pub(super) async fn project(
    batch: &mut Batch<'_>,
    seen: &Seen,
    fact: &Fact,
) -> Result<(), StorageError> {
    match (fact, seen.log) {
        (Fact::NotificationCreated(notification), LogId::User(user)) => {
            batch.messages.notifications.push(row(user, seen, notification));
            Ok(())
        }
        (Fact::NotificationRead { ids }, LogId::User(user)) => {
            let sql = "INSERT INTO notification_reads (user_id, id) VALUES (?1, ?2)
                       ON CONFLICT (user_id, id) DO NOTHING";
            let rows = ids.iter().map(|id| params![user, *id]).collect();
            batch.conn.execute_each(sql, rows).await
        }
        (Fact::NotifyUpdated { channel_id, notice }, LogId::User(user)) => {
            choose(batch, user, *channel_id, notice).await
        }
        (Fact::AttentionUpdated(attention), LogId::User(user)) => {
            replace(batch.conn, user, attention).await
        }
        (Fact::PinAdded(pin), LogId::Conversation(_)) => {
            batch.flush().await?;
            let sql = "UPDATE messages SET pinned = ?2 WHERE id = ?1 AND NOT deleted";
            let params = params![pin.message_id, seen.place.position];
            batch.conn.execute(sql, params).await.map(drop)
        }
        (Fact::PinRemoved(pin), LogId::Conversation(_)) => {
            batch.flush().await?;
            let sql = "UPDATE messages SET pinned = 0 WHERE id = ?1";
            batch.conn.execute(sql, params![pin.message_id]).await.map(drop)
        }
        (Fact::MessageSaved { message_id, .. }, LogId::User(user)) => {
            let sql = "INSERT INTO saved (user_id, message) VALUES (?1, ?2)
                       ON CONFLICT (user_id, message) DO NOTHING";
            batch.conn.execute(sql, params![user, *message_id]).await.map(drop)
        }
        (Fact::MessageUnsaved { message_id, .. }, LogId::User(user)) => {
            let sql = "DELETE FROM saved WHERE user_id = ?1 AND message = ?2";
            batch.conn.execute(sql, params![user, *message_id]).await.map(drop)
        }
        _ => Ok(()),
    }
}

async fn choose(
    batch: &mut Batch<'_>,
    user: UserId,
    channel: ChannelId,
    notice: &ChannelNotice,
) -> Result<(), StorageError> {
    let log = batch.head(LogId::Conversation(channel), None).await?.id;
    let until = notice.muted_until.map_or(-1, |until| until.0);
    batch
        .conn
        .execute(
            "INSERT INTO channel_notices (user_id, log, level, muted_until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user_id, log) DO UPDATE SET level = excluded.level,
               muted_until = excluded.muted_until",
            params![user, log, notice.level.as_str(), until],
        )
        .await
        .map(drop)
}

async fn replace(conn: &mut Conn, user: UserId, chosen: &Attention) -> Result<(), StorageError> {
    let quiet = chosen.quiet;
    let hours = quiet
        .hours
        .map_or((-1, -1, 0), |it| (i64::from(it.from), i64::from(it.to), i64::from(it.utc_offset)));
    conn.execute(
        "INSERT INTO attention (user_id, quiet_until, quiet_from, quiet_to, utc_offset,
           hide_typing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (user_id) DO UPDATE SET quiet_until = excluded.quiet_until,
           quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to,
           utc_offset = excluded.utc_offset, hide_typing = excluded.hide_typing",
        params![
            user,
            quiet.until.map_or(-1, |until| until.0),
            hours.0,
            hours.1,
            hours.2,
            chosen.hide_typing
        ],
    )
    .await?;
    conn.execute("DELETE FROM keywords WHERE user_id = ?1", params![user]).await?;
    let rows = chosen.keywords.iter().map(|phrase| params![phrase, user]).collect();
    let sql = "INSERT INTO keywords (phrase, user_id) VALUES (?1, ?2)
               ON CONFLICT (phrase, user_id) DO NOTHING";
    conn.execute_each(sql, rows).await
}

//! Jobs, webhooks that tell others, and the switches of previews.

use tidings_domain::ChannelId;
use tidings_storage::outgoing::{ATTEMPTS_KEPT, StoredAttempt, StoredOutgoing};
use tidings_storage::{Record, StorageError};

use crate::conn::{Conn, Params, params};

pub(super) async fn write(conn: &mut Conn, record: &Record) -> Result<(), StorageError> {
    let (sql, params): (&'static str, Params) = match record {
        Record::CreateJob(job) => (
            "INSERT INTO jobs (id, kind, payload, due, attempts, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING",
            params![job.id, job.kind.as_str(), &job.payload, job.due, job.attempts, job.created_at],
        ),
        Record::BeginJob(id, until) => (
            "UPDATE jobs SET attempts = attempts + 1, due = ?2 WHERE id = ?1",
            params![*id, *until],
        ),
        Record::RenewJob(id, until) => {
            ("UPDATE jobs SET attempts = 1, due = ?2 WHERE id = ?1", params![*id, *until])
        }
        Record::PutOffJob(id, until) => {
            ("UPDATE jobs SET due = ?2 WHERE id = ?1", params![*id, *until])
        }
        Record::DeleteJob(id) => ("DELETE FROM jobs WHERE id = ?1", params![*id]),
        Record::SetPreviews(owner, true) => {
            ("DELETE FROM unpreviewed WHERE owner = ?1", params![*owner])
        }
        Record::SetPreviews(owner, false) => (
            "INSERT INTO unpreviewed (owner) VALUES (?1) ON CONFLICT (owner) DO NOTHING",
            params![*owner],
        ),
        Record::CreateOutgoing(webhook) => create(webhook),
        Record::UpdateOutgoing(webhook) => update(webhook),
        Record::MoveOutgoing(id, position) => {
            ("UPDATE outgoing SET position = ?2 WHERE id = ?1", params![*id, *position])
        }
        Record::AcceptOutgoing(id, at) => {
            ("UPDATE outgoing SET succeeded_at = ?2 WHERE id = ?1", params![*id, *at])
        }
        Record::DisableOutgoing(id, at, why) => (
            "UPDATE outgoing SET disabled_at = ?2, disabled_why = ?3, revision = revision + 1
             WHERE id = ?1",
            params![*id, *at, why],
        ),
        Record::PutAttempt(attempt) => return put_attempt(conn, attempt).await,
        Record::DeleteOutgoing(id) => {
            let sql = "DELETE FROM outgoing_attempts WHERE webhook_id = ?1";
            conn.execute(sql, params![*id]).await?;
            ("DELETE FROM outgoing WHERE id = ?1", params![*id])
        }
        other => {
            return Err(StorageError::Internal { detail: format!("no statement for {other:?}") });
        }
    };
    conn.execute(sql, params).await.map(drop)
}

fn create(webhook: &StoredOutgoing) -> (&'static str, Params) {
    let (off_at, off_why) = webhook.disabled.clone().unzip();
    (
        "INSERT INTO outgoing (id, community_id, channel_id, name, url, events, generation,
           rotated_at, revision, position, succeeded_at, disabled_at, disabled_why, created_by,
           created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            webhook.id,
            webhook.community_id,
            webhook.channel_id.unwrap_or(ChannelId::NIL),
            &webhook.name,
            &webhook.url,
            webhook.events.join(" "),
            webhook.generation,
            webhook.rotated_at,
            webhook.revision,
            webhook.position,
            webhook.succeeded_at,
            off_at,
            off_why.unwrap_or_default(),
            webhook.created_by,
            webhook.created_at
        ],
    )
}

fn update(webhook: &StoredOutgoing) -> (&'static str, Params) {
    let (off_at, off_why) = webhook.disabled.clone().unzip();
    (
        "UPDATE outgoing SET name = ?2, url = ?3, events = ?4, generation = ?5, rotated_at = ?6,
           disabled_at = ?7, disabled_why = ?8, revision = revision + 1 WHERE id = ?1",
        params![
            webhook.id,
            &webhook.name,
            &webhook.url,
            webhook.events.join(" "),
            webhook.generation,
            webhook.rotated_at,
            off_at,
            off_why.unwrap_or_default()
        ],
    )
}

async fn put_attempt(conn: &mut Conn, attempt: &StoredAttempt) -> Result<(), StorageError> {
    let there = "SELECT 1 FROM outgoing WHERE id = ?1";
    if conn.query_first(there, params![attempt.webhook_id], |_| Ok(())).await?.is_none() {
        return Ok(());
    }
    conn.execute(
        "INSERT INTO outgoing_attempts (webhook_id, message, attempt, event, at, status, error,
           next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            attempt.webhook_id,
            &attempt.message,
            attempt.attempt,
            &attempt.event,
            attempt.at,
            attempt.status.map(u32::from),
            &attempt.error,
            attempt.next_at
        ],
    )
    .await?;
    conn.execute(
        "DELETE FROM outgoing_attempts WHERE webhook_id = ?1 AND at < (
           SELECT at FROM outgoing_attempts WHERE webhook_id = ?1
           ORDER BY at DESC LIMIT 1 OFFSET ?2)",
        params![attempt.webhook_id, ATTEMPTS_KEPT - 1],
    )
    .await
    .map(drop)
}

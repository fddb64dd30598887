//! Threads: who follows them, and how far they have read.

use tidings_domain::{MessageId, Seq, UserId};
use tidings_storage::StorageError;
use tidings_storage::message::StoredThread;

use crate::conn::{Conn, params};

/// Unread replies of a thread as an expression of its top-level message and a marker: the number of
/// the newest reply, less that of the last one at or before the marker, less the tombstones after it.
macro_rules! unread_replies {
    ($root:literal, $marker:literal) => {
        concat!(
            "(COALESCE((SELECT r.reply_number FROM messages r WHERE r.parent = ",
            $root,
            " AND r.reply_number > 0 ORDER BY r.seq DESC LIMIT 1), 0)
              - COALESCE((SELECT r.reply_number FROM messages r WHERE r.parent = ",
            $root,
            " AND r.reply_number > 0 AND r.seq <= ",
            $marker,
            " ORDER BY r.seq DESC LIMIT 1), 0)
              - (SELECT COUNT(*) FROM messages r WHERE r.parent = ",
            $root,
            " AND r.reply_number > 0 AND r.deleted AND r.seq > ",
            $marker,
            "))"
        )
    };
}
pub(super) use unread_replies;

/// Unread replies if the user's marker stood at a place; 0 for who is not in the thread's channel.
pub(crate) async fn unread_at(
    conn: &mut Conn,
    root: MessageId,
    user: UserId,
    seq: Seq,
) -> Result<u64, StorageError> {
    let sql = concat!(
        "SELECT ",
        unread_replies!("?1", "?3"),
        " FROM messages m
         JOIN memberships s ON s.user_id = ?2 AND s.log = m.log AND s.left_position = 0
         WHERE m.id = ?1"
    );
    let found = conn.query_first(sql, params![root, user, seq], |row| row.count(0)).await?;
    Ok(found.unwrap_or(0))
}

/// Puts a user's marker of a thread to a place, back too; nothing for who is not in its channel.
pub(crate) async fn set_marker(
    conn: &mut Conn,
    root: MessageId,
    user: UserId,
    seq: Seq,
) -> Result<(), StorageError> {
    conn.execute(
        "INSERT INTO thread_markers (user_id, root, log, read_seq)
         SELECT s.user_id, m.id, m.log, CAST(?3 AS BIGINT) FROM messages m
         JOIN memberships s ON s.user_id = ?2 AND s.log = m.log AND s.left_position = 0
         WHERE m.id = ?1
         ON CONFLICT (user_id, root) DO UPDATE SET read_seq = excluded.read_seq",
        params![root, user, seq],
    )
    .await
    .map(drop)
}

/// Where a reader stands in each of these threads that they follow.
pub(super) async fn states(
    conn: &mut Conn,
    roots: impl Iterator<Item = MessageId>,
    reader: UserId,
) -> Result<Vec<(MessageId, StoredThread)>, StorageError> {
    let wanted: Vec<_> = roots.map(|root| params![root, reader]).collect();
    if wanted.is_empty() || reader == UserId::NIL {
        return Ok(Vec::new());
    }
    let sql = concat!(
        "SELECT t.root, t.read_seq, ",
        unread_replies!("t.root", "t.read_seq"),
        " FROM thread_markers t WHERE t.root = ?1 AND t.user_id = ?2"
    );
    conn.query_all_each(sql, wanted, |row| {
        let state = StoredThread { read_seq: Seq(row.count(1)?), unread: row.count(2)? };
        Ok((MessageId(row.id(0)?), state))
    })
    .await
}

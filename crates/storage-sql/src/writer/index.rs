//! The search index follows the log: one stride at a time, with a stored position of its own.

use tidings_domain::MessageId;
use tidings_storage::StorageError;

use crate::conn::{Conn, params};
use crate::{read, search};

/// Indexes entries up to a position inside of the transaction that is under way; how far it came.
pub(super) async fn advance(conn: &mut Conn, to: u64) -> Result<u64, StorageError> {
    let lock = if conn.is_postgres() {
        "SELECT position FROM search_position WHERE id = 1 FOR UPDATE"
    } else {
        "SELECT position FROM search_position WHERE id = 1"
    };
    let from = conn.query_first(lock, params![], |row| row.count(0)).await?.unwrap_or(0);
    if from >= to {
        return Ok(from);
    }
    // Data is there only for what has not been erased since: a deleted message never gets in.
    let said = conn
        .query(
            "SELECT e.position, e.kind, e.log, e.subject, e.data FROM entries e
             WHERE e.position > ?1 AND e.position <= ?2 AND e.data IS NOT NULL
               AND e.kind IN ('message.created', 'message.edited')
             ORDER BY e.position",
            params![from, to],
            |row| {
                Ok((
                    row.count(0)?,
                    row.text(1)? == "message.created",
                    row.int(2)?,
                    MessageId(row.id(3)?),
                    row.bytes(4)?,
                ))
            },
        )
        .await?;
    let mut documents = Vec::with_capacity(said.len());
    for (position, created, log, id, data) in said {
        let message = read::message::decode(&data)?;
        let first = if created {
            position
        } else {
            let sql = "SELECT position FROM messages WHERE id = ?1";
            let Some(first) = conn.query_first(sql, params![id], |row| row.count(0)).await? else {
                continue;
            };
            first
        };
        let document = search::Document::new(first, log, &message);
        if created {
            documents.push(document);
        } else {
            // What was gathered may hold the message's first version.
            search::insert(conn, std::mem::take(&mut documents)).await?;
            search::remove(conn, tidings_domain::Position(first)).await?;
            documents.push(document);
        }
    }
    search::insert(conn, documents).await?;
    conn.execute("UPDATE search_position SET position = ?1 WHERE id = 1", params![to]).await?;
    Ok(to)
}

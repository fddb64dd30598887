//! The search index follows the log: one stride at a time, with a stored position of its own.

use tidings_domain::MessageId;
use tidings_storage::StorageError;

use crate::conn::{Conn, params};
use crate::read;
use crate::search::{self, Document};

/// Messages that were just written and are not indexed yet, so that the index need not read them
/// back and take them apart again. Only an unbroken run that ends at the head is worth anything:
/// what does not fit to it is forgotten, and the log is read instead.
#[derive(Default)]
pub(super) struct Fresh {
    documents: Vec<Document>,
    /// The positions that the run covers: after `from`, up to and including `to`.
    from: u64,
    to: u64,
}

/// Documents that are kept at most; some megabytes.
const FRESH: usize = 8_000;

impl Fresh {
    pub(super) const fn starting_at(head: u64) -> Self {
        Self { documents: Vec::new(), from: head, to: head }
    }

    /// Adds what one transaction wrote after `from` and up to `to`. `simple` says that it held no
    /// edit and no deletion, which need the index as it was before them.
    pub(super) fn add(&mut self, from: u64, to: u64, documents: Vec<Document>, simple: bool) {
        if from != self.to || self.documents.len() + documents.len() > FRESH {
            *self = Self { documents: Vec::new(), from, to: from };
        }
        if simple {
            self.documents.extend(documents);
            self.to = to;
        } else {
            *self = Self { documents: Vec::new(), from: to, to };
        }
    }

    /// Lets go of what was indexed from the log.
    fn pass(&mut self, to: u64) {
        if to > self.from {
            self.documents.retain(|document| document.position > to);
            self.from = to;
            self.to = self.to.max(to);
        }
    }

    /// The documents after `from`, when the run covers exactly what follows it.
    fn take(&mut self, from: u64) -> Option<(Vec<Document>, u64)> {
        let covers = self.from == from && self.to > from;
        let Self { documents, to, .. } = std::mem::take(self);
        self.from = to;
        self.to = to;
        covers.then_some((documents, to))
    }
}

/// Indexes entries up to a position inside of the transaction that is under way; how far it came.
pub(super) async fn advance(
    conn: &mut Conn,
    fresh: &mut Fresh,
    to: u64,
) -> Result<u64, StorageError> {
    let lock = if conn.is_postgres() {
        "SELECT position FROM search_position WHERE id = 1 FOR UPDATE"
    } else {
        "SELECT position FROM search_position WHERE id = 1"
    };
    let from = conn.query_first(lock, params![], |row| row.count(0)).await?.unwrap_or(0);
    if from >= to {
        return Ok(from);
    }
    if let Some((documents, to)) = fresh.take(from) {
        search::insert(conn, documents).await?;
        return reached(conn, to).await;
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
        let document = Document::new(first, log, &message);
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
    fresh.pass(to);
    reached(conn, to).await
}

async fn reached(conn: &mut Conn, to: u64) -> Result<u64, StorageError> {
    conn.execute("UPDATE search_position SET position = ?1 WHERE id = 1", params![to]).await?;
    Ok(to)
}

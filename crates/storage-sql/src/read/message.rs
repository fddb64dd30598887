//! Messages: pages, threads, versions.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{ChannelId, Message, MessageId, Seq, Timestamp, UserId};
use tidings_storage::message::{
    MessagePage, PageAt, StoredMessage, StoredReaction, StoredThread, StoredVersion,
};
use tidings_storage::{MessageRepository, StorageError};

use crate::conn::{Conn, Params, Row, corrupt, params};
use crate::read::thread::{self, unread_replies};
use crate::store::SqlStore;

macro_rules! select_message {
    ($($rest:tt)*) => {
        concat!(
            "SELECT m.id, l.owner, m.seq, m.author, m.parent, m.broadcast, m.created_at,
               m.edited_at, m.deleted, m.reply_count, m.last_reply_at, e.data,
               EXISTS (SELECT 1 FROM reactions r WHERE r.message_id = m.id), m.pinned
             FROM messages m JOIN logs l ON l.id = m.log JOIN entries e ON e.position = m.latest ",
            $($rest)*
        )
    };
}

/// A message, and whether it has reactions that are still to be read.
fn message(row: &Row<'_>) -> Result<(StoredMessage, bool), StorageError> {
    let parent = MessageId(row.id(4)?);
    let some = |at: i64| if at == 0 { None } else { Some(Timestamp(at)) };
    let deleted = row.bool(8)?;
    let stored = StoredMessage {
        id: MessageId(row.id(0)?),
        channel_id: ChannelId(row.id(1)?),
        seq: Seq(row.count(2)?),
        author_id: UserId(row.id(3)?),
        parent_id: if parent == MessageId::NIL { None } else { Some(parent) },
        broadcast: row.bool(5)?,
        created_at: Timestamp(row.int(6)?),
        edited_at: some(row.int(7)?),
        deleted,
        pinned: row.int(13)? > 0,
        reply_count: row.count32(9)?,
        last_reply_at: some(row.int(10)?),
        data: if deleted { None } else { row.opt_bytes(11)?.map(Bytes::from) },
        reactions: Vec::new(),
        thread: None,
    };
    // SQLite gives EXISTS as a number, PostgreSQL as a boolean; `bool` reads both.
    Ok((stored, row.bool(12)?))
}

/// Reads the JSON of a message's version.
pub(crate) fn decode(data: &[u8]) -> Result<Message, StorageError> {
    serde_json::from_slice::<tidings_wire::message::Message>(data)
        .map_err(|e| corrupt("entries.data", &e))?
        .into_domain()
        .ok_or_else(|| corrupt("entries.data", &"a word that this version does not know"))
}

/// Adds what stands beside messages with replies and reactions.
async fn completed(
    conn: &mut Conn,
    mut found: Vec<(StoredMessage, bool)>,
    reader: UserId,
) -> Result<Vec<StoredMessage>, StorageError> {
    let roots = found.iter().filter(|(message, _)| message.reply_count > 0);
    let states = thread::states(conn, roots.map(|(message, _)| message.id), reader).await?;
    if !states.is_empty() {
        let states: HashMap<_, _> = states.into_iter().collect();
        for (message, _) in &mut found {
            message.thread = states.get(&message.id).copied();
        }
    }
    with_reactions(conn, found, reader).await
}

async fn with_reactions(
    conn: &mut Conn,
    found: Vec<(StoredMessage, bool)>,
    reader: UserId,
) -> Result<Vec<StoredMessage>, StorageError> {
    let wanted: Vec<Params> =
        found.iter().filter(|(_, any)| *any).map(|(m, _)| params![m.id, reader]).collect();
    let mut reactions: HashMap<MessageId, Vec<StoredReaction>> = HashMap::new();
    if !wanted.is_empty() {
        let rows = conn
            .query_all_each(
                "SELECT message_id, emoji, COUNT(*), MIN(position),
                   SUM(CASE WHEN user_id = ?2 THEN 1 ELSE 0 END)
                 FROM reactions WHERE message_id = ?1 GROUP BY message_id, emoji ORDER BY 4, 2",
                wanted,
                |row| {
                    let emoji = row.text(1)?.parse().map_err(|e| corrupt("reactions.emoji", &e))?;
                    let reaction =
                        StoredReaction { emoji, count: row.count32(2)?, me: row.count(4)? > 0 };
                    Ok((MessageId(row.id(0)?), reaction))
                },
            )
            .await?;
        for (id, reaction) in rows {
            reactions.entry(id).or_default().push(reaction);
        }
    }
    Ok(found
        .into_iter()
        .map(|(mut message, any)| {
            if any {
                message.reactions = reactions.remove(&message.id).unwrap_or_default();
            }
            message
        })
        .collect())
}

/// One message as a reader sees it.
pub(crate) async fn one(
    conn: &mut Conn,
    id: MessageId,
    reader: UserId,
) -> Result<Option<StoredMessage>, StorageError> {
    let found = conn.query(select_message!("WHERE m.id = ?1"), params![id], message).await?;
    Ok(completed(conn, found, reader).await?.into_iter().next())
}

/// The two directions in which a list of messages is read.
struct Direction {
    before: &'static str,
    after: &'static str,
}

const TIMELINE: Direction = Direction {
    before: select_message!(
        "WHERE m.log = ?1 AND m.timeline = TRUE AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?3"
    ),
    after: select_message!(
        "WHERE m.log = ?1 AND m.timeline = TRUE AND m.seq > ?2 ORDER BY m.seq LIMIT ?3"
    ),
};
const THREAD: Direction = Direction {
    before: select_message!(
        "WHERE m.parent = ?1 AND m.reply AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?3"
    ),
    after: select_message!(
        "WHERE m.parent = ?1 AND m.reply AND m.seq > ?2 ORDER BY m.seq LIMIT ?3"
    ),
};

/// Threads that somebody follows.
const FOLLOWED: &str = select_message!(
    "JOIN thread_markers t ON t.root = m.id
     WHERE t.user_id = ?1 AND t.root > ?2 AND m.reply_count > 0 ORDER BY t.root LIMIT ?3"
);
const FOLLOWED_UNREAD: &str = select_message!(
    "JOIN thread_markers t ON t.root = m.id
     WHERE t.user_id = ?1 AND t.root > ?2 AND m.reply_count > 0 AND ",
    unread_replies!("t.root", "t.read_seq"),
    " > 0 ORDER BY t.root LIMIT ?3"
);

/// The pins of a channel, and what somebody saved.
const PINS: &str = select_message!(
    "JOIN channels c ON c.log = m.log WHERE c.id = ?1 AND m.pinned > 0 ORDER BY m.pinned DESC"
);
const SAVED: &str = select_message!(
    "JOIN saved s ON s.message = m.id WHERE s.user_id = ?1 AND s.message < ?2 AND NOT m.deleted
     ORDER BY s.message DESC LIMIT ?3"
);

impl Direction {
    /// Messages next to a place, and whether there are more beyond them, ascending.
    async fn side(
        &self,
        conn: &mut Conn,
        list: &Params,
        place: u64,
        before: bool,
        limit: usize,
    ) -> Result<(Vec<(StoredMessage, bool)>, bool), StorageError> {
        let mut params = list.clone();
        params.extend(params![place, limit + 1]);
        let sql = if before { self.before } else { self.after };
        let mut found = conn.query(sql, params, message).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        if before {
            found.reverse();
        }
        Ok((found, more))
    }

    async fn page(
        &self,
        conn: &mut Conn,
        list: Params,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> Result<MessagePage, StorageError> {
        const END: u64 = u64::MAX >> 1;
        let (found, more_before, more_after) = match at {
            PageAt::Newest => {
                let (found, more) = self.side(conn, &list, END, true, limit).await?;
                (found, more, false)
            }
            PageAt::Before(place) => {
                let (found, more) = self.side(conn, &list, place.0, true, limit).await?;
                let after = place.0.saturating_sub(1);
                let (_, beyond) = self.side(conn, &list, after, false, 0).await?;
                (found, more, beyond)
            }
            PageAt::After(place) => {
                let (found, more) = self.side(conn, &list, place.0, false, limit).await?;
                let before = place.0.saturating_add(1);
                let (_, beyond) = self.side(conn, &list, before, true, 0).await?;
                (found, beyond, more)
            }
            PageAt::Around(place) => {
                let half = limit / 2;
                let (mut found, more_before) = self.side(conn, &list, place.0, true, half).await?;
                let from = place.0.saturating_sub(1);
                let (mut rest, more_after) =
                    self.side(conn, &list, from, false, limit - half).await?;
                found.append(&mut rest);
                (found, more_before, more_after)
            }
        };
        let messages = completed(conn, found, reader).await?;
        Ok(MessagePage { messages, more_before, more_after })
    }
}

#[async_trait]
impl MessageRepository for SqlStore {
    async fn message(
        &self,
        id: MessageId,
        reader: UserId,
    ) -> Result<Option<StoredMessage>, StorageError> {
        self.read(move |conn| Box::pin(one(conn, id, reader))).await
    }

    async fn timeline(
        &self,
        channel: ChannelId,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> Result<MessagePage, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT log FROM channels WHERE id = ?1";
                let Some(log) = conn.query_first(sql, params![channel], |row| row.int(0)).await?
                else {
                    return Ok(MessagePage::default());
                };
                TIMELINE.page(conn, params![log], at, limit, reader).await
            })
        })
        .await
    }

    async fn thread(
        &self,
        root: MessageId,
        at: PageAt,
        limit: usize,
        reader: UserId,
    ) -> Result<MessagePage, StorageError> {
        self.read(move |conn| {
            Box::pin(async move { THREAD.page(conn, params![root], at, limit, reader).await })
        })
        .await
    }

    async fn thread_state(
        &self,
        root: MessageId,
        reader: UserId,
    ) -> Result<Option<StoredThread>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let states = thread::states(conn, std::iter::once(root), reader).await?;
                Ok(states.into_iter().next().map(|(_, state)| state))
            })
        })
        .await
    }

    async fn threads(
        &self,
        reader: UserId,
        unread: bool,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = if unread { FOLLOWED_UNREAD } else { FOLLOWED };
                let found = conn.query(sql, params![reader, after, limit], message).await?;
                completed(conn, found, reader).await
            })
        })
        .await
    }

    async fn pins(
        &self,
        channel: ChannelId,
        reader: UserId,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let found = conn.query(PINS, params![channel], message).await?;
                completed(conn, found, reader).await
            })
        })
        .await
    }

    async fn saved(
        &self,
        reader: UserId,
        before: MessageId,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let found = conn.query(SAVED, params![reader, before, limit], message).await?;
                completed(conn, found, reader).await
            })
        })
        .await
    }

    async fn versions(&self, id: MessageId) -> Result<Vec<StoredVersion>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                conn.query(
                    "SELECT e.seq, e.at, e.data FROM entries e WHERE e.data IS NOT NULL
                       AND e.kind <> 'message.previewed' AND (e.position = (SELECT m.position FROM messages m WHERE m.id = ?1)
                         OR e.position IN (SELECT v.position FROM versions v WHERE v.message_id = ?1))
                     ORDER BY e.position",
                    params![id],
                    |row| {
                        Ok(StoredVersion {
                            seq: Seq(row.count(0)?),
                            at: Timestamp(row.int(1)?),
                            data: Bytes::from(row.bytes(2)?),
                        })
                    },
                )
                .await
            })
        })
        .await
    }
}

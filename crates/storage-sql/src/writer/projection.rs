//! What each fact means for the projections: the same for a new entry and for a rebuild.

use std::collections::{HashMap, HashSet};

use tidings_domain::{
    Channel, Fact, LogId, Mention, Message, MessageId, Position, Role, Seq, Timestamp, UserId,
};
use tidings_storage::StorageError;
use tidings_storage::change::Placed;
use tidings_storage::projection::{complete_edit, complete_previews};

use super::attention;
use super::batch::Batch;
use super::precondition::dm_users;
use crate::conn::{Conn, Params, params};
use crate::read;

/// The timeline of the channel shows the message.
const TIMELINE: i64 = 1;
/// The message came from another chat.
const IMPORTED: i64 = 2;
/// The message is a reply that was also sent to the channel.
const BROADCAST: i64 = 4;

/// The entry is none of the message's versions: it only says what its links lead to.
const PREVIEWS: i64 = 8;

/// What an entry is about: metadata that outlives an erased body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) message: MessageId,
    pub(crate) parent: MessageId,
    pub(crate) flags: i64,
}

impl Subject {
    const NONE: Self = Self { message: MessageId::NIL, parent: MessageId::NIL, flags: 0 };

    const fn about(message: MessageId) -> Self {
        Self { message, ..Self::NONE }
    }
}

/// An entry with its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) place: Placed,
    pub(crate) log: LogId,
    pub(crate) actor: UserId,
    pub(crate) at: Timestamp,
    pub(crate) subject: Subject,
}

/// Rows of new messages, gathered so that many are written at once.
#[derive(Default)]
pub(super) struct MessageRows {
    messages: Vec<Params>,
    mentions: Vec<Params>,
    attachments: Vec<Params>,
    /// Calls to everybody in a channel.
    calls: Vec<Params>,
    /// Notifications of users.
    pub(super) notifications: Vec<Params>,
    /// The newest reply of each thread and how many came.
    replies: HashMap<MessageId, (i64, Timestamp)>,
    /// Where each author's own marker goes.
    markers: HashMap<(i64, UserId), (u64, u64)>,
    /// The newest reply of each author in each thread.
    followers: HashMap<(MessageId, UserId), MessageId>,
    /// The number of the newest reply of each thread that this transaction has replied to.
    numbers: HashMap<MessageId, u64>,
}

impl MessageRows {
    pub(super) async fn flush(&mut self, conn: &mut Conn) -> Result<(), StorageError> {
        let notifications = std::mem::take(&mut self.notifications);
        attention::insert(conn, notifications, std::mem::take(&mut self.calls)).await?;
        if self.messages.is_empty() {
            return Ok(());
        }
        conn.execute_each(
            "INSERT INTO messages (log, seq, id, position, latest, author, parent, reply, broadcast,
               timeline, counted, ordinal, created_at, reply_number)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            std::mem::take(&mut self.messages),
        )
        .await?;
        insert_mentions(conn, std::mem::take(&mut self.mentions)).await?;
        conn.execute_each(
            "INSERT INTO attachments (message_id, media_id) VALUES (?1, ?2)
             ON CONFLICT (message_id, media_id) DO NOTHING",
            std::mem::take(&mut self.attachments),
        )
        .await?;
        let replies = std::mem::take(&mut self.replies);
        let rows = replies.into_iter().map(|(id, (count, at))| params![id, count, at]).collect();
        conn.execute_each(
            "UPDATE messages SET reply_count = reply_count + ?2,
               last_reply_at = CASE WHEN last_reply_at < ?3 THEN ?3 ELSE last_reply_at END
             WHERE id = ?1",
            rows,
        )
        .await?;
        let markers = std::mem::take(&mut self.markers);
        let rows = markers
            .into_iter()
            .map(|((log, user), (seq, ordinal))| params![user, log, seq, ordinal])
            .collect();
        conn.execute_each(
            "UPDATE memberships SET read_seq = ?3, read_ordinal = ?4
             WHERE user_id = ?1 AND log = ?2 AND left_position = 0 AND read_seq < ?3",
            rows,
        )
        .await?;
        self.follow_threads(conn).await
    }

    /// Lets the authors of replies, and those of the messages replied to, follow the threads.
    async fn follow_threads(&mut self, conn: &mut Conn) -> Result<(), StorageError> {
        if self.followers.is_empty() {
            return Ok(());
        }
        let followers = std::mem::take(&mut self.followers);
        let roots: HashSet<_> = followers.keys().map(|(root, _)| *root).collect();
        conn.execute_each(
            "INSERT INTO thread_markers (user_id, root, log, read_seq)
             SELECT s.user_id, m.id, m.log, r.seq FROM messages r JOIN messages m ON m.id = r.parent
             JOIN memberships s ON s.user_id = r.author AND s.log = m.log AND s.left_position = 0
             WHERE r.id = ?1
             ON CONFLICT (user_id, root) DO UPDATE SET read_seq = excluded.read_seq
               WHERE thread_markers.read_seq < excluded.read_seq",
            followers.into_values().map(|reply| params![reply]).collect(),
        )
        .await?;
        conn.execute_each(
            "INSERT INTO thread_markers (user_id, root, log, read_seq)
             SELECT s.user_id, m.id, m.log, m.seq FROM messages m
             JOIN memberships s ON s.user_id = m.author AND s.log = m.log AND s.left_position = 0
             WHERE m.id = ?1
             ON CONFLICT (user_id, root) DO NOTHING",
            roots.into_iter().map(|root| params![root]).collect(),
        )
        .await
    }

    /// The next number of a thread.
    async fn next_number(&mut self, conn: &mut Conn, root: MessageId) -> Result<u64, StorageError> {
        let newest = if let Some(newest) = self.numbers.get(&root) {
            *newest
        } else {
            let sql = "SELECT reply_number FROM messages WHERE parent = ?1 AND reply_number > 0
                       ORDER BY seq DESC LIMIT 1";
            let found = conn.query_first(sql, params![root], |row| row.count(0)).await?;
            found.unwrap_or(0)
        };
        self.numbers.insert(root, newest + 1);
        Ok(newest + 1)
    }
}

async fn insert_mentions(conn: &mut Conn, rows: Vec<Params>) -> Result<(), StorageError> {
    conn.execute_each(
        "INSERT INTO mentions (log, user_id, seq, author) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (log, seq, user_id) DO NOTHING",
        rows,
    )
    .await
}

fn mention_rows(log: i64, seq: Seq, author: UserId, mentions: &[Mention]) -> Vec<Params> {
    let named = mentions.iter().filter_map(|mention| match mention {
        Mention::User(user) => Some(*user),
        Mention::Here | Mention::Everyone => Some(UserId::NIL),
        Mention::Channel(_) => None,
    });
    named.map(|user| params![log, user, seq, author]).collect()
}

/// Fills in what only the writer knows, and says what the entry is about.
pub(super) async fn complete(
    batch: &mut Batch<'_>,
    log: LogId,
    place: Placed,
    at: Timestamp,
    fact: &mut Fact,
) -> Result<Subject, StorageError> {
    Ok(match fact {
        Fact::MessageCreated { message } => {
            message.seq = place.seq;
            message_subject(message)
        }
        Fact::MessageEdited { message } => {
            batch.flush().await?;
            let kept = read::message::one(batch.conn, message.id, UserId::NIL).await?;
            let newest = kept.as_ref().and_then(|kept| kept.data.as_deref());
            if let (Some(kept), Some(data)) = (&kept, newest) {
                complete_edit(message, read::message::decode(data)?, kept, at);
            }
            message_subject(message)
        }
        Fact::MessagePreviewed { message } => {
            batch.flush().await?;
            let kept = read::message::one(batch.conn, message.id, UserId::NIL).await?;
            if let Some(data) = kept.as_ref().and_then(|kept| kept.data.as_deref()) {
                complete_previews(message, read::message::decode(data)?);
            }
            Subject { message: message.id, parent: MessageId::NIL, flags: PREVIEWS }
        }
        Fact::MessageDeleted { message_id } => Subject::about(*message_id),
        Fact::ReactionAdded(reaction) | Fact::ReactionRemoved(reaction) => {
            Subject::about(reaction.message_id)
        }
        Fact::ReadUpdated { thread: Some(root), seq, unread, mentions, .. } => {
            if let LogId::User(user) = log {
                batch.flush().await?;
                let unread_now = read::thread::unread_at(batch.conn, *root, user, *seq).await?;
                (*unread, *mentions) = (unread_now, 0);
            }
            Subject::NONE
        }
        Fact::ReadUpdated { channel_id, thread: None, seq, unread, mentions } => {
            if let LogId::User(user) = log {
                batch.flush().await?;
                let channel = batch.head(LogId::Conversation(*channel_id), None).await?.id;
                (*unread, *mentions) =
                    read::channel::unread_at(batch.conn, channel, user, *seq).await?;
            }
            Subject::NONE
        }
        _ => Subject::NONE,
    })
}

fn message_subject(message: &Message) -> Subject {
    let flag = |set: bool, flag: i64| if set { flag } else { 0 };
    Subject {
        message: message.id,
        parent: message.parent_id.unwrap_or(MessageId::NIL),
        flags: flag(message.in_timeline(), TIMELINE)
            | flag(message.imported, IMPORTED)
            | flag(message.broadcast, BROADCAST),
    }
}

/// Carries out an entry that has its place. `fact` is `None` when its body was erased since: then its metadata says
/// all that is left of it.
pub(crate) async fn project(
    batch: &mut Batch<'_>,
    seen: &Seen,
    fact: Option<&Fact>,
) -> Result<(), StorageError> {
    match fact {
        Some(Fact::MessageCreated { message }) => {
            created(batch, seen, message.author.id, &message.mentions).await?;
            let carried = message.attachments.iter().map(|media| params![message.id, media.id]);
            batch.messages.attachments.extend(carried);
            Ok(())
        }
        Some(Fact::MessageEdited { message }) => edited(batch, seen, &message.mentions).await,
        Some(Fact::MessagePreviewed { message }) => {
            previewed(batch, seen).await?;
            let carried = message.media().map(|media| params![message.id, media.id]);
            put_attachments(batch, message.id, carried.collect()).await
        }
        Some(Fact::MessageDeleted { message_id }) => deleted(batch, *message_id).await,
        Some(Fact::ReactionAdded(reaction)) => {
            batch.flush().await?;
            batch
                .conn
                .execute(
                    "INSERT INTO reactions (message_id, emoji, user_id, position)
                     VALUES (?1, ?2, ?3, COALESCE((SELECT MIN(position) FROM reactions
                       WHERE message_id = ?1 AND emoji = ?2), ?4))
                     ON CONFLICT (message_id, emoji, user_id) DO NOTHING",
                    params![
                        reaction.message_id,
                        reaction.emoji.as_str(),
                        reaction.user_id,
                        seen.place.position
                    ],
                )
                .await
                .map(drop)
        }
        Some(Fact::ReactionRemoved(reaction)) => {
            batch.flush().await?;
            batch
                .conn
                .execute(
                    "DELETE FROM reactions WHERE message_id = ?1 AND emoji = ?2 AND user_id = ?3",
                    params![reaction.message_id, reaction.emoji.as_str(), reaction.user_id],
                )
                .await
                .map(drop)
        }
        Some(
            Fact::ChannelCreated(channel)
            | Fact::ChannelUpdated(channel)
            | Fact::ChannelArchived(channel),
        ) if seen.log == LogId::Conversation(channel.id) => put_channel(batch, channel).await,
        Some(Fact::MemberJoined { user, role }) => joined(batch, seen, user.id, *role).await,
        Some(Fact::MemberLeft { user } | Fact::MemberBanned { user, .. }) => {
            left(batch, seen, user.id).await
        }
        Some(Fact::MemberUpdated { user, nickname }) => {
            batch.flush().await?;
            let log = batch.head(seen.log, None).await?.id;
            batch
                .conn
                .execute(
                    "UPDATE memberships SET nickname = ?3
                     WHERE user_id = ?1 AND log = ?2 AND left_position = 0",
                    params![user.id, log, nickname.as_deref().unwrap_or_default()],
                )
                .await
                .map(drop)
        }
        Some(Fact::MemberRoleChanged { user, role }) => {
            batch.flush().await?;
            let log = batch.head(seen.log, None).await?.id;
            batch
                .conn
                .execute(
                    "UPDATE memberships SET role = ?3 WHERE user_id = ?1 AND log = ?2",
                    params![user.id, log, role.as_str()],
                )
                .await
                .map(drop)
        }
        Some(Fact::ReadUpdated { channel_id, thread, seq, .. }) => match seen.log {
            LogId::User(user) => {
                batch.flush().await?;
                if let Some(root) = thread {
                    return read::thread::set_marker(batch.conn, *root, user, *seq).await;
                }
                let log = batch.head(LogId::Conversation(*channel_id), None).await?.id;
                read::channel::set_marker(batch.conn, log, user, *seq).await
            }
            LogId::Conversation(_) | LogId::Community(_) => Ok(()),
        },
        Some(fact) => attention::project(batch, seen, fact).await,
        None => erased(batch, seen).await,
    }
}

// Only messages are ever erased; those with a parent or flags were created or edited.
async fn erased(batch: &mut Batch<'_>, seen: &Seen) -> Result<(), StorageError> {
    batch.flush().await?;
    if seen.subject.flags & PREVIEWS != 0 {
        return previewed(batch, seen).await;
    }
    let known = batch
        .conn
        .query_first("SELECT 1 FROM messages WHERE id = ?1", params![seen.subject.message], |_| {
            Ok(())
        })
        .await?;
    if known.is_some() {
        edited(batch, seen, &[]).await
    } else {
        created(batch, seen, seen.actor, &[]).await
    }
}

async fn created(
    batch: &mut Batch<'_>,
    seen: &Seen,
    author: UserId,
    mentions: &[Mention],
) -> Result<(), StorageError> {
    let Subject { message, parent, flags } = seen.subject;
    let reply = parent != MessageId::NIL;
    let timeline = flags & TIMELINE != 0;
    let counted = timeline && flags & IMPORTED == 0;
    let head = batch.head(seen.log, None).await?;
    if counted {
        head.count_message();
    }
    let (log, ordinal) = (head.id, head.message_count);
    let Placed { position, seq } = seen.place;
    let rows = &mut batch.messages;
    let numbered = reply && flags & IMPORTED == 0;
    let number = if numbered { rows.next_number(batch.conn, parent).await? } else { 0 };
    rows.messages.push(params![
        log,
        seq,
        message,
        position,
        author,
        parent,
        reply,
        flags & BROADCAST != 0,
        timeline,
        counted,
        ordinal,
        seen.at,
        number
    ]);
    if numbered {
        rows.followers.insert((parent, author), message);
    }
    if reply {
        let thread = rows.replies.entry(parent).or_insert((0, seen.at));
        *thread = (thread.0 + 1, thread.1.max(seen.at));
    }
    if counted {
        rows.mentions.append(&mut mention_rows(log, seq, author, mentions));
        let all = |mention: &Mention| matches!(mention, Mention::Here | Mention::Everyone);
        if mentions.iter().any(all) {
            rows.calls.push(params![log, message, position, author, seen.at]);
        }
        rows.markers.insert((log, author), (seq.0, ordinal));
    }
    Ok(())
}

async fn edited(
    batch: &mut Batch<'_>,
    seen: &Seen,
    mentions: &[Mention],
) -> Result<(), StorageError> {
    batch.flush().await?;
    let Some(kept) = find(batch, seen.subject.message).await? else { return Ok(()) };
    batch
        .conn
        .execute(
            "UPDATE messages SET latest = ?2, edited_at = ?3 WHERE id = ?1",
            params![seen.subject.message, seen.place.position, seen.at],
        )
        .await?;
    batch
        .conn
        .execute(
            "INSERT INTO versions (message_id, position) VALUES (?1, ?2)",
            params![seen.subject.message, seen.place.position],
        )
        .await?;
    if kept.counted {
        forget_mentions(batch, &kept).await?;
        insert_mentions(batch.conn, mention_rows(kept.log, kept.seq, kept.author, mentions))
            .await?;
    }
    Ok(())
}

/// The message says the same, with previews.
async fn previewed(batch: &mut Batch<'_>, seen: &Seen) -> Result<(), StorageError> {
    batch.flush().await?;
    if find(batch, seen.subject.message).await?.is_none() {
        return Ok(());
    }
    for sql in [
        "UPDATE messages SET latest = ?2 WHERE id = ?1",
        "INSERT INTO versions (message_id, position) VALUES (?1, ?2)",
    ] {
        batch.conn.execute(sql, params![seen.subject.message, seen.place.position]).await?;
    }
    Ok(())
}

async fn put_attachments(
    batch: &mut Batch<'_>,
    id: MessageId,
    rows: Vec<Params>,
) -> Result<(), StorageError> {
    let sql = "DELETE FROM attachments WHERE message_id = ?1";
    batch.conn.execute(sql, params![id]).await?;
    let sql = "INSERT INTO attachments (message_id, media_id) VALUES (?1, ?2)
               ON CONFLICT (message_id, media_id) DO NOTHING";
    batch.conn.execute_each(sql, rows).await
}

/// What deleting and editing need to know of a message.
struct Kept {
    log: i64,
    seq: Seq,
    position: Position,
    author: UserId,
    parent: MessageId,
    reply: bool,
    counted: bool,
    deleted: bool,
}

async fn find(batch: &mut Batch<'_>, id: MessageId) -> Result<Option<Kept>, StorageError> {
    batch
        .conn
        .query_first(
            "SELECT log, seq, position, author, parent, reply, counted, deleted FROM messages
             WHERE id = ?1",
            params![id],
            |row| {
                Ok(Kept {
                    log: row.int(0)?,
                    seq: Seq(row.count(1)?),
                    position: Position(row.count(2)?),
                    author: UserId(row.id(3)?),
                    parent: MessageId(row.id(4)?),
                    reply: row.bool(5)?,
                    counted: row.bool(6)?,
                    deleted: row.bool(7)?,
                })
            },
        )
        .await
}

async fn forget_mentions(batch: &mut Batch<'_>, kept: &Kept) -> Result<(), StorageError> {
    batch
        .conn
        .execute("DELETE FROM mentions WHERE log = ?1 AND seq = ?2", params![kept.log, kept.seq])
        .await
        .map(drop)
}

async fn deleted(batch: &mut Batch<'_>, id: MessageId) -> Result<(), StorageError> {
    batch.flush().await?;
    let Some(kept) = find(batch, id).await? else { return Ok(()) };
    if kept.deleted {
        return Ok(());
    }
    batch.erased = true;
    let conn = &mut *batch.conn;
    crate::search::remove(conn, kept.position).await?;
    conn.execute(
        "UPDATE entries SET data = NULL, salt = NULL
         WHERE position IN (SELECT position FROM versions WHERE message_id = ?1)",
        params![id],
    )
    .await?;
    conn.execute(
        "UPDATE entries SET data = NULL, salt = NULL WHERE position = ?1",
        params![kept.position],
    )
    .await?;
    conn.execute("DELETE FROM versions WHERE message_id = ?1", params![id]).await?;
    conn.execute("DELETE FROM reactions WHERE message_id = ?1", params![id]).await?;
    conn.execute("DELETE FROM attachments WHERE message_id = ?1", params![id]).await?;
    conn.execute("UPDATE messages SET deleted = TRUE, pinned = 0 WHERE id = ?1", params![id])
        .await?;
    conn.execute("DELETE FROM calls WHERE log = ?1 AND message = ?2", params![kept.log, id])
        .await?;
    if kept.counted {
        forget_mentions(batch, &kept).await?;
        batch
            .conn
            .execute(
                "INSERT INTO tombstones (log, seq) VALUES (?1, ?2)",
                params![kept.log, kept.seq],
            )
            .await?;
    }
    if kept.reply {
        batch
            .conn
            .execute(
                "UPDATE messages SET reply_count = reply_count - 1,
                   last_reply_at = COALESCE((SELECT MAX(r.created_at) FROM messages r
                     WHERE r.parent = ?1 AND r.reply AND NOT r.deleted), 0)
                 WHERE id = ?1",
                params![kept.parent],
            )
            .await?;
    }
    Ok(())
}

async fn put_channel(batch: &mut Batch<'_>, channel: &Channel) -> Result<(), StorageError> {
    batch.flush().await?;
    let log = batch.head(LogId::Conversation(channel.id), channel.community_id).await?.id;
    batch
        .conn
        .execute(
            "INSERT INTO channels (id, log, community_id, name, type, visibility, kind, topic,
               category, archived, is_default, created_at, dm_users, retention_s)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, visibility = excluded.visibility,
               topic = excluded.topic, category = excluded.category, archived = excluded.archived,
               is_default = excluded.is_default, retention_s = excluded.retention_s",
            params![
                channel.id,
                log,
                channel.community_id.unwrap_or(tidings_domain::CommunityId::NIL),
                channel.name.as_deref().unwrap_or_default(),
                channel.channel_type.as_str(),
                channel.visibility.as_str(),
                channel.kind.as_str(),
                &channel.topic,
                channel.category.as_deref().unwrap_or_default(),
                channel.archived,
                channel.default,
                channel.created_at,
                dm_users(&channel.dm_users),
                channel.retention_s.unwrap_or(0)
            ],
        )
        .await
        .map(drop)
}

async fn joined(
    batch: &mut Batch<'_>,
    seen: &Seen,
    user: UserId,
    role: Role,
) -> Result<(), StorageError> {
    batch.flush().await?;
    let head = batch.head(seen.log, None).await?;
    let (log, ordinal) = (head.id, head.message_count);
    let conn = &mut *batch.conn;
    let already = conn
        .query_first(
            "SELECT 1 FROM memberships WHERE user_id = ?1 AND log = ?2 AND left_position = 0",
            params![user, log],
            |_| Ok(()),
        )
        .await?;
    if already.is_some() {
        return Ok(());
    }
    conn.execute(
        "INSERT INTO memberships (user_id, log, role, joined_at, joined_position, left_position,
           read_seq, read_ordinal) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)
         ON CONFLICT (user_id, log) DO UPDATE SET role = excluded.role,
           joined_at = excluded.joined_at, joined_position = excluded.joined_position,
           left_position = 0, read_seq = excluded.read_seq,
           read_ordinal = excluded.read_ordinal, nickname = ''",
        params![user, log, role.as_str(), seen.at, seen.place.position, seen.place.seq, ordinal],
    )
    .await?;
    conn.execute("UPDATE logs SET member_count = member_count + 1 WHERE id = ?1", params![log])
        .await
        .map(drop)
}

async fn left(batch: &mut Batch<'_>, seen: &Seen, user: UserId) -> Result<(), StorageError> {
    batch.flush().await?;
    let log = batch.head(seen.log, None).await?.id;
    let conn = &mut *batch.conn;
    let left = conn
        .execute(
            "UPDATE memberships SET left_position = ?3, read_seq = 0, read_ordinal = 0
             WHERE user_id = ?1 AND log = ?2 AND left_position = 0",
            params![user, log, seen.place.position],
        )
        .await?;
    if left > 0 {
        conn.execute(
            "DELETE FROM thread_markers WHERE user_id = ?1 AND log = ?2",
            params![user, log],
        )
        .await?;
        conn.execute("UPDATE logs SET member_count = member_count - 1 WHERE id = ?1", params![log])
            .await?;
    }
    Ok(())
}

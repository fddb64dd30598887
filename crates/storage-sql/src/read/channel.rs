//! Channels and where their readers stand.

use async_trait::async_trait;
use tidings_domain::{Channel, ChannelId, CommunityId, Seq, Timestamp, UserId};
use tidings_storage::channel::ChannelView;
use tidings_storage::community::Membership;
use tidings_storage::{ChannelRepository, StorageError};

use crate::conn::{Conn, Params, Row, corrupt, params};
use crate::error::word;
use crate::read::attention::notice;
use crate::read::community::membership;
use crate::store::SqlStore;
use crate::writer::dm_users;

fn channel(row: &Row<'_>) -> Result<Channel, StorageError> {
    let some = |text: String| if text.is_empty() { None } else { Some(text) };
    let community = CommunityId(row.id(1)?);
    let users = row.text(10)?;
    let dm_users = users
        .split(',')
        .filter(|id| !id.is_empty())
        .map(|id| id.parse().map_err(|e| corrupt("channels.dm_users", &e)))
        .collect::<Result<_, _>>()?;
    Ok(Channel {
        id: ChannelId(row.id(0)?),
        community_id: if community == CommunityId::NIL { None } else { Some(community) },
        name: some(row.text(2)?),
        channel_type: row.text(3)?.parse().map_err(word("channels.type"))?,
        visibility: row.text(4)?.parse().map_err(word("channels.visibility"))?,
        kind: row.text(5)?.parse().map_err(word("channels.kind"))?,
        topic: row.text(6)?,
        category: some(row.text(7)?),
        archived: row.bool(8)?,
        default: row.bool(9)?,
        created_at: Timestamp(row.int(11)?),
        retention_s: Some(row.count(12)?).filter(|seconds| *seconds > 0),
        dm_users,
    })
}

macro_rules! select_channel {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.community_id, c.name, c.type, c.visibility, c.kind, c.topic, c.category,
               c.archived, c.is_default, c.dm_users, c.created_at, c.retention_s ",
            $rest
        )
    };
}

// What a reader sees beside the channel. Unread is arithmetic: the count now, less the count at
// the marker, less the tombstones after it.
macro_rules! select_view {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.community_id, c.name, c.type, c.visibility, c.kind, c.topic, c.category,
               c.archived, c.is_default, c.dm_users, c.created_at, c.retention_s,
               l.member_count, l.head_seq, m.read_seq,
               l.message_count - m.read_ordinal - (SELECT COUNT(*) FROM tombstones t
                 WHERE t.log = c.log AND t.seq > m.read_seq),
               (SELECT COUNT(DISTINCT n.seq) FROM mentions n WHERE n.log = c.log
                 AND n.seq > m.read_seq AND n.author <> ?1 AND (n.user_id = ?1 OR n.user_id = ?2)
                 AND NOT EXISTS (SELECT 1 FROM blocks b
                   WHERE b.user_id = ?1 AND b.blocked_id = n.author)),
               COALESCE((SELECT s.level FROM channel_notices s
                 WHERE s.user_id = ?1 AND s.log = c.log), ''),
               (SELECT s.muted_until FROM channel_notices s WHERE s.user_id = ?1 AND s.log = c.log) ",
            $rest
        )
    };
}

fn view(row: &Row<'_>) -> Result<ChannelView, StorageError> {
    let read_seq = row.opt_int(15)?;
    let count = |column| -> Result<u64, StorageError> {
        // A marker that was moved back stands before messages that were deleted since.
        Ok(row.opt_int(column)?.map_or(0, |count| u64::try_from(count).unwrap_or(0)))
    };
    Ok(ChannelView {
        channel: channel(row)?,
        member_count: row.count(13)?,
        joined: read_seq.is_some(),
        head_seq: Seq(row.count(14)?),
        read_seq: Seq(count(15)?),
        unread: count(16)?,
        mentions: if read_seq.is_some() { count(17)? } else { 0 },
        notice: notice(row, 18)?,
    })
}

/// Unread messages and mentions if the user's marker stood at a place; zero for who is not in it.
pub(crate) async fn unread_at(
    conn: &mut Conn,
    log: i64,
    user: UserId,
    seq: Seq,
) -> Result<(u64, u64), StorageError> {
    let ordinal = ordinal_at(conn, log, seq).await?;
    let found = conn
        .query_first(
            "SELECT l.message_count - CAST(?3 AS BIGINT)
               - (SELECT COUNT(*) FROM tombstones t WHERE t.log = l.id AND t.seq > ?4),
               (SELECT COUNT(DISTINCT n.seq) FROM mentions n WHERE n.log = l.id AND n.seq > ?4
                 AND n.author <> ?2 AND (n.user_id = ?2 OR n.user_id = ?5)
                 AND NOT EXISTS (SELECT 1 FROM blocks b
                   WHERE b.user_id = ?2 AND b.blocked_id = n.author))
             FROM logs l JOIN memberships m ON m.log = l.id AND m.left_position = 0
             WHERE l.id = ?1 AND m.user_id = ?2",
            params![log, user, ordinal, seq, UserId::NIL],
            |row| Ok((row.int(0)?, row.int(1)?)),
        )
        .await?;
    let (unread, mentions) = found.unwrap_or((0, 0));
    Ok((u64::try_from(unread).unwrap_or(0), u64::try_from(mentions).unwrap_or(0)))
}

/// The log's message count at a place.
async fn ordinal_at(conn: &mut Conn, log: i64, seq: Seq) -> Result<u64, StorageError> {
    let found = conn
        .query_first(
            "SELECT ordinal FROM messages WHERE log = ?1 AND timeline = TRUE AND seq <= ?2
             ORDER BY seq DESC LIMIT 1",
            params![log, seq],
            |row| row.count(0),
        )
        .await?;
    Ok(found.unwrap_or(0))
}

/// Puts a user's marker to a place, back too.
pub(crate) async fn set_marker(
    conn: &mut Conn,
    log: i64,
    user: UserId,
    seq: Seq,
) -> Result<(), StorageError> {
    let ordinal = ordinal_at(conn, log, seq).await?;
    conn.execute(
        "UPDATE memberships SET read_seq = ?3, read_ordinal = ?4
         WHERE user_id = ?1 AND log = ?2 AND left_position = 0",
        params![user, log, seq, ordinal],
    )
    .await
    .map(drop)
}

impl SqlStore {
    async fn views(
        &self,
        sql: &'static str,
        params: Params,
    ) -> Result<Vec<ChannelView>, StorageError> {
        self.read(move |conn| Box::pin(async move { conn.query(sql, params, view).await })).await
    }
}

#[async_trait]
impl ChannelRepository for SqlStore {
    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_channel!("FROM channels c WHERE c.id = ?1");
                conn.query_first(sql, params![id], channel).await
            })
        })
        .await
    }

    async fn channel_view(
        &self,
        id: ChannelId,
        reader: UserId,
    ) -> Result<Option<ChannelView>, StorageError> {
        let sql = select_view!(
            "FROM channels c JOIN logs l ON l.id = c.log
             LEFT JOIN memberships m ON m.log = c.log AND m.user_id = ?1 AND m.left_position = 0
             WHERE c.id = ?3"
        );
        Ok(self.views(sql, params![reader, UserId::NIL, id]).await?.into_iter().next())
    }

    async fn joined_channels(&self, reader: UserId) -> Result<Vec<ChannelView>, StorageError> {
        let sql = select_view!(
            "FROM memberships m JOIN channels c ON c.log = m.log JOIN logs l ON l.id = m.log
             WHERE m.user_id = ?1 AND m.left_position = 0 ORDER BY c.id"
        );
        self.views(sql, params![reader, UserId::NIL]).await
    }

    async fn community_channels(
        &self,
        community: CommunityId,
        reader: UserId,
    ) -> Result<Vec<ChannelView>, StorageError> {
        let sql = select_view!(
            "FROM channels c JOIN logs l ON l.id = c.log
             LEFT JOIN memberships m ON m.log = c.log AND m.user_id = ?1 AND m.left_position = 0
             WHERE c.community_id = ?3 AND c.name <> ''
               AND (c.visibility = 'public' OR m.user_id IS NOT NULL)
             ORDER BY c.id"
        );
        self.views(sql, params![reader, UserId::NIL, community]).await
    }

    async fn channels_by_name(
        &self,
        community: CommunityId,
        names: &[String],
        reader: UserId,
    ) -> Result<Vec<Channel>, StorageError> {
        let rows = names.iter().map(|name| params![community, name, reader]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_channel!(
                    "FROM channels c
                     LEFT JOIN memberships m ON m.log = c.log AND m.user_id = ?3
                       AND m.left_position = 0
                     WHERE c.community_id = ?1 AND c.name = ?2 AND c.name <> '' AND NOT c.archived
                       AND (c.visibility = 'public' OR m.user_id IS NOT NULL)"
                );
                conn.query_all_each(sql, rows, channel).await
            })
        })
        .await
    }

    async fn dm(&self, users: &[UserId]) -> Result<Option<ChannelId>, StorageError> {
        let params = params![dm_users(users)];
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT id FROM channels WHERE dm_users = ?1 AND dm_users <> ''";
                conn.query_first(sql, params, |row| row.id(0).map(ChannelId)).await
            })
        })
        .await
    }

    async fn in_channel(&self, channel: ChannelId, user: UserId) -> Result<bool, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM channels c JOIN memberships m ON m.log = c.log
                           WHERE c.id = ?1 AND m.user_id = ?2 AND m.left_position = 0";
                Ok(conn.query_first(sql, params![channel, user], |_| Ok(())).await?.is_some())
            })
        })
        .await
    }

    async fn channel_members(
        &self,
        channel: ChannelId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<Membership>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT u.id, u.username, u.display_name, u.identity, u.server_role,
                             u.bot, u.discoverable, u.status, u.disabled, u.created_at, m.role,
                             m.joined_at, COALESCE(n.nickname, '')
                           FROM channels c JOIN memberships m ON m.log = c.log
                           JOIN users u ON u.id = m.user_id
                           LEFT JOIN logs g ON g.owner = c.community_id AND g.kind = 'g'
                           LEFT JOIN memberships n ON n.log = g.id AND n.user_id = m.user_id
                           WHERE c.id = ?1 AND m.left_position = 0 AND m.user_id > ?2
                           ORDER BY m.user_id LIMIT ?3";
                conn.query(sql, params![channel, after, limit], membership).await
            })
        })
        .await
    }
}

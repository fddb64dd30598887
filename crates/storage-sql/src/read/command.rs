//! Commands of bots.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, Timestamp, User, UserId};
use tidings_storage::command::{StoredCommand, StoredInvocation};
use tidings_storage::{CommandRepository, StorageError};
use uuid::Uuid;

use crate::conn::{Row, params};
use crate::read::account;
use crate::store::SqlStore;

fn command(row: &Row<'_>) -> Result<StoredCommand, StorageError> {
    Ok(StoredCommand {
        community_id: CommunityId(row.id(0)?),
        bot_id: UserId(row.id(1)?),
        name: row.text(2)?,
        summary: row.text(3)?,
        args: row.text(4)?,
    })
}

#[async_trait]
impl CommandRepository for SqlStore {
    async fn commands_of(
        &self,
        community: CommunityId,
    ) -> Result<Vec<(StoredCommand, User)>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT c.community_id, c.bot_id, c.name, c.summary, c.args,
                             u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
                             u.discoverable, u.status, u.disabled, u.created_at
                           FROM bot_commands c JOIN users u ON u.id = c.bot_id
                           JOIN logs l ON l.owner = c.community_id AND l.kind = 'g'
                           JOIN memberships m ON m.log = l.id AND m.user_id = c.bot_id
                             AND m.left_position = 0
                           WHERE c.community_id = ?1 AND NOT u.disabled LIMIT 2000";
                let map = |row: &Row<'_>| Ok((command(row)?, account::user(row, 5)?));
                let mut found = conn.query(sql, params![community], map).await?;
                // By bytes: databases differ in how they sort hyphens.
                found.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
                Ok(found)
            })
        })
        .await
    }

    async fn bot_commands(&self, bot: UserId) -> Result<Vec<StoredCommand>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT community_id, bot_id, name, summary, args FROM bot_commands
                           WHERE bot_id = ?1";
                let mut found = conn.query(sql, params![bot], command).await?;
                found.sort_by(|one, other| one.name.cmp(&other.name));
                Ok(found)
            })
        })
        .await
    }

    async fn invocation(&self, id: Uuid) -> Result<Option<StoredInvocation>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT id, bot_id, user_id, channel_id, expires_at FROM invocations
                           WHERE id = ?1";
                let map = |row: &Row<'_>| {
                    Ok(StoredInvocation {
                        id: row.id(0)?,
                        bot_id: UserId(row.id(1)?),
                        user_id: UserId(row.id(2)?),
                        channel_id: ChannelId(row.id(3)?),
                        expires_at: Timestamp(row.int(4)?),
                    })
                };
                conn.query_first(sql, params![id], map).await
            })
        })
        .await
    }
}

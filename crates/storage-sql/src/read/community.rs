//! Communities, members and invites.

use async_trait::async_trait;
use tidings_domain::{ChannelId, Community, CommunityId, InviteCode, Role, Timestamp, UserId};
use tidings_storage::change::Digest;
use tidings_storage::community::{Membership, StoredInvite};
use tidings_storage::{CommunityRepository, StorageError};

use crate::conn::{Row, params};
use crate::error::word;
use crate::read::account::{self, USER_COLUMNS};
use crate::store::SqlStore;

/// How many columns a community has.
const COMMUNITY_COLUMNS: usize = 5;

/// Reads a community from the columns that begin at one.
pub(crate) fn community_at(row: &Row<'_>, first: usize) -> Result<Community, StorageError> {
    Ok(Community {
        id: CommunityId(row.id(first)?),
        name: row.text(first + 1)?,
        slug: row.text(first + 2)?,
        created_at: Timestamp(row.int(first + 3)?),
        approval: row.bool(first + 4)?,
    })
}

fn community(row: &Row<'_>) -> Result<Community, StorageError> {
    community_at(row, 0)
}

pub(crate) fn role(row: &Row<'_>, column: usize) -> Result<Role, StorageError> {
    row.text(column)?.parse().map_err(word("memberships.role"))
}

/// Reads a membership from the columns of an account, then role, `joined_at` and nickname.
pub(crate) fn membership(row: &Row<'_>) -> Result<Membership, StorageError> {
    Ok(Membership {
        user: account::user(row, 0)?,
        role: role(row, USER_COLUMNS)?,
        joined_at: Timestamp(row.int(USER_COLUMNS + 1)?),
        nickname: Some(row.text(USER_COLUMNS + 2)?).filter(|name| !name.is_empty()),
    })
}

fn invite(row: &Row<'_>) -> Result<StoredInvite, StorageError> {
    let limit = |column| -> Result<Option<u32>, StorageError> {
        let Some(value) = row.opt_int(column)? else { return Ok(None) };
        u32::try_from(value).map(Some).map_err(|_| crate::conn::corrupt("invites", &value))
    };
    Ok(StoredInvite {
        code_hash: row.hash(0)?,
        code: InviteCode(row.text(1)?),
        community_id: CommunityId(row.id(2)?),
        created_by: UserId(row.id(3)?),
        created_at: Timestamp(row.int(4)?),
        max_uses: limit(5)?,
        uses: row.count32(6)?,
        expires_at: row.opt_int(7)?.map(Timestamp),
        role: role(row, 8)?,
        claims: row.opt_id(9)?.map(UserId),
        approval: row.bool(10)?,
    })
}

const MEMBER: &str = "SELECT u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
     u.discoverable, u.status, u.disabled, u.created_at, m.role, m.joined_at, m.nickname
   FROM logs l JOIN memberships m ON m.log = l.id JOIN users u ON u.id = m.user_id
   WHERE l.owner = ?1 AND l.kind = 'g' AND m.left_position = 0 AND m.user_id = ?2";
const MEMBERS: &str = "SELECT u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
     u.discoverable, u.status, u.disabled, u.created_at, m.role, m.joined_at, m.nickname
   FROM logs l JOIN memberships m ON m.log = l.id JOIN users u ON u.id = m.user_id
   WHERE l.owner = ?1 AND l.kind = 'g' AND m.left_position = 0 AND m.user_id > ?2
   ORDER BY m.user_id LIMIT ?3";

#[async_trait]
impl CommunityRepository for SqlStore {
    async fn community(&self, id: CommunityId) -> Result<Option<Community>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql =
                    "SELECT id, name, slug, created_at, approval FROM communities WHERE id = ?1";
                conn.query_first(sql, params![id], community).await
            })
        })
        .await
    }

    async fn community_by_slug(&self, slug: &str) -> Result<Option<Community>, StorageError> {
        let params = params![slug];
        self.read(move |conn| {
            Box::pin(async move {
                let sql =
                    "SELECT id, name, slug, created_at, approval FROM communities WHERE slug = ?1";
                conn.query_first(sql, params, community).await
            })
        })
        .await
    }

    async fn communities_of(&self, user: UserId) -> Result<Vec<(Community, Role)>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT c.id, c.name, c.slug, c.created_at, c.approval, m.role
                           FROM memberships m JOIN logs l ON l.id = m.log AND l.kind = 'g'
                           JOIN communities c ON c.id = l.owner
                           WHERE m.user_id = ?1 AND m.left_position = 0 ORDER BY c.id";
                conn.query(sql, params![user], |row| {
                    Ok((community(row)?, role(row, COMMUNITY_COLUMNS)?))
                })
                .await
            })
        })
        .await
    }

    async fn community_role(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<Role>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT m.role FROM logs l JOIN memberships m ON m.log = l.id
                           WHERE l.owner = ?1 AND l.kind = 'g' AND m.user_id = ?2
                             AND m.left_position = 0";
                conn.query_first(sql, params![community, user], |row| role(row, 0)).await
            })
        })
        .await
    }

    async fn community_member(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<Membership>, StorageError> {
        self.read(move |conn| {
            Box::pin(
                async move { conn.query_first(MEMBER, params![community, user], membership).await },
            )
        })
        .await
    }

    async fn community_members(
        &self,
        community: CommunityId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<Membership>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                conn.query(MEMBERS, params![community, after, limit], membership).await
            })
        })
        .await
    }

    async fn share_a_room(&self, one: UserId, other: UserId) -> Result<bool, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT 1 FROM memberships a JOIN memberships b ON b.log = a.log
                           WHERE a.user_id = ?1 AND b.user_id = ?2
                             AND a.left_position = 0 AND b.left_position = 0 LIMIT 1";
                Ok(conn.query_first(sql, params![one, other], |_| Ok(())).await?.is_some())
            })
        })
        .await
    }

    async fn default_channels(
        &self,
        community: CommunityId,
    ) -> Result<Vec<ChannelId>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT id FROM channels
                           WHERE community_id = ?1 AND is_default AND NOT archived AND name <> ''
                           ORDER BY id";
                conn.query(sql, params![community], |row| row.id(0).map(ChannelId)).await
            })
        })
        .await
    }

    async fn invites(&self, community: CommunityId) -> Result<Vec<StoredInvite>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT code_hash, code, community_id, created_by, created_at, max_uses,
                             uses, expires_at, role, claims, approval FROM invites
                           WHERE community_id = ?1 ORDER BY created_at, code_hash LIMIT 1000";
                conn.query(sql, params![community], invite).await
            })
        })
        .await
    }

    async fn invite(&self, code_hash: &Digest) -> Result<Option<StoredInvite>, StorageError> {
        let code_hash = *code_hash;
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT code_hash, code, community_id, created_by, created_at, max_uses,
                             uses, expires_at, role, claims, approval FROM invites WHERE code_hash = ?1";
                conn.query_first(sql, params![code_hash], invite).await
            })
        })
        .await
    }
}

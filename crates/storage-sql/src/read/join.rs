//! Requests to join.

use async_trait::async_trait;
use tidings_domain::{Community, CommunityId, Timestamp, User, UserId};
use tidings_storage::join::StoredJoinRequest;
use tidings_storage::{JoinRepository, StorageError};

use crate::conn::{Row, params};
use crate::read::{account, community};
use crate::store::SqlStore;

/// How many columns a request has.
const COLUMNS: usize = 6;

macro_rules! select_request {
    ($rest:literal) => {
        concat!(
            "SELECT j.community_id, j.user_id, j.invited_by, j.role, j.created_at,
               j.refused_until",
            $rest
        )
    };
}

fn request(row: &Row<'_>) -> Result<StoredJoinRequest, StorageError> {
    Ok(StoredJoinRequest {
        community_id: CommunityId(row.id(0)?),
        user_id: UserId(row.id(1)?),
        invited_by: UserId(row.id(2)?),
        role: community::role(row, 3)?,
        created_at: Timestamp(row.int(4)?),
        refused_until: row.opt_int(5)?.map(Timestamp),
    })
}

#[async_trait]
impl JoinRepository for SqlStore {
    async fn join_request(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<StoredJoinRequest>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_request!(
                    " FROM join_requests j WHERE j.community_id = ?1 AND j.user_id = ?2"
                );
                conn.query_first(sql, params![community, user], request).await
            })
        })
        .await
    }

    async fn join_requests_to(
        &self,
        community: CommunityId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<(StoredJoinRequest, User)>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_request!(
                    ", u.id, u.username, u.display_name, u.identity, u.server_role, u.bot,
                       u.discoverable, u.status, u.disabled, u.created_at
                     FROM join_requests j JOIN users u ON u.id = j.user_id
                     WHERE j.community_id = ?1 AND j.user_id > ?2 ORDER BY j.user_id LIMIT ?3"
                );
                let map = |row: &Row<'_>| Ok((request(row)?, account::user(row, COLUMNS)?));
                conn.query(sql, params![community, after, limit], map).await
            })
        })
        .await
    }

    async fn join_requests_of(
        &self,
        user: UserId,
    ) -> Result<Vec<(StoredJoinRequest, Community)>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_request!(
                    ", c.id, c.name, c.slug, c.created_at, c.approval
                     FROM join_requests j JOIN communities c ON c.id = j.community_id
                     WHERE j.user_id = ?1 ORDER BY c.id LIMIT 1000"
                );
                let map =
                    |row: &Row<'_>| Ok((request(row)?, community::community_at(row, COLUMNS)?));
                conn.query(sql, params![user], map).await
            })
        })
        .await
    }

    async fn admins_of(
        &self,
        community: CommunityId,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT m.user_id FROM logs l JOIN memberships m ON m.log = l.id
                           WHERE l.owner = ?1 AND l.kind = 'g' AND m.left_position = 0
                             AND m.role IN ('owner', 'admin')
                           ORDER BY CASE m.role WHEN 'owner' THEN 0 ELSE 1 END, m.user_id LIMIT ?2";
                conn.query(sql, params![community, limit], |row| row.id(0).map(UserId)).await
            })
        })
        .await
    }
}

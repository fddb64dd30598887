//! Messages that were reported.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, MessageId, ReportId, Timestamp, UserId};
use tidings_storage::report::StoredReport;
use tidings_storage::{ReportRepository, StorageError};

use crate::conn::{Row, params};
use crate::store::SqlStore;

macro_rules! select_report {
    ($rest:literal) => {
        concat!(
            "SELECT id, community_id, channel_id, message_id, reporter, reason, created_at,
               resolved_by, resolved_at FROM reports ",
            $rest
        )
    };
}

fn report(row: &Row<'_>) -> Result<StoredReport, StorageError> {
    let resolved_at = Timestamp(row.int(8)?);
    let resolved = (UserId(row.id(7)?), resolved_at);
    Ok(StoredReport {
        id: ReportId(row.id(0)?),
        community_id: Some(CommunityId(row.id(1)?)).filter(|id| *id != CommunityId::NIL),
        channel_id: ChannelId(row.id(2)?),
        message_id: MessageId(row.id(3)?),
        reporter: UserId(row.id(4)?),
        reason: row.text(5)?,
        created_at: Timestamp(row.int(6)?),
        resolved: (resolved_at != Timestamp(0)).then_some(resolved),
    })
}

#[async_trait]
impl ReportRepository for SqlStore {
    async fn report(&self, id: ReportId) -> Result<Option<StoredReport>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                conn.query_first(select_report!("WHERE id = ?1"), params![id], report).await
            })
        })
        .await
    }

    async fn reports(
        &self,
        community: Option<CommunityId>,
        open: bool,
        before: ReportId,
        limit: usize,
    ) -> Result<Vec<StoredReport>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = if open {
                    select_report!(
                        "WHERE community_id = ?1 AND id < ?2 AND resolved_at = 0
                         ORDER BY id DESC LIMIT ?3"
                    )
                } else {
                    select_report!("WHERE community_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3")
                };
                let of = params![community.unwrap_or(CommunityId::NIL), before, limit];
                conn.query(sql, of, report).await
            })
        })
        .await
    }

    async fn keepers(
        &self,
        community: Option<CommunityId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let user = |row: &Row<'_>| Ok(UserId(row.id(0)?));
                let Some(community) = community else {
                    let sql =
                        "SELECT id FROM users WHERE server_role = 'owner' ORDER BY id LIMIT ?1";
                    return conn.query(sql, params![limit], user).await;
                };
                let sql = "SELECT m.user_id FROM logs l JOIN memberships m ON m.log = l.id
                           WHERE l.kind = 'g' AND l.owner = ?1 AND m.left_position = 0
                             AND m.role IN ('owner', 'admin') ORDER BY m.user_id LIMIT ?2";
                conn.query(sql, params![community, limit], user).await
            })
        })
        .await
    }
}

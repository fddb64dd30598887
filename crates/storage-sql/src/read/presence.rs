//! Who may see whom, and when somebody was last here.

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};
use tidings_storage::presence::Acquaintance;
use tidings_storage::{PresenceRepository, StorageError};

use crate::conn::params;
use crate::store::SqlStore;

#[async_trait]
impl PresenceRepository for SqlStore {
    async fn acquaintances(
        &self,
        viewer: UserId,
        targets: &[UserId],
    ) -> Result<Vec<Acquaintance>, StorageError> {
        let asked = targets.iter().map(|target| params![viewer, *target]).collect();
        self.read(move |conn| {
            Box::pin(async move {
                let sql = "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM memberships a
                             JOIN memberships b ON b.log = a.log JOIN logs l ON l.id = a.log
                             WHERE a.user_id = ?1 AND b.user_id = ?2 AND l.kind = 'c'
                               AND a.left_position = 0 AND b.left_position = 0)
                           AND NOT EXISTS (SELECT 1 FROM blocks
                             WHERE (user_id = ?1 AND blocked_id = ?2)
                               OR (user_id = ?2 AND blocked_id = ?1))
                           THEN 1 ELSE 0 END AS BIGINT),
                           (SELECT at FROM last_seen WHERE user_id = ?2)";
                let found = conn
                    .query_each(sql, asked, |row| {
                        Ok(Acquaintance {
                            allowed: row.int(0)? == 1,
                            last_seen: row.opt_int(1)?.map(Timestamp),
                        })
                    })
                    .await?;
                let unknown = Acquaintance { allowed: false, last_seen: None };
                Ok(found.into_iter().map(|found| found.unwrap_or(unknown)).collect())
            })
        })
        .await
    }
}

//! Reports.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tidings_domain::{CommunityId, MessageId, ReportId, Role, ServerRole, Timestamp, UserId};

use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::report::{ReportRepository, StoredReport};

#[derive(Debug, Default)]
pub(super) struct Reports(BTreeMap<ReportId, StoredReport>);

impl Reports {
    pub(super) fn has(&self, message: MessageId, reporter: UserId) -> bool {
        self.0.values().any(|it| it.message_id == message && it.reporter == reporter)
    }

    pub(super) fn add(&mut self, report: StoredReport) {
        if !self.has(report.message_id, report.reporter) {
            self.0.insert(report.id, report);
        }
    }

    pub(super) fn resolve(&mut self, id: ReportId, user: UserId, at: Timestamp) {
        if let Some(report) = self.0.get_mut(&id) {
            report.resolved.get_or_insert((user, at));
        }
    }
}

#[async_trait]
impl ReportRepository for MemoryStore {
    async fn report(&self, id: ReportId) -> Result<Option<StoredReport>, StorageError> {
        Ok(self.state().reports.0.get(&id).cloned())
    }

    async fn reports(
        &self,
        community: Option<CommunityId>,
        open: bool,
        before: ReportId,
        limit: usize,
    ) -> Result<Vec<StoredReport>, StorageError> {
        let state = self.state();
        let rows = state.reports.0.range(..before).rev().map(|(_, row)| row);
        let wanted = rows.filter(|row| row.community_id == community);
        let wanted = wanted.filter(|row| !open || row.resolved.is_none());
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn keepers(
        &self,
        community: Option<CommunityId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        let state = self.state();
        let mut keepers: Vec<UserId> = match community {
            None => {
                let users = state.accounts.users();
                users.filter(|it| it.server_role == ServerRole::Owner).map(|it| it.id).collect()
            }
            Some(community) => {
                let members = state.projections.communities.get(&community).into_iter().flatten();
                let present = members.filter(|(_, member)| member.is_present());
                present.filter(|(_, it)| it.role >= Role::Admin).map(|(user, _)| *user).collect()
            }
        };
        keepers.sort_unstable();
        keepers.truncate(limit);
        Ok(keepers)
    }
}

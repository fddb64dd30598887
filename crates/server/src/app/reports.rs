//! Reports of messages, to the admins of the community; of messages in DMs to the server's owner.

use tidings_domain::{CommunityId, NotificationKind, ReportId, UserId};
use tidings_storage::report::StoredReport;
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::report::Report as ReportView;
use uuid::Uuid;

use super::App;
use super::messages::standing;
use super::pins::live;
use crate::access::{CommunityAdmin, MessageReader, ReportManager, ServerOwner};
use crate::error::ApiError;
use crate::limit::Key;

/// Most characters of a reason.
const REASON_MAX: usize = 500;
/// Most people who are told of one report.
const TOLD_MAX: usize = 50;

/// From [`App::reports`].
#[derive(Debug, Clone, Copy)]
pub struct Reports<'a>(pub(super) &'a App);

impl Reports<'_> {
    /// Reports the message and tells those who keep order. Again does nothing.
    pub async fn add(&self, right: &MessageReader, reason: &str) -> Result<(), ApiError> {
        let app = self.0;
        live(right)?;
        let (reader, message) = (right.reader(), right.message());
        let (channel, reporter) = (reader.channel(), reader.user());
        app.limit(Key::Writes(reporter), app.settings().limits.writes)?;
        let reason = reason.trim();
        let length = reason.chars().count();
        if length == 0 || length > REASON_MAX {
            let detail = format!("must be 1 to {REASON_MAX} characters, not {length}");
            return Err(ApiError::field("reason", "length", detail));
        }
        let community = channel.community_id;
        let report = StoredReport {
            id: ReportId(app.new_id()),
            community_id: community,
            channel_id: channel.id,
            message_id: message.id,
            reporter,
            reason: reason.to_owned(),
            created_at: app.now(),
            resolved: None,
        };
        let mut entries = Vec::new();
        let (kind, place) = (NotificationKind::System, (community, None));
        for keeper in app.store().keepers(community, TOLD_MAX).await? {
            if keeper != reporter {
                entries.push(app.notifications().about(keeper, kind, place, reporter).await?);
            }
        }
        let mut preconditions = standing(reader);
        preconditions.push(Precondition::Unreported(message.id, reporter));
        let records = vec![Record::Report(report)];
        let change = Change { preconditions, records, entries, ..Change::default() };
        match app.commit(change).await {
            Ok(_)
            | Err(ChangeError::Refused(Refusal::Precondition(Precondition::Unreported(..)))) => {
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Reports of messages in the community, newest first, those before an id, at most `limit`.
    pub async fn list(
        &self,
        right: &CommunityAdmin,
        all: bool,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<ReportView>, ApiError> {
        let member = right.member();
        self.page(Some(member.community()), member.user(), all, before, limit).await
    }

    /// Reports of messages in DMs, newest first, those before an id, at most `limit`.
    pub async fn list_direct(
        &self,
        right: &ServerOwner,
        all: bool,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<ReportView>, ApiError> {
        self.page(None, right.user(), all, before, limit).await
    }

    async fn page(
        &self,
        community: Option<CommunityId>,
        reader: UserId,
        all: bool,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<ReportView>, ApiError> {
        let app = self.0;
        let before = ReportId(before.unwrap_or(Uuid::max()));
        let found = app.store().reports(community, !all, before, limit).await?;
        let mut reports = Vec::with_capacity(found.len());
        for report in found {
            let message = match app.store().message(report.message_id, reader).await? {
                Some(message) => Some(Box::new(app.messages().present(message).await?)),
                None => None,
            };
            // Accounts are never removed without what they reported.
            let Some(reporter) = app.accounts().authors(&[report.reporter]).await?.pop() else {
                continue;
            };
            reports.push(ReportView {
                channel_id: report.channel_id.0,
                created_at: report.created_at.into(),
                id: report.id.0,
                message,
                message_id: report.message_id.0,
                reason: report.reason,
                reporter,
                resolved_at: report.resolved.map(|(_, at)| at.into()),
                resolved_by: report.resolved.map(|(user, _)| user.0),
            });
        }
        Ok(reports)
    }

    /// Marks the report as dealt with. Again does nothing.
    pub async fn resolve(&self, right: &ReportManager) -> Result<(), ApiError> {
        let app = self.0;
        let report = right.report();
        if report.resolved.is_some() {
            return Ok(());
        }
        let actor = right.actor();
        app.limit(Key::Writes(actor.user), app.settings().limits.writes)?;
        let community = report.community_id.unwrap_or(CommunityId::NIL);
        let act = app.act(actor, community, "report.resolve");
        let act = act.on("message", report.message_id.0, "").with("reason", &*report.reason);
        let records = vec![Record::ResolveReport(report.id, actor.user, app.now()), act.record()];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }
}

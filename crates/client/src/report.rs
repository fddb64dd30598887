//! Reports of messages.

use tidings_domain::{CommunityId, MessageId, ReportId};
use tidings_wire::List;
use tidings_wire::report::{Report, ReportMessage};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Reports a message to those who keep order; again does nothing.
    pub async fn report(&self, id: MessageId, reason: &str) -> Result<(), ClientError> {
        let body = ReportMessage { reason: reason.to_owned() };
        self.post(&["v1", "messages", &id.to_string(), "report"]).json(&body).done().await
    }

    /// A page of the reports in a community, or of those in DMs; newest first, after the `next` of
    /// the page before; with `all` those too that somebody has dealt with.
    pub async fn reports_page(
        &self,
        community: Option<CommunityId>,
        all: bool,
        after: Option<&str>,
    ) -> Result<List<Report>, ClientError> {
        let id = community.map(|id| id.to_string());
        let request = match &id {
            Some(id) => self.get(&["v1", "communities", id, "reports"]),
            None => self.get(&["v1", "admin", "reports"]),
        };
        request.query("all", all).query("limit", 200).query_some("after", after).read().await
    }

    /// Marks a report as dealt with; again does nothing.
    pub async fn resolve_report(&self, id: ReportId) -> Result<(), ClientError> {
        self.post(&["v1", "reports", &id.to_string(), "resolve"]).done().await
    }
}

//! Messages that were reported to those who keep order.

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, MessageId, ReportId, Timestamp, UserId};

use crate::error::StorageError;

/// A report of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    /// Its id.
    pub id: ReportId,
    /// Whose admins it is for; none for a DM, whose reports are for the owner of the server.
    pub community_id: Option<CommunityId>,
    /// Where the message stands.
    pub channel_id: ChannelId,
    /// The message.
    pub message_id: MessageId,
    /// Who reported it.
    pub reporter: UserId,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
    /// Who dealt with it, and when.
    pub resolved: Option<(UserId, Timestamp)>,
}

/// Reads of reports.
#[async_trait]
pub trait ReportRepository {
    /// A report by its id.
    async fn report(&self, id: ReportId) -> Result<Option<StoredReport>, StorageError>;

    /// Reports of messages in the community, or in DMs; newest first, those before an id, at most
    /// `limit`; only those that nobody has dealt with, if so asked.
    async fn reports(
        &self,
        community: Option<CommunityId>,
        open: bool,
        before: ReportId,
        limit: usize,
    ) -> Result<Vec<StoredReport>, StorageError>;

    /// Owners and admins of the community, or the owners of the server, by id, at most `limit`.
    async fn keepers(
        &self,
        community: Option<CommunityId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError>;
}

//! Search in open rooms.

use tidings_domain::{ChannelId, CommunityId};
use tidings_wire::List;
use tidings_wire::message::SearchHit;

use crate::client::Client;
use crate::error::ClientError;

/// Where to search and how much to give.
#[derive(Debug, Clone, Default)]
pub struct SearchScope {
    /// Only in this channel.
    pub channel: Option<ChannelId>,
    /// Only in this community.
    pub community: Option<CommunityId>,
    /// Most hits of a page, 1 to 200; the server's default when absent.
    pub limit: Option<u16>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

impl Client {
    /// Searches what the caller may read, newest first. `query` has words, `"phrases"`, `from:ana`,
    /// `in:#ops`, `has:link`, `before:2026-05-01`, `after:…`.
    pub async fn search(
        &self,
        query: &str,
        scope: &SearchScope,
    ) -> Result<List<SearchHit>, ClientError> {
        self.get(&["v1", "search"])
            .query("q", query)
            .query_some("channel", scope.channel.map(|id| id.0))
            .query_some("community", scope.community.map(|id| id.0))
            .query_some("limit", scope.limit)
            .query_some("cursor", scope.cursor.as_deref())
            .read()
            .await
    }
}

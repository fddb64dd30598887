//! Requests to join a community whose admins decide who comes in.

use async_trait::async_trait;
use tidings_domain::{Community, CommunityId, Role, Timestamp, User, UserId};

use crate::error::StorageError;

/// A request as it is kept: until an admin approves it, and for a while after one refused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJoinRequest {
    /// Where to.
    pub community_id: CommunityId,
    /// Who asks.
    pub user_id: UserId,
    /// Who made their invite.
    pub invited_by: UserId,
    /// The role that the invite gives.
    pub role: Role,
    /// When they asked.
    pub created_at: Timestamp,
    /// Until when they cannot ask again; `None` while they wait.
    pub refused_until: Option<Timestamp>,
}

/// Reads of requests to join.
#[async_trait]
pub trait JoinRepository {
    /// The request of one user to one community.
    async fn join_request(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<StoredJoinRequest>, StorageError>;

    /// The requests to a community with whoever asks, in order of their ids after one, at most
    /// `limit`.
    async fn join_requests_to(
        &self,
        community: CommunityId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<(StoredJoinRequest, User)>, StorageError>;

    /// The requests of a user with their communities, in order of these ids; at most 1,000.
    async fn join_requests_of(
        &self,
        user: UserId,
    ) -> Result<Vec<(StoredJoinRequest, Community)>, StorageError>;

    /// Owners, then admins of a community, at most `limit`: those who are told of requests.
    async fn admins_of(
        &self,
        community: CommunityId,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError>;
}

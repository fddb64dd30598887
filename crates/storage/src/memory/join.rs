//! Requests to join.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use tidings_domain::{Community, CommunityId, Role, Timestamp, User, UserId};

use crate::error::StorageError;
use crate::join::{JoinRepository, StoredJoinRequest};
use crate::memory::MemoryStore;

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct JoinRequests(BTreeMap<(CommunityId, UserId), StoredJoinRequest>);

impl JoinRequests {
    /// Whether the user was refused; `None` when they have not asked.
    pub(super) fn state(&self, community: CommunityId, user: UserId) -> Option<bool> {
        self.0.get(&(community, user)).map(|request| request.refused_until.is_some())
    }

    pub(super) fn put(&mut self, request: StoredJoinRequest) {
        self.0.insert((request.community_id, request.user_id), request);
    }

    pub(super) fn delete(&mut self, community: CommunityId, user: UserId) {
        self.0.remove(&(community, user));
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        self.0.retain(|_, request| request.refused_until.is_none_or(|end| end >= now));
    }
}

#[async_trait]
impl JoinRepository for MemoryStore {
    async fn join_request(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<StoredJoinRequest>, StorageError> {
        Ok(self.state().joins.0.get(&(community, user)).cloned())
    }

    async fn join_requests_to(
        &self,
        community: CommunityId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<(StoredJoinRequest, User)>, StorageError> {
        let state = self.state();
        let rows = state.joins.0.values();
        let rows = rows.filter(|row| row.community_id == community && row.user_id > after);
        let with_user =
            rows.filter_map(|row| Some((row.clone(), state.accounts.user(row.user_id)?.clone())));
        Ok(with_user.take(limit).collect())
    }

    async fn join_requests_of(
        &self,
        user: UserId,
    ) -> Result<Vec<(StoredJoinRequest, Community)>, StorageError> {
        let state = self.state();
        let rows = state.joins.0.values().filter(|row| row.user_id == user);
        let with_community = rows.filter_map(|row| {
            Some((row.clone(), state.communities.by_id(row.community_id)?.clone()))
        });
        Ok(with_community.take(LIST_MAX).collect())
    }

    async fn admins_of(
        &self,
        community: CommunityId,
        limit: usize,
    ) -> Result<Vec<UserId>, StorageError> {
        let state = self.state();
        let mut admins = state.projections.present(community);
        admins.sort_by_key(|(id, role)| (Reverse(*role), *id));
        let at_least = admins.into_iter().filter(|(_, role)| *role >= Role::Admin);
        Ok(at_least.map(|(id, _)| id).take(limit).collect())
    }
}

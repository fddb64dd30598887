//! Communities, their members and invites.

use async_trait::async_trait;
use tidings_domain::{
    ChannelId, Community, CommunityId, InviteCode, Role, Timestamp, User, UserId,
};

use crate::change::Digest;
use crate::error::StorageError;

/// An invite as it is kept. The code stays readable because its makers may list their links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInvite {
    /// SHA-256 of the code; what it is looked up by.
    pub code_hash: Digest,
    /// The code.
    pub code: InviteCode,
    /// Where it leads.
    pub community_id: CommunityId,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// How often it may be used.
    pub max_uses: Option<u32>,
    /// How often it was used.
    pub uses: u32,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// The role that it gives.
    pub role: Role,
    /// Whether those who use it wait until an admin lets them in.
    pub approval: bool,
    /// The ghost that whoever uses it takes over.
    pub claims: Option<UserId>,
}

impl StoredInvite {
    /// Whether it still works at `now`.
    pub fn usable(&self, now: Timestamp) -> bool {
        self.max_uses.is_none_or(|max| self.uses < max)
            && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Somebody's place in a community or channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Who.
    pub user: User,
    /// Their role.
    pub role: Role,
    /// What they are called in the community.
    pub nickname: Option<String>,
    /// Since when.
    pub joined_at: Timestamp,
}

/// Reads of communities.
#[async_trait]
pub trait CommunityRepository {
    /// The community.
    async fn community(&self, id: CommunityId) -> Result<Option<Community>, StorageError>;

    /// The community of that slug.
    async fn community_by_slug(&self, slug: &str) -> Result<Option<Community>, StorageError>;

    /// The communities that a user is in, by id, with the role.
    async fn communities_of(&self, user: UserId) -> Result<Vec<(Community, Role)>, StorageError>;

    /// The user's role in the community.
    async fn community_role(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<Role>, StorageError>;

    /// One member.
    async fn community_member(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<Membership>, StorageError>;

    /// Members in order of user ids after one, at most `limit`.
    async fn community_members(
        &self,
        community: CommunityId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<Membership>, StorageError>;

    /// Whether two users share a community, channel or DM.
    async fn share_a_room(&self, one: UserId, other: UserId) -> Result<bool, StorageError>;

    /// The channels that newcomers join.
    async fn default_channels(
        &self,
        community: CommunityId,
    ) -> Result<Vec<ChannelId>, StorageError>;

    /// Invites of a community, oldest first; at most 1,000.
    async fn invites(&self, community: CommunityId) -> Result<Vec<StoredInvite>, StorageError>;

    /// The invite under a code's hash.
    async fn invite(&self, code_hash: &Digest) -> Result<Option<StoredInvite>, StorageError>;
}

//! Communities, their members and invites.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use async_trait::async_trait;
use tidings_domain::{ChannelId, Community, CommunityId, Position, Role, Timestamp, User, UserId};

use crate::change::Digest;
use crate::community::{CommunityRepository, Membership, StoredInvite};
use crate::error::StorageError;
use crate::memory::account::Accounts;
use crate::memory::projection::Projections;
use crate::memory::{MemoryStore, State};

/// The most invites that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

/// The newest membership of somebody in a community or channel.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) role: Role,
    pub(super) nickname: Option<String>,
    pub(super) joined_at: Timestamp,
    pub(super) joined: Position,
    pub(super) left: Option<Position>,
}

impl Member {
    pub(super) const fn is_present(&self) -> bool {
        self.left.is_none()
    }

    /// Whether the log's entry at this position may be delivered.
    pub(super) fn sees(&self, position: Position) -> bool {
        match self.left {
            None => position >= self.joined,
            Some(left) => position == left,
        }
    }
}

/// Members of one community or channel; who left stays as a row.
pub(super) type Members = BTreeMap<UserId, Member>;

/// A page of those who are in, with their accounts.
pub(super) fn page(
    members: &Members,
    accounts: &Accounts,
    after: UserId,
    limit: usize,
) -> Vec<Membership> {
    let rows = members.range((Bound::Excluded(after), Bound::Unbounded));
    let present = rows.filter(|(_, member)| member.is_present());
    present
        .filter_map(|(id, member)| accounts.user(*id).map(|user| membership(user, member)))
        .take(limit)
        .collect()
}

fn membership(user: &User, member: &Member) -> Membership {
    Membership {
        user: user.clone(),
        role: member.role,
        nickname: member.nickname.clone(),
        joined_at: member.joined_at,
    }
}

#[derive(Debug, Default)]
pub(super) struct Communities {
    rows: BTreeMap<CommunityId, Community>,
    invites: HashMap<Digest, StoredInvite>,
}

impl Communities {
    pub(super) fn by_id(&self, id: CommunityId) -> Option<&Community> {
        self.rows.get(&id)
    }

    pub(super) fn by_slug(&self, slug: &str) -> Option<&Community> {
        self.rows.values().find(|community| community.slug == slug)
    }

    pub(super) fn create(&mut self, community: Community) {
        self.rows.insert(community.id, community);
    }

    pub(super) fn update(&mut self, community: Community) {
        if let Some(row) = self.rows.get_mut(&community.id) {
            row.name = community.name;
            row.slug = community.slug;
            row.approval = community.approval;
        }
    }

    pub(super) fn invite(&self, code: &Digest) -> Option<&StoredInvite> {
        self.invites.get(code)
    }

    pub(super) fn create_invite(&mut self, invite: StoredInvite) {
        self.invites.insert(invite.code_hash, invite);
    }

    pub(super) fn use_invite(&mut self, code: &Digest) {
        if let Some(invite) = self.invites.get_mut(code) {
            invite.uses += 1;
        }
    }

    pub(super) fn delete_invite(&mut self, code: &Digest) {
        self.invites.remove(code);
    }
}

impl Projections {
    pub(super) fn role(&self, community: CommunityId, user: UserId) -> Option<Role> {
        let member = self.communities.get(&community)?.get(&user)?;
        member.is_present().then_some(member.role)
    }

    /// Everybody who is in the community, with their role.
    pub(super) fn present(&self, community: CommunityId) -> Vec<(UserId, Role)> {
        let members = self.communities.get(&community).into_iter().flatten();
        let present = members.filter(|(_, member)| member.is_present());
        present.map(|(id, member)| (*id, member.role)).collect()
    }

    pub(super) fn has_other_owner(&self, community: CommunityId, user: UserId) -> bool {
        self.communities
            .get(&community)
            .into_iter()
            .flatten()
            .any(|(id, member)| *id != user && member.is_present() && member.role == Role::Owner)
    }

    fn communities_of(&self, user: UserId) -> BTreeSet<CommunityId> {
        let all = self.communities.keys().copied();
        all.filter(|community| self.role(*community, user).is_some()).collect()
    }

    /// Whether both are in one channel or DM.
    pub(super) fn share_a_channel(&self, one: UserId, other: UserId) -> bool {
        self.rooms.values().any(|room| room.has(one) && room.has(other))
    }

    fn channels_of(&self, user: UserId) -> BTreeSet<ChannelId> {
        let all = self.rooms.iter().filter(|(_, room)| room.has(user));
        all.map(|(id, _)| *id).collect()
    }
}

impl State {
    fn community_membership(&self, community: CommunityId, user: UserId) -> Option<Membership> {
        let member = self.projections.communities.get(&community)?.get(&user)?;
        let account = self.accounts.user(user)?;
        member.is_present().then(|| membership(account, member))
    }
}

#[async_trait]
impl CommunityRepository for MemoryStore {
    async fn community(&self, id: CommunityId) -> Result<Option<Community>, StorageError> {
        Ok(self.state().communities.rows.get(&id).cloned())
    }

    async fn community_by_slug(&self, slug: &str) -> Result<Option<Community>, StorageError> {
        Ok(self.state().communities.by_slug(slug).cloned())
    }

    async fn communities_of(&self, user: UserId) -> Result<Vec<(Community, Role)>, StorageError> {
        let state = self.state();
        let rows = state.communities.rows.values();
        Ok(rows
            .filter_map(|row| Some((row.clone(), state.projections.role(row.id, user)?)))
            .collect())
    }

    async fn community_role(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<Role>, StorageError> {
        Ok(self.state().projections.role(community, user))
    }

    async fn community_member(
        &self,
        community: CommunityId,
        user: UserId,
    ) -> Result<Option<Membership>, StorageError> {
        Ok(self.state().community_membership(community, user))
    }

    async fn community_members(
        &self,
        community: CommunityId,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<Membership>, StorageError> {
        let state = self.state();
        let members = state.projections.communities.get(&community);
        Ok(members.map_or_else(Vec::new, |all| page(all, &state.accounts, after, limit)))
    }

    async fn share_a_room(&self, one: UserId, other: UserId) -> Result<bool, StorageError> {
        let state = self.state();
        let rooms = &state.projections;
        Ok(!rooms.communities_of(one).is_disjoint(&rooms.communities_of(other))
            || !rooms.channels_of(one).is_disjoint(&rooms.channels_of(other)))
    }

    async fn default_channels(
        &self,
        community: CommunityId,
    ) -> Result<Vec<ChannelId>, StorageError> {
        let state = self.state();
        let channels = state.projections.channels_in(community);
        Ok(channels.filter(|it| it.default && !it.archived).map(|it| it.id).collect())
    }

    async fn invites(&self, community: CommunityId) -> Result<Vec<StoredInvite>, StorageError> {
        let state = self.state();
        let all = state.communities.invites.values();
        let mut invites: Vec<_> = all.filter(|it| it.community_id == community).cloned().collect();
        invites.sort_by_key(|invite| (invite.created_at, invite.code_hash));
        invites.truncate(LIST_MAX);
        Ok(invites)
    }

    async fn invite(&self, code_hash: &Digest) -> Result<Option<StoredInvite>, StorageError> {
        Ok(self.state().communities.invite(code_hash).cloned())
    }
}

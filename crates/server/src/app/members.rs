//! Members of communities: listing, roles, leaving, removing.

use tidings_domain::{Fact, LogId, Role, UserId};
use tidings_storage::community::Membership;
use tidings_storage::{Change, Precondition};
use tidings_wire::community::Member as MemberView;

use super::App;
use super::accounts::wire_author;
use super::change::{Merge, author};
use crate::access::{CommunityOwner, Member};
use crate::error::ApiError;

/// From [`App::members`].
#[derive(Debug, Clone, Copy)]
pub struct Members<'a>(pub(super) &'a App);

impl Members<'_> {
    /// Members in order of their ids, at most `limit`.
    pub async fn list(
        &self,
        right: &Member,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<MemberView>, ApiError> {
        let members = self.0.store().community_members(right.community(), after, limit).await?;
        Ok(members.iter().map(view).collect())
    }

    /// Gives a member another role. The last owner stays owner.
    pub async fn update(
        &self,
        right: &CommunityOwner,
        user: UserId,
        role: &str,
    ) -> Result<MemberView, ApiError> {
        let app = self.0;
        let role = parse_role(role)?;
        let (community, actor) = (right.member().community(), right.member().user());
        let mut merge = Merge::new(changed);
        loop {
            let found = app.store().community_member(community, user).await?;
            let member = found.ok_or_else(ApiError::not_found)?;
            if member.role == role {
                return Ok(view(&member));
            }
            let mut preconditions = vec![
                Precondition::CommunityRole(community, actor, Role::Owner),
                // Whoever was made owner in between is to be looked at as one.
                Precondition::RoleIs(community, user, member.role),
            ];
            if member.role == Role::Owner {
                preconditions.push(Precondition::OtherOwner(community, user));
            }
            let fact = Fact::MemberRoleChanged { user: author(&member.user), role };
            let log = LogId::Community(community);
            let entries = vec![app.entry(log, Some(community), actor, app.now(), fact)];
            let change = Change { preconditions, entries, ..Change::default() };
            if merge.commit(app, change).await? {
                return Ok(view(&Membership { role, ..member }));
            }
        }
    }

    /// Takes somebody out of the community and all of its channels. Oneself always, but for the
    /// last owner; others when one is admin, and admins and owners when one is owner.
    pub async fn remove(&self, right: &Member, user: UserId) -> Result<(), ApiError> {
        let app = self.0;
        let (id, actor) = (right.community(), right.user());
        app.store().community_member(id, user).await?.ok_or_else(ApiError::not_found)?;
        let mut merge = Merge::new(changed);
        loop {
            let found = app.store().community_member(id, user).await?;
            // Somebody else removed them a moment ago.
            let Some(member) = found else { return Ok(()) };
            let needed = match member.role {
                _ if user == actor => Role::Member,
                Role::Member => Role::Admin,
                Role::Admin | Role::Owner => Role::Owner,
            };
            if right.role() < needed {
                let detail = format!("Only an {needed} may remove this member.");
                return Err(ApiError::forbidden(detail));
            }
            let mut preconditions = vec![
                // Who was made admin or owner in between is removed as one, or not at all.
                Precondition::RoleIs(id, user, member.role),
                Precondition::CommunityRole(id, actor, needed),
            ];
            if member.role == Role::Owner {
                preconditions.push(Precondition::OtherOwner(id, user));
            }
            let now = app.now();
            let left = || Fact::MemberLeft { user: author(&member.user) };
            let mut entries = Vec::new();
            for view in app.store().community_channels(id, user).await? {
                if view.joined {
                    let log = LogId::Conversation(view.channel.id);
                    entries.push(app.entry(log, Some(id), actor, now, left()));
                }
            }
            entries.push(app.entry(LogId::Community(id), Some(id), actor, now, left()));
            if merge.commit(app, Change { preconditions, entries, ..Change::default() }).await? {
                return Ok(());
            }
        }
    }
}

/// Whether a change was refused because the member's role changed in between.
const fn changed(refused: &Precondition) -> bool {
    matches!(refused, Precondition::RoleIs(..))
}

/// Reads a role of a request.
pub(super) fn parse_role(text: &str) -> Result<Role, ApiError> {
    text.parse().map_err(|error: tidings_domain::community::UnknownWord| {
        ApiError::field("role", "unknown", error.to_string())
    })
}

/// A member, for the network.
pub(super) fn view(member: &Membership) -> MemberView {
    MemberView {
        user: wire_author(&member.user),
        role: member.role.as_str().to_owned(),
        nickname: None,
        joined_at: member.joined_at.into(),
    }
}

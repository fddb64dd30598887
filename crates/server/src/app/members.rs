//! Members of communities: listing, roles, leaving, removing.

use tidings_domain::{CommunityId, Fact, LogId, NotificationKind, Role, User, UserId, name};
use tidings_storage::community::Membership;
use tidings_storage::{Change, NewEntry, Precondition};
use tidings_wire::community::{Member as MemberView, UpdateMember};

use super::App;
use super::accounts::wire_author;
use super::change::{Merge, author};
use crate::access::Member;
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

    /// Changes role or nickname; what is absent stays. Roles are for owners, and the last owner
    /// stays owner. Everybody names themselves; admins name members, owners name anybody.
    pub async fn update(
        &self,
        right: &Member,
        user: UserId,
        update: &UpdateMember,
    ) -> Result<MemberView, ApiError> {
        let app = self.0;
        let role = update.role.as_deref().map(parse_role).transpose()?;
        let nickname = update.nickname.as_deref().map(parse_nickname).transpose()?;
        let (id, actor) = (right.community(), right.user());
        let mut merge = Merge::new(changed);
        loop {
            let found = app.store().community_member(id, user).await?;
            let mut member = found.ok_or_else(ApiError::not_found)?;
            let needed = match (role, &nickname) {
                (Some(_), _) => Role::Owner,
                (None, Some(_)) => needed_against(&member, actor),
                (None, None) => Role::Member,
            };
            if right.role() < needed {
                return Err(ApiError::forbidden(format!("Only an {needed} may do this.")));
            }
            let mut change = Change::default();
            change.preconditions.extend([
                Precondition::CommunityRole(id, actor, needed),
                // Whoever was made owner in between is to be looked at as one.
                Precondition::RoleIs(id, user, member.role),
            ]);
            if let Some(role) = role {
                self.give(&mut change, right, &mut member, role).await?;
            }
            if let Some(nickname) = &nickname {
                self.name(&mut change, right, &mut member, nickname.as_deref());
            }
            if change.entries.is_empty() || merge.commit(app, change).await? {
                return Ok(view(&member));
            }
        }
    }

    /// Adds a new role to a change.
    async fn give(
        self,
        change: &mut Change,
        right: &Member,
        member: &mut Membership,
        role: Role,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let (id, user) = (right.community(), &member.user);
        if member.role == role {
            return Ok(());
        }
        if member.role == Role::Owner {
            change.preconditions.push(Precondition::OtherOwner(id, user.id));
        }
        let act = app.act(right.actor(), id, "member.role").on_user(user);
        change.records.push(act.with("role", role.as_str()).record());
        let fact = Fact::MemberRoleChanged { user: author(user), role };
        let log = LogId::Community(id);
        change.entries.push(app.entry(log, Some(id), right.user(), app.now(), fact));
        if user.id != right.user() {
            let (kind, place) = (NotificationKind::System, (Some(id), None));
            let told = app.notifications().about(user.id, kind, place, right.user()).await?;
            change.entries.push(told);
        }
        member.role = role;
        Ok(())
    }

    /// Adds a new nickname to a change.
    fn name(
        self,
        change: &mut Change,
        right: &Member,
        member: &mut Membership,
        nickname: Option<&str>,
    ) {
        let app = self.0;
        let (id, user) = (right.community(), &member.user);
        if member.nickname.as_deref() == nickname {
            return;
        }
        if user.id != right.user() {
            let act = app.act(right.actor(), id, "member.nickname").on_user(user);
            change.records.push(act.with_some("nickname", nickname).record());
        }
        let nickname = nickname.map(str::to_owned);
        let fact = Fact::MemberUpdated { user: author(user), nickname: nickname.clone() };
        let log = LogId::Community(id);
        change.entries.push(app.entry(log, Some(id), right.user(), app.now(), fact));
        member.nickname = nickname;
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
            let needed = needed_against(&member, actor);
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
            let mut entries = self.leave_channels(id, &member.user, actor).await?;
            let left = Fact::MemberLeft { user: author(&member.user) };
            entries.push(app.entry(LogId::Community(id), Some(id), actor, app.now(), left));
            let kick = app.act(right.actor(), id, "member.kick").on_user(&member.user);
            let records = (user != actor).then(|| kick.record()).into_iter().collect();
            let change = Change { preconditions, records, entries, ..Change::default() };
            if merge.commit(app, change).await? {
                return Ok(());
            }
        }
    }

    /// The entries by which somebody leaves every channel of the community.
    pub(super) async fn leave_channels(
        &self,
        id: CommunityId,
        user: &User,
        actor: UserId,
    ) -> Result<Vec<NewEntry>, ApiError> {
        let app = self.0;
        let now = app.now();
        let views = app.store().community_channels(id, user.id).await?;
        let joined = views.iter().filter(|view| view.joined);
        let leave = joined.map(|view| {
            let log = LogId::Conversation(view.channel.id);
            app.entry(log, Some(id), actor, now, Fact::MemberLeft { user: author(user) })
        });
        Ok(leave.collect())
    }
}

/// The role that one needs to decide about a member: none about oneself.
fn needed_against(member: &Membership, actor: UserId) -> Role {
    match member.role {
        _ if member.user.id == actor => Role::Member,
        Role::Member => Role::Admin,
        Role::Admin | Role::Owner => Role::Owner,
    }
}

/// Reads a nickname of a request; empty for none.
fn parse_nickname(text: &str) -> Result<Option<String>, ApiError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let text = name::display(text, name::DISPLAY_NAME_MAX);
    Ok(Some(text.map_err(|error| ApiError::name("nickname", error))?.to_owned()))
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
        nickname: member.nickname.clone(),
        joined_at: member.joined_at.into(),
    }
}

//! Invites: links that let people in.

use std::net::IpAddr;

use tidings_domain::{
    Community, Fact, InviteCode, LogId, NotificationKind, Role, Timestamp, User, UserId,
};
use tidings_storage::community::StoredInvite;
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::community::{Accepted, CreateInvite, Invite, InvitePreview};
use tidings_wire::{Code, Time};

use super::App;
use super::change::author;
use super::communities::view as community_view;
use super::members::parse_role;
use crate::access::{Caller, CommunityAdmin};
use crate::auth::token::{self, Token};
use crate::error::ApiError;
use crate::limit::Key;

/// Longest life of an invite, in seconds: ten years, so that its end is always a date.
const LIFETIME_MAX_S: u64 = 10 * 366 * 24 * 3600;

/// From [`App::invites`].
#[derive(Debug, Clone, Copy)]
pub struct Invites<'a>(pub(super) &'a App);

impl Invites<'_> {
    /// Makes an invite. Admins invite members; owners invite anybody as anything; an invite that
    /// claims a ghost needs the server's owner.
    pub async fn create(
        &self,
        right: &CommunityAdmin,
        caller: &Caller,
        request: &CreateInvite,
    ) -> Result<Invite, ApiError> {
        let app = self.0;
        let member = right.member();
        app.limit(Key::Invites(member.user()), app.settings().limits.invites)?;
        let role = request.role.as_deref().map_or(Ok(Role::Member), parse_role)?;
        if role > Role::Member && member.role() < Role::Owner {
            return Err(ApiError::forbidden("Only owners invite admins and owners."));
        }
        if request.max_uses == Some(0) {
            return Err(ApiError::field("max_uses", "too_small", "must be at least 1"));
        }
        let now = app.now();
        let expires_at = match request.expires_in_s {
            None => None,
            Some(seconds @ 1..=LIFETIME_MAX_S) => {
                Some(now.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
            }
            Some(_) => {
                let detail = format!("must be 1 to {LIFETIME_MAX_S} seconds");
                return Err(ApiError::field("expires_in_s", "out_of_range", detail));
            }
        };
        let mut preconditions =
            vec![Precondition::CommunityRole(member.community(), member.user(), Role::Admin)];
        let claims = request.claims.map(UserId);
        if let Some(ghost) = claims {
            app.access().server_owner(caller)?;
            let known = app.user(ghost).await?.is_some_and(|user| user.identity.is_none());
            if !known {
                return Err(ApiError::field("claims", "unknown", "there is no such ghost"));
            }
            preconditions.push(Precondition::UserUnclaimed(ghost));
        }
        let code = Token::new(&app.random::<16>());
        let invite = StoredInvite {
            code_hash: token::hash(code.reveal()),
            code: InviteCode(code.reveal().to_owned()),
            community_id: member.community(),
            created_by: member.user(),
            created_at: now,
            max_uses: if claims.is_some() { Some(1) } else { request.max_uses },
            uses: 0,
            expires_at,
            role,
            approval: request.approval,
            claims,
        };
        let answer = self.view(&invite);
        let act = app
            .act(member.actor(), member.community(), "invite.create")
            .with("role", role.as_str())
            .with("approval", invite.approval)
            .with_some("max_uses", invite.max_uses)
            .with_some("expires_at", invite.expires_at.map(|at| Time(at).to_string()));
        let records = vec![Record::CreateInvite(invite), act.record()];
        app.commit(Change { preconditions, records, ..Change::default() }).await?;
        Ok(answer)
    }

    fn view(self, invite: &StoredInvite) -> Invite {
        Invite {
            code: invite.code.0.clone(),
            url: format!("{}/invite/{}", self.0.settings().public_url, invite.code.0),
            community_id: invite.community_id.0,
            created_by: invite.created_by.0,
            max_uses: invite.max_uses,
            uses: invite.uses,
            expires_at: invite.expires_at.map(Into::into),
            role: invite.role.as_str().to_owned(),
            approval: invite.approval,
            claims: invite.claims.map(|ghost| ghost.0),
        }
    }

    /// The invites of a community that still work, oldest first.
    pub async fn list(&self, right: &CommunityAdmin) -> Result<Vec<Invite>, ApiError> {
        let now = self.0.now();
        let invites = self.0.store().invites(right.member().community()).await?;
        Ok(invites.iter().filter(|invite| invite.usable(now)).map(|i| self.view(i)).collect())
    }

    /// The invite under a code; a wrong one counts against whoever tries.
    async fn find(&self, code: &str, address: Option<IpAddr>) -> Result<StoredInvite, ApiError> {
        let app = self.0;
        let failures = app.settings().limits.failures;
        app.limit_peek(Key::FailedAddress(address), failures)?;
        let found = app.store().invite(&token::hash(code)).await?;
        found.ok_or_else(|| {
            // The refusal stands whether or not the bucket was empty already.
            let _ = app.limit(Key::FailedAddress(address), failures);
            ApiError::not_found()
        })
    }

    /// What a stranger with the link may know.
    pub async fn preview(
        &self,
        code: &str,
        address: Option<IpAddr>,
    ) -> Result<InvitePreview, ApiError> {
        let app = self.0;
        let invite = self.find(code, address).await?;
        if !invite.usable(app.now()) {
            return Err(gone());
        }
        let community = app.store().community(invite.community_id).await?;
        let community = community.ok_or_else(ApiError::not_found)?;
        let inviter = app.user(invite.created_by).await?;
        let approval = needs_approval(&invite, &community);
        Ok(InvitePreview {
            community: community.name,
            slug: community.slug,
            inviter: inviter.map_or_else(String::new, |user| user.display_name.clone()),
            approval,
            expires_at: invite.expires_at.map(Into::into),
        })
    }

    /// Lets the caller in, or to the door where admins decide. Who is in already stays as they are,
    /// and who waits already waits on: neither uses the invite.
    pub async fn accept(
        &self,
        caller: &Caller,
        code: &str,
        address: Option<IpAddr>,
    ) -> Result<Accepted, ApiError> {
        let app = self.0;
        let invite = self.find(code, address).await?;
        let id = invite.community_id;
        let community = app.store().community(id).await?.ok_or_else(ApiError::not_found)?;
        if invite.claims.is_some() {
            return Err(ApiError::conflict(
                "This invite hands over an account and is for registering, not for joining.",
            ));
        }
        if let Some(role) = app.role(id, caller.user_id()).await? {
            return Ok(Accepted::Joined(community_view(&community, role)));
        }
        let now = app.now();
        if let Some(waiting) = app.joins().waiting(&community, caller.user_id()).await? {
            return Ok(Accepted::Waiting(waiting));
        }
        if !invite.usable(now) {
            return Err(gone());
        }
        app.moderation().check_ban(id, caller.user_id()).await?;
        let user = app.user(caller.user_id()).await?.ok_or_else(ApiError::unauthorized)?;
        let preconditions = vec![Precondition::UserActive(user.id)];
        let mut change = Change { preconditions, ..Change::default() };
        self.admit(&mut change, &invite, &user, now).await?;
        match app.commit(change).await {
            Ok(_) if needs_approval(&invite, &community) => {
                let waiting = app.joins().waiting(&community, user.id).await?;
                Ok(Accepted::Waiting(waiting.ok_or_else(ApiError::not_found)?))
            }
            Ok(_) => Ok(Accepted::Joined(community_view(&community, invite.role))),
            // The same request came twice at a time.
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::NotInCommunity(..)))) => {
                let role = app.role(id, user.id).await?.ok_or_else(ApiError::not_found)?;
                Ok(Accepted::Joined(community_view(&community, role)))
            }
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::JoinRequestIs(..)))) => {
                let waiting = app.joins().waiting(&community, user.id).await?;
                Ok(Accepted::Waiting(waiting.ok_or_else(ApiError::not_found)?))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Adds the use of an invite to a change: the user is in, or asks to be let in. A ghost that is
    /// claimed may be in already.
    pub(super) async fn admit(
        &self,
        change: &mut Change,
        invite: &StoredInvite,
        user: &User,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let id = invite.community_id;
        change.preconditions.push(Precondition::InviteUsable(invite.code_hash, now));
        change.records.push(Record::UseInvite(invite.code_hash));
        let community = app.store().community(id).await?.ok_or_else(ApiError::not_found)?;
        if needs_approval(invite, &community) {
            return app.joins().ask(change, invite, user, now).await;
        }
        let fact = Fact::InviteAccepted {
            created_by: invite.created_by,
            role: invite.role,
            user: author(user),
        };
        change.entries.push(app.entry(LogId::Community(id), Some(id), user.id, now, fact));
        let inviter = invite.created_by;
        if inviter != user.id && app.role(id, inviter).await?.is_some() {
            let kind = NotificationKind::System;
            let told = app.notifications().about(inviter, kind, (Some(id), None), user.id).await?;
            change.entries.push(told);
        }
        if app.role(id, user.id).await?.is_none() {
            app.communities().enter(change, id, user, invite.role, user.id, now).await?;
        }
        Ok(())
    }

    /// Takes an invite back: whoever made it, and admins of its community.
    pub async fn delete(&self, caller: &Caller, code: &str) -> Result<(), ApiError> {
        let app = self.0;
        let invite = app.store().invite(&token::hash(code)).await?;
        let invite = invite.ok_or_else(ApiError::not_found)?;
        if invite.created_by != caller.user_id() {
            app.access().admin(caller, invite.community_id).await?;
        }
        let act = app
            .act(caller.actor(), invite.community_id, "invite.delete")
            .with("created_by", invite.created_by.to_string());
        let records = vec![Record::DeleteInvite(invite.code_hash), act.record()];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }
}

/// Whether those who use the invite have to be let in. Whoever takes a ghost over was chosen by the
/// server's owner.
const fn needs_approval(invite: &StoredInvite, community: &Community) -> bool {
    (invite.approval || community.approval) && invite.claims.is_none()
}

fn gone() -> ApiError {
    ApiError::new(Code::Gone, "The invite is spent or has expired. Ask for another one.")
}

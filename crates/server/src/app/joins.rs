//! Requests to join: who uses an invite of a community whose admins decide waits at the door.

use tidings_domain::{
    Author, Community, CommunityId, Fact, JoinOutcome, LogId, RestrictionKind, Role, Timestamp,
    User, UserId,
};
use tidings_storage::community::StoredInvite;
use tidings_storage::join::StoredJoinRequest;
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::community::JoinRequest;

use super::App;
use super::accounts::wire_author;
use super::change::author;
use crate::access::{Caller, CommunityAdmin};
use crate::error::ApiError;

/// How long who was refused cannot ask the same community again, in seconds: a week, so that a
/// refusal is one, and a mistake can be made good.
const REFUSED_S: i64 = 7 * 24 * 3600;
/// Most admins who are told of a request; the others find it in the list.
const TOLD_MAX: usize = 200;

/// From [`App::joins`].
#[derive(Debug, Clone, Copy)]
pub struct Joins<'a>(pub(super) &'a App);

impl Joins<'_> {
    /// The request with which a user waits for a community.
    ///
    /// # Errors
    /// `forbidden` when they were refused not long ago.
    pub(super) async fn waiting(
        &self,
        community: &Community,
        user: UserId,
    ) -> Result<Option<JoinRequest>, ApiError> {
        let app = self.0;
        let Some(request) = app.store().join_request(community.id, user).await? else {
            return Ok(None);
        };
        match request.refused_until {
            Some(until) if app.now() < until => Err(ApiError::forbidden(
                "An admin of this community has refused you not long ago. Ask again after a week.",
            )),
            Some(_) => Ok(None),
            None => {
                let user = app.user(user).await?.ok_or_else(ApiError::unauthorized)?;
                Ok(Some(view(&request, &user, community)))
            }
        }
    }

    /// Adds a request to join to a change that uses an invite, and tells admins and whoever asks.
    pub(super) async fn ask(
        &self,
        change: &mut Change,
        invite: &StoredInvite,
        user: &User,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let id = invite.community_id;
        // A refusal that is over stands until the next pruning; it was looked at before.
        let before = self.0.store().join_request(id, user.id).await?.map(|_| true);
        change.preconditions.extend([
            Precondition::NotInCommunity(id, user.id),
            Precondition::NotRestricted(RestrictionKind::Ban, id, user.id, now),
            Precondition::JoinRequestIs(id, user.id, before),
        ]);
        change.records.push(Record::PutJoinRequest(StoredJoinRequest {
            community_id: id,
            user_id: user.id,
            invited_by: invite.created_by,
            role: invite.role,
            created_at: now,
            refused_until: None,
        }));
        let fact = Fact::JoinRequested { community_id: id, role: invite.role, user: author(user) };
        self.tell(change, id, user.id, (user.id, now), &fact).await
    }

    /// Who asks to be let in and who was refused, in order of their ids.
    pub async fn list(
        &self,
        right: &CommunityAdmin,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<JoinRequest>, ApiError> {
        let app = self.0;
        let id = right.member().community();
        let community = app.store().community(id).await?.ok_or_else(ApiError::not_found)?;
        let requests = app.store().join_requests_to(id, after, limit).await?;
        Ok(requests.iter().map(|(request, user)| view(request, user, &community)).collect())
    }

    /// Where the caller asked to be let in.
    pub async fn own(&self, caller: &Caller) -> Result<Vec<JoinRequest>, ApiError> {
        let app = self.0;
        let user = app.user(caller.user_id()).await?.ok_or_else(ApiError::unauthorized)?;
        let requests = app.store().join_requests_of(user.id).await?;
        Ok(requests.iter().map(|(request, to)| view(request, &user, to)).collect())
    }

    /// Lets somebody in who asked; also who was refused before.
    pub async fn approve(&self, right: &CommunityAdmin, user: UserId) -> Result<(), ApiError> {
        let app = self.0;
        let (id, by, now) = (right.member().community(), right.member().user(), app.now());
        let request = app.store().join_request(id, user).await?.ok_or_else(ApiError::not_found)?;
        let user = app.user(user).await?.ok_or_else(ApiError::not_found)?;
        let state = Some(request.refused_until.is_some());
        let mut change = Change {
            preconditions: vec![
                Precondition::CommunityRole(id, by, Role::Admin),
                Precondition::UserActive(user.id),
                Precondition::JoinRequestIs(id, user.id, state),
            ],
            records: vec![
                app.act(right.member().actor(), id, "member.approve").on_user(&user).record(),
            ],
            ..Change::default()
        };
        let fact = Fact::InviteAccepted {
            created_by: request.invited_by,
            role: request.role,
            user: author(&user),
        };
        change.entries.push(app.entry(LogId::Community(id), Some(id), user.id, now, fact));
        app.communities().enter(&mut change, id, &user, request.role, by, now).await?;
        let fact = decided(id, JoinOutcome::Approved, author(&user));
        self.tell(&mut change, id, user.id, (by, now), &fact).await?;
        app.commit(change).await?;
        Ok(())
    }

    /// Does not let somebody in who asked; they cannot ask again for a week.
    pub async fn refuse(&self, right: &CommunityAdmin, user: UserId) -> Result<(), ApiError> {
        let app = self.0;
        let (id, by, now) = (right.member().community(), right.member().user(), app.now());
        let request = app.store().join_request(id, user).await?.ok_or_else(ApiError::not_found)?;
        if request.refused_until.is_some() {
            return Ok(());
        }
        let user = app.user(user).await?.ok_or_else(ApiError::not_found)?;
        let refused_until = Some(now.plus_seconds(REFUSED_S));
        let mut change = Change {
            preconditions: vec![
                Precondition::CommunityRole(id, by, Role::Admin),
                Precondition::JoinRequestIs(id, user.id, Some(false)),
            ],
            records: vec![
                Record::PutJoinRequest(StoredJoinRequest { refused_until, ..request }),
                app.act(right.member().actor(), id, "member.refuse").on_user(&user).record(),
            ],
            ..Change::default()
        };
        let fact = decided(id, JoinOutcome::Refused, author(&user));
        self.tell(&mut change, id, user.id, (by, now), &fact).await?;
        app.commit(change).await?;
        Ok(())
    }

    /// Takes one's own request back. A refusal stays.
    pub async fn withdraw(&self, caller: &Caller, id: CommunityId) -> Result<(), ApiError> {
        let app = self.0;
        let user = app.user(caller.user_id()).await?.ok_or_else(ApiError::unauthorized)?;
        let request = app.store().join_request(id, user.id).await?;
        if request.is_none_or(|request| request.refused_until.is_some()) {
            return Err(ApiError::not_found());
        }
        let mut change = Change {
            preconditions: vec![Precondition::JoinRequestIs(id, user.id, Some(false))],
            records: vec![Record::DeleteJoinRequest(id, user.id)],
            ..Change::default()
        };
        let fact = decided(id, JoinOutcome::Withdrawn, author(&user));
        self.tell(&mut change, id, user.id, (user.id, app.now()), &fact).await?;
        app.commit(change).await?;
        Ok(())
    }

    /// Appends a fact to the log of whoever asked, and to those of the community's admins.
    async fn tell(
        &self,
        change: &mut Change,
        community: CommunityId,
        asking: UserId,
        (actor, at): (UserId, Timestamp),
        fact: &Fact,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let admins = app.store().admins_of(community, TOLD_MAX).await?;
        for user in admins.into_iter().filter(|admin| *admin != asking).chain([asking]) {
            change.entries.push(app.entry(LogId::User(user), None, actor, at, fact.clone()));
        }
        Ok(())
    }
}

const fn decided(community_id: CommunityId, outcome: JoinOutcome, user: Author) -> Fact {
    Fact::JoinDecided { community_id, outcome, user }
}

fn view(request: &StoredJoinRequest, user: &User, community: &Community) -> JoinRequest {
    let state = if request.refused_until.is_some() { "refused" } else { "waiting" };
    JoinRequest {
        community_id: community.id.0,
        community: community.name.clone(),
        user: wire_author(user),
        invited_by: request.invited_by.0,
        role: request.role.as_str().to_owned(),
        state: state.to_owned(),
        created_at: request.created_at.into(),
        refused_until: request.refused_until.map(Into::into),
    }
}

//! Bans and mutes. Both end by themselves when their time has passed: whoever asks compares with
//! the clock, and no job has to run.

use tidings_domain::restriction::REASON_MAX;
use tidings_domain::{CommunityId, Fact, LogId, RestrictionKind, Role, Timestamp, UserId};
use tidings_storage::moderation::StoredRestriction;
use tidings_storage::{Change, ChangeError, NewEntry, Precondition, Record, Refusal};
use tidings_wire::Time;
use tidings_wire::moderation::{Restrict, Restriction};

use super::App;
use super::accounts::wire_author;
use super::change::author;
use crate::access::{CommunityAdmin, Member};
use crate::error::ApiError;
use crate::limit::Key;

/// From [`App::moderation`].
#[derive(Debug, Clone, Copy)]
pub struct Moderation<'a>(pub(super) &'a App);

/// What a restriction needs to be decided.
struct Case {
    user: std::sync::Arc<tidings_domain::User>,
    /// The role, of who is in the community.
    role: Option<Role>,
    preconditions: Vec<Precondition>,
}

impl Moderation<'_> {
    /// Shuts somebody out who is or was in the community: they leave it and all of its channels,
    /// and nothing lets them in until it ends. Again replaces reason and end.
    ///
    /// # Errors
    /// `not_found` for who was never in, `forbidden` against one's equals and betters, `conflict`
    /// against the last owner.
    pub async fn ban(
        &self,
        right: &CommunityAdmin,
        user: UserId,
        request: &Restrict,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let member = right.member();
        let id = member.community();
        let row = self.row(right, user, RestrictionKind::Ban, request)?;
        let mut case = self.case(member, user).await?;
        if case.role == Some(Role::Owner) {
            case.preconditions.push(Precondition::OtherOwner(id, user));
        }
        let mut entries = Vec::new();
        if case.role.is_some() {
            entries = app.members().leave_channels(id, &case.user, member.user()).await?;
        }
        let fact = Fact::MemberBanned { user: author(&case.user), until: row.until };
        entries.push(app.entry(LogId::Community(id), Some(id), member.user(), row.at, fact));
        self.restrict(right, case, row, "member.ban", entries).await
    }

    /// Keeps a member from posting, editing and reacting in the community's channels. Again
    /// replaces reason and end.
    ///
    /// # Errors
    /// `not_found` for who is no member, `forbidden` against one's equals and betters.
    pub async fn mute(
        &self,
        right: &CommunityAdmin,
        user: UserId,
        request: &Restrict,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let member = right.member();
        let id = member.community();
        let row = self.row(right, user, RestrictionKind::Mute, request)?;
        let case = self.case(member, user).await?;
        if case.role.is_none() {
            return Err(ApiError::not_found());
        }
        let fact = Fact::MemberMuted { user: author(&case.user), until: row.until };
        let entry = app.entry(LogId::Community(id), Some(id), member.user(), row.at, fact);
        self.restrict(right, case, row, "member.mute", vec![entry]).await
    }

    fn row(
        self,
        right: &CommunityAdmin,
        user: UserId,
        kind: RestrictionKind,
        request: &Restrict,
    ) -> Result<StoredRestriction, ApiError> {
        let (member, now) = (right.member(), self.0.now());
        let until = request.until.map(Timestamp::from);
        if until.is_some_and(|until| until <= now) {
            return Err(ApiError::field("until", "in_the_past", "must lie in the future"));
        }
        let reason = request.reason.as_deref().unwrap_or_default().trim();
        let length = reason.chars().count();
        if length > REASON_MAX {
            let detail = format!("must be at most {REASON_MAX} characters, not {length}");
            return Err(ApiError::field("reason", "too_long", detail));
        }
        if reason.contains('\0') {
            return Err(ApiError::field("reason", "invalid", "must not contain NUL"));
        }
        let reason = reason.to_owned();
        let (community, actor) = (member.community(), member.user());
        Ok(StoredRestriction { community, user, kind, until, reason, actor, at: now })
    }

    /// Whether the caller may decide about this user: admins about members, owners about anybody
    /// but themselves.
    async fn case(&self, right: &Member, user: UserId) -> Result<Case, ApiError> {
        let app = self.0;
        let id = right.community();
        app.limit(Key::Writes(right.user()), app.settings().limits.writes)?;
        if user == right.user() {
            return Err(ApiError::field("user_id", "oneself", "must be somebody else"));
        }
        let role = app.role(id, user).await?;
        if role.is_none() && !app.store().was_member(id, user).await? {
            return Err(ApiError::not_found());
        }
        let needed = if role > Some(Role::Member) { Role::Owner } else { Role::Admin };
        if right.role() < needed {
            return Err(ApiError::forbidden(format!("Only an {needed} may do this to an admin.")));
        }
        let user = app.user(user).await?.ok_or_else(ApiError::not_found)?;
        let preconditions = vec![
            Precondition::CommunityRole(id, right.user(), needed),
            // Who was made admin or came back in between is to be looked at again.
            match role {
                Some(role) => Precondition::RoleIs(id, user.id, role),
                None => Precondition::NotInCommunity(id, user.id),
            },
        ];
        Ok(Case { user, role, preconditions })
    }

    async fn restrict(
        &self,
        right: &CommunityAdmin,
        case: Case,
        row: StoredRestriction,
        action: &'static str,
        entries: Vec<NewEntry>,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let reason = Some(row.reason.clone()).filter(|reason| !reason.is_empty());
        let act = app
            .act(right.member().actor(), row.community, action)
            .on_user(&case.user)
            .with_some("reason", reason)
            .with_some("until", row.until.map(|until| Time(until).to_string()));
        let records = vec![Record::PutRestriction(row), act.record()];
        let Case { preconditions, .. } = case;
        app.commit(Change { preconditions, records, entries, ..Change::default() }).await?;
        Ok(())
    }

    /// Lifts a ban or mute before its end. Where none stands nothing happens.
    ///
    /// # Errors
    /// As for deciding one.
    pub async fn lift(
        &self,
        right: &CommunityAdmin,
        kind: RestrictionKind,
        user: UserId,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let member = right.member();
        let (id, now) = (member.community(), app.now());
        let Case { user, preconditions, .. } = self.case(member, user).await?;
        let found = app.store().restriction(kind, id, user.id).await?;
        if !found.is_some_and(|row| row.stands(now)) {
            return Ok(());
        }
        let (action, fact) = match kind {
            RestrictionKind::Ban => ("member.unban", Fact::MemberUnbanned { user: author(&user) }),
            RestrictionKind::Mute => ("member.unmute", Fact::MemberUnmuted { user: author(&user) }),
        };
        let entries = vec![app.entry(LogId::Community(id), Some(id), member.user(), now, fact)];
        let act = app.act(member.actor(), id, action).on_user(&user).record();
        let records = vec![Record::DeleteRestriction(kind, id, user.id), act];
        app.commit(Change { preconditions, records, entries, ..Change::default() }).await?;
        Ok(())
    }

    /// Bans or mutes that stand, in order of user ids, at most `limit`.
    pub async fn list(
        &self,
        right: &CommunityAdmin,
        kind: RestrictionKind,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<Restriction>, ApiError> {
        let app = self.0;
        let (id, now) = (right.member().community(), app.now());
        let rows = app.store().restrictions(kind, id, now, after, limit).await?;
        let mut list = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(user) = app.user(row.user).await? else { continue };
            list.push(Restriction {
                user: wire_author(&user),
                reason: Some(row.reason).filter(|reason| !reason.is_empty()),
                until: row.until.map(Into::into),
                created_by: row.actor.0,
                created_at: row.at.into(),
            });
        }
        Ok(list)
    }

    /// Refuses who is banned, and says until when.
    pub(super) async fn check_ban(&self, id: CommunityId, user: UserId) -> Result<(), ApiError> {
        let app = self.0;
        let found = app.store().restriction(RestrictionKind::Ban, id, user).await?;
        match found.filter(|row| row.stands(app.now())) {
            None => Ok(()),
            Some(StoredRestriction { until: Some(until), .. }) => Err(ApiError::forbidden(
                format!("You are banned from this community until {}.", Time(until)),
            )),
            Some(_) => Err(ApiError::forbidden("You are banned from this community.")),
        }
    }

    /// Puts the end of a mute into the refusal of whoever is muted.
    pub(super) async fn explain(&self, error: ChangeError) -> ApiError {
        let app = self.0;
        let ChangeError::Refused(Refusal::Precondition(Precondition::NotRestricted(
            RestrictionKind::Mute,
            community,
            user,
            _,
        ))) = &error
        else {
            return error.into();
        };
        match app.store().restriction(RestrictionKind::Mute, *community, *user).await {
            Ok(Some(StoredRestriction { until: Some(until), .. })) => ApiError::forbidden(format!(
                "You are muted in this community until {}: you can read, but not write.",
                Time(until)
            )),
            _ => error.into(),
        }
    }
}

/// What must hold of whoever writes into a channel of a community. Times are cut to seconds, so
/// that many messages of one second ask the same question.
pub(super) fn may_speak(
    community: Option<CommunityId>,
    user: UserId,
    now: Timestamp,
) -> Option<Precondition> {
    let second = Timestamp(now.0.div_euclid(1000) * 1000);
    community.map(|id| Precondition::NotRestricted(RestrictionKind::Mute, id, user, second))
}

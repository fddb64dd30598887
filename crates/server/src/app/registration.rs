//! How accounts come to be: the first by the setup code, later ones by an invite or freely, lost
//! ones anew by a reset code, ghosts of an import by an invite that claims them.

use std::net::IpAddr;

use tidings_domain::{
    DeviceId, Fact, IdentityKey, LogId, Role, ServerRole, Timestamp, User, UserId, name,
};
use tidings_identity::{Chain, Signature};
use tidings_storage::community::StoredInvite;
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::Code;
use tidings_wire::account::{DeviceInfo, LoggedIn, Register};

use super::App;
use super::accounts::me;
use super::chains::{parse_items, stored};
use super::change::author;
use super::sessions::parse_identity;
use super::signin::{Shown, SignIns};
use crate::auth::{challenge, origin, token};
use crate::error::ApiError;
use crate::limit::Key;
use crate::settings::Registration;

/// Longest platform of a device, in characters.
const PLATFORM_MAX: usize = 32;

/// From [`App::registration`].
#[derive(Debug, Clone, Copy)]
pub struct Registrations<'a>(pub(super) &'a App);

/// By what right somebody gets an account.
enum Admission {
    /// They hold the setup code, and nobody is here yet.
    First,
    /// Everybody may.
    Open,
    /// They hold an invite.
    Invite(Box<StoredInvite>),
    /// A provider knows them that lets everybody in whom it knows.
    SignIn,
    /// They hold a reset code of this account.
    Reset([u8; 32], Box<User>),
}

/// A registration whose proof holds.
struct Proven<'a> {
    request: &'a Register,
    username: &'a str,
    display_name: &'a str,
    identity: IdentityKey,
    challenge: challenge::Unexpired,
    now: Timestamp,
}

impl Registrations<'_> {
    /// `setup`, `invite` or `open`.
    pub async fn policy(&self) -> Result<&'static str, ApiError> {
        Ok(match (self.0.has_accounts().await?, self.0.settings().registration) {
            (false, _) => "setup",
            (true, Registration::Invite) => "invite",
            (true, Registration::Open) => "open",
        })
    }

    /// Makes an account and logs its first device in.
    pub async fn register(
        &self,
        request: &Register,
        binder: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<LoggedIn, ApiError> {
        let app = self.0;
        let limits = &app.settings().limits;
        app.limit(Key::Logins(address), limits.logins)?;
        app.limit_peek(Key::FailedAddress(address), limits.failures)?;
        let proven = self.prove(request).inspect_err(|error| self.failed(error, address))?;

        let envelopes = parse_items(&request.chain)?;
        let chain = Chain::validate_for(proven.identity, &envelopes).map_err(|error| {
            let cause = std::error::Error::source(&error);
            let detail = cause.map_or(error.to_string(), |cause| format!("{error}: {cause}"));
            ApiError::field("chain", "invalid", detail)
        })?;
        let device_id = DeviceId(request.device.id);
        let device = chain.device(device_id, proven.now).ok_or_else(|| {
            ApiError::field("device.id", "not_certified", "the chain does not certify this device")
        })?;

        let shown = match &request.sign_in {
            Some(proof) => {
                let shown = app.signin().show(proof, binder);
                Some(shown.inspect_err(|error| self.failed(error, address))?)
            }
            None => None,
        };
        let admission = self
            .admission(&proven, shown.as_ref())
            .await
            .inspect_err(|error| self.failed(error, address))?;
        let (mut change, user) = self.account(&proven, admission).await?;
        if let Some(shown) = &shown {
            SignIns::add_link(&mut change, shown, user.id, proven.now);
        }
        let kept = app.store().chain(proven.identity, 0, envelopes.len() + 1).await?;
        let sent = stored(&envelopes);
        if !sent.starts_with(&kept) {
            return Err(ApiError::field(
                "chain",
                "forked",
                "the server knows another chain of this identity, which this one does not extend",
            ));
        }
        let first = kept.len() as u64;
        change.preconditions.extend([
            Precondition::IdentityFree(proven.identity),
            Precondition::ChainLength(proven.identity, first),
            Precondition::ChallengeUnused(proven.challenge.digest),
        ]);
        change
            .records
            .push(Record::UseChallenge(proven.challenge.digest, proven.challenge.expires_at));
        if let Some(new) = sent.get(kept.len()..).filter(|new| !new.is_empty()) {
            let (identity, envelopes) = (proven.identity, new.to_vec());
            change.records.push(Record::AppendChain { identity, first, envelopes });
        }
        let opening = app.sessions().open(user.id, device_id, &device.name);
        change.records.push(opening.record);
        for device in chain.devices(proven.now) {
            let fact = Fact::DeviceAdded { user_id: user.id, device_id: device.id };
            change.entries.push(app.entry(LogId::User(user.id), None, user.id, proven.now, fact));
        }

        app.commit(change).await.map_err(|error| {
            let error = refusal(error);
            self.failed(&error, address);
            error
        })?;
        app.accounts_exist();
        if let Some(shown) = &shown
            && let Err(error) = app.signin().apply_groups(&shown.ticket, &user).await
        {
            // The account is made; what its groups give comes with the next sign-in.
            tracing::warn!(%error, "groups of a newcomer were not looked at");
        }
        let device = DeviceInfo {
            id: request.device.id,
            name: device.name.clone(),
            platform: device.platform.clone(),
        };
        Ok(LoggedIn { user: me(&user), device, session: opening.new })
    }

    /// Counts a code or proof that was wrong.
    fn failed(self, error: &ApiError, address: Option<IpAddr>) {
        if matches!(error.code(), Code::Unauthorized | Code::Forbidden) {
            // The refusal stands whether or not the bucket was empty already.
            let _ = self.0.limit(Key::FailedAddress(address), self.0.settings().limits.failures);
        }
    }

    /// Checks the form of the request and that whoever sent it holds the identity's key. Origin,
    /// challenge and signature are refused alike.
    fn prove(self, request: &Register) -> Result<Proven<'_>, ApiError> {
        let app = self.0;
        let username =
            name::username(&request.username).map_err(|error| ApiError::name("username", error))?;
        let display_name = request.display_name.as_deref().unwrap_or(username);
        let display_name = name::display(display_name, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("display_name", error))?;
        name::display(&request.device.name, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("device.name", error))?;
        name::display(&request.device.platform, PLATFORM_MAX)
            .map_err(|error| ApiError::name("device.platform", error))?;
        let identity = parse_identity(&request.identity)?;

        let now = app.now();
        let accepted = origin::accepted(&request.origin, app.settings());
        let challenge = challenge::check(app.secret(), identity, &request.challenge, now);
        let signature = Signature::from_base64url(&request.signature);
        let signed = tidings_identity::Register {
            origin: &request.origin,
            username: &request.username,
            challenge: &request.challenge,
        }
        .verify(identity, &signature.unwrap_or(Signature([0; 64])));
        match (accepted, challenge, signed) {
            (true, Some(challenge), Ok(())) => {
                Ok(Proven { request, username, display_name, identity, challenge, now })
            }
            _ => Err(ApiError::unauthorized()),
        }
    }

    async fn admission(
        &self,
        proven: &Proven<'_>,
        shown: Option<&Shown>,
    ) -> Result<Admission, ApiError> {
        let app = self.0;
        if !app.has_accounts().await? {
            return match &proven.request.setup_code {
                None => Err(ApiError::new(
                    Code::SetupRequired,
                    "Nobody is here yet. Send the setup code that the server printed at its start.",
                )),
                Some(code) if app.is_setup_code(code) => Ok(Admission::First),
                Some(_) => Err(ApiError::forbidden("The setup code is wrong.")),
            };
        }
        let Some(code) = &proven.request.invite else {
            if let Some(shown) = shown
                && app.signin().admits(shown).await?
            {
                return Ok(Admission::SignIn);
            }
            return match app.settings().registration {
                Registration::Open => Ok(Admission::Open),
                Registration::Invite => Err(ApiError::new(
                    Code::InviteRequired,
                    "This server admits people by invite. Ask a member for one.",
                )),
            };
        };
        let bad = || ApiError::forbidden("The invite is wrong, spent or expired. Ask for another.");
        let digest = token::hash(code);
        if let Some(invite) = app.store().invite(&digest).await? {
            let usable = invite.usable(proven.now);
            return if usable { Ok(Admission::Invite(Box::new(invite))) } else { Err(bad()) };
        }
        // A reset code is good for one account only; the writer is asked for unknown names too, so
        // that the time taken does not tell which names exist.
        let user = app.store().user_by_username(proven.username).await?;
        let id = user.as_ref().map_or(UserId::NIL, |user| user.id);
        let usable = Precondition::ResetUsable(digest, id, proven.now);
        let probe = Change { preconditions: vec![usable], ..Change::default() };
        match (app.store().commit(probe).await, user) {
            (Ok(_), Some(user)) => Ok(Admission::Reset(digest, Box::new(user))),
            (Err(ChangeError::Storage(error)), _) => Err(error.into()),
            _ => Err(bad()),
        }
    }

    /// The account, and the change that makes it.
    async fn account(
        &self,
        proven: &Proven<'_>,
        admission: Admission,
    ) -> Result<(Change, User), ApiError> {
        let app = self.0;
        let mut change = Change::default();
        let mut user = User {
            id: UserId(app.new_id()),
            username: proven.username.to_owned(),
            display_name: proven.display_name.to_owned(),
            identity: Some(proven.identity),
            server_role: ServerRole::User,
            bot: false,
            discoverable: false,
            status: String::new(),
            disabled: false,
            created_at: proven.now,
        };
        match admission {
            Admission::First => {
                user.server_role = ServerRole::Owner;
                change.preconditions.push(Precondition::NoAccounts);
                Self::create(&mut change, &user);
                self.adopt_communities(&mut change, &user, proven.now).await?;
            }
            Admission::Open | Admission::SignIn => Self::create(&mut change, &user),
            Admission::Invite(invite) => {
                match invite.claims {
                    None => Self::create(&mut change, &user),
                    Some(ghost) => self.claim(&mut change, &mut user, ghost).await?,
                }
                app.invites().admit(&mut change, &invite, &user, proven.now).await?;
            }
            Admission::Reset(digest, account) => {
                let previous = account.identity;
                user = User { identity: Some(proven.identity), ..*account };
                if proven.request.display_name.is_some() {
                    proven.display_name.clone_into(&mut user.display_name);
                }
                change.preconditions.extend([
                    Precondition::UserActive(user.id),
                    Precondition::ResetUsable(digest, user.id, proven.now),
                ]);
                change.records.extend([
                    Record::UseReset(digest),
                    Record::DeleteSessions(user.id, None),
                    Record::DeleteTokens(user.id),
                    // Whoever linked themselves with it is not the person who comes back.
                    Record::DeleteLinks(user.id, None),
                    Record::UpdateUser(user.clone()),
                ]);
                self.announce(&mut change, &user, previous, proven).await?;
                tracing::warn!(user.id = %user.id, "an account got a new identity by a reset code");
            }
        }
        Ok((change, user))
    }

    fn create(change: &mut Change, user: &User) {
        change.preconditions.push(Precondition::UsernameFree(user.username.clone()));
        change.records.push(Record::CreateUser(user.clone()));
    }

    /// Tells everybody who shares a room with the user that they have another identity: in the logs
    /// of the communities that they are in, of their DMs, and in their own.
    async fn announce(
        &self,
        change: &mut Change,
        user: &User,
        previous: Option<IdentityKey>,
        proven: &Proven<'_>,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let communities = app.store().communities_of(user.id).await?;
        let communities = communities
            .into_iter()
            .map(|(community, _)| (LogId::Community(community.id), Some(community.id)));
        // Channels of communities have the same members or fewer.
        let channels = app.store().joined_channels(user.id).await?;
        let dms = channels
            .into_iter()
            .filter(|view| view.channel.community_id.is_none())
            .map(|view| (LogId::Conversation(view.channel.id), None));
        let own = std::iter::once((LogId::User(user.id), None));
        for (log, community) in own.chain(communities).chain(dms) {
            let fact =
                Fact::IdentityChanged { user: author(user), identity: proven.identity, previous };
            change.entries.push(app.entry(log, community, user.id, proven.now, fact));
        }
        Ok(())
    }

    /// Makes a ghost of an import the account of whoever came: its id and what it wrote stay.
    async fn claim(
        &self,
        change: &mut Change,
        user: &mut User,
        ghost: UserId,
    ) -> Result<(), ApiError> {
        let spent = || ApiError::forbidden("The account of this invite has been claimed already.");
        let ghost = self.0.store().user(ghost).await?.ok_or_else(spent)?;
        user.id = ghost.id;
        user.created_at = ghost.created_at;
        change.preconditions.push(Precondition::UserUnclaimed(user.id));
        if user.username != ghost.username {
            change.preconditions.push(Precondition::UsernameFree(user.username.clone()));
            change.records.push(Record::RenameUser(user.id, user.username.clone()));
        }
        change.records.push(Record::UpdateUser(user.clone()));
        Ok(())
    }

    /// Makes the first account owner of what was imported before it came.
    async fn adopt_communities(
        &self,
        change: &mut Change,
        user: &User,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let app = self.0;
        for community in app.imports().unowned().await? {
            app.communities().enter(change, community, user, Role::Owner, user.id, now).await?;
        }
        if app.store().setting(super::imports::UNOWNED).await?.is_some() {
            change.records.push(Record::PutSetting(super::imports::UNOWNED, Vec::new()));
        }
        Ok(())
    }
}

/// What a refused registration is answered.
fn refusal(error: ChangeError) -> ApiError {
    match &error {
        ChangeError::Refused(Refusal::Precondition(precondition)) => match precondition {
            Precondition::ChallengeUnused(_) => ApiError::unauthorized(),
            Precondition::NoAccounts => ApiError::conflict(
                "Somebody else registered first. The setup code does not work any more.",
            ),
            Precondition::InviteUsable(..)
            | Precondition::ResetUsable(..)
            | Precondition::UserUnclaimed(_) => {
                ApiError::forbidden("The invite is wrong, spent or expired. Ask for another.")
            }
            _ => error.into(),
        },
        _ => error.into(),
    }
}

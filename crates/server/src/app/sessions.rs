//! Sessions: logging in with a device's key, staying logged in, logging out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subtle::ConstantTimeEq as _;
use tidings_domain::{DeviceId, IdentityKey, Scopes, SessionId, Timestamp, User, UserId};
use tidings_identity::{Login, Signature};
use tidings_storage::session::StoredSession;
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::Code;
use tidings_wire::account::{
    Challenge, CreateSession, DeviceInfo, LoggedIn, NewSession, Secret, Session,
};
use tokio_util::sync::CancellationToken;

use super::App;
use super::accounts::me;
use super::tokens::is_good;
use crate::access::{Caller, LiveSession};
use crate::auth::challenge;
use crate::auth::origin;
use crate::auth::token::{self, Token};
use crate::error::ApiError;
use crate::limit::Key;

/// How long a session lives after its last use, in seconds: 30 days.
const LIFETIME_S: i64 = 30 * 24 * 3600;
/// How often the use of a session is written down, in milliseconds: hourly.
const TOUCH_MS: i64 = 3600 * 1000;
/// How long a session that was read is believed. Sessions that end in this process are forgotten
/// at once; what another process ends is noticed after this long.
const BELIEVED: Duration = Duration::from_secs(2);
/// How often a session is read anew because another one ended while it was read.
const READS: usize = 8;
/// How many sessions are remembered before those that nobody uses are dropped.
const LIVE_MAX: usize = 50_000;

/// Sessions in use, by the hash of their token.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<LiveState>);

#[derive(Debug, Default)]
struct LiveState {
    by_token: HashMap<[u8; 32], Known>,
    generation: u64,
}

#[derive(Debug)]
struct Known {
    session: Arc<LiveSession>,
    checked_at: Duration,
}

impl Live {
    fn state(&self) -> MutexGuard<'_, LiveState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self, token: &[u8; 32], now: Duration) -> Option<Arc<LiveSession>> {
        let state = self.state();
        let known = state.by_token.get(token)?;
        (now.saturating_sub(known.checked_at) < BELIEVED).then(|| Arc::clone(&known.session))
    }

    /// Ends the session of one token. Tokens that were never good cost one look here, however many
    /// come.
    fn end_token(&self, token: &[u8; 32]) {
        let mut state = self.state();
        if let Some(known) = state.by_token.remove(token) {
            state.generation += 1;
            known.session.ended.cancel();
        }
    }

    /// Ends sessions: their tokens are read anew, their connections close.
    pub(crate) fn end(&self, which: impl Fn(&LiveSession) -> bool) {
        let mut state = self.state();
        state.generation += 1;
        state.by_token.retain(|_, known| {
            let ends = which(&known.session);
            if ends {
                known.session.ended.cancel();
            }
            !ends
        });
    }
}

/// From [`App::sessions`].
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'a>(pub(super) &'a App);

/// What a bearer secret looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    Token,
    /// Only its hash is known.
    Either,
}

/// A session or API token that is good.
struct Found {
    user: User,
    id: SessionId,
    device: DeviceId,
    scopes: Option<Scopes>,
    /// Writes down that it was used, when that is due.
    touch: Option<Record>,
}

/// A session that is about to be written.
pub(super) struct Opening {
    pub(super) record: Record,
    pub(super) new: NewSession,
}

impl Sessions<'_> {
    /// Makes a challenge; alike for identities that have an account here and those that have not.
    pub fn challenge(
        &self,
        identity: &str,
        address: Option<IpAddr>,
    ) -> Result<Challenge, ApiError> {
        let app = self.0;
        app.limit(Key::Logins(address), app.settings().limits.logins)?;
        let identity = parse_identity(identity)?;
        let expires_at = app.now().plus_seconds(challenge::LIFETIME_S);
        let challenge = challenge::issue(app.secret(), identity, expires_at, app.random());
        Ok(Challenge { challenge, expires_at: expires_at.into() })
    }

    /// Logs a device in. Every refusal is the same, and takes the same steps: the chain of an
    /// identity without an account is a chain all the same, only that nobody has its key.
    pub async fn create(
        &self,
        request: &CreateSession,
        address: Option<IpAddr>,
    ) -> Result<LoggedIn, ApiError> {
        let app = self.0;
        let limits = &app.settings().limits;
        app.limit(Key::Logins(address), limits.logins)?;
        app.limit_peek(Key::FailedAddress(address), limits.failures)?;
        let identity = request.identity.parse::<IdentityKey>().ok();
        if let Some(identity) = identity {
            app.limit_peek(Key::FailedIdentity(identity), limits.failures)?;
        }
        let fail = || {
            let _ = app.limit(Key::FailedAddress(address), limits.failures);
            if let Some(identity) = identity {
                let _ = app.limit(Key::FailedIdentity(identity), limits.failures);
            }
            ApiError::unauthorized()
        };

        let now = app.now();
        let device_id = DeviceId(request.device_id);
        let asked = identity.unwrap_or(app.stranger().identity());
        let user = app.store().user_by_identity(asked).await?;
        let chain = app.chains().read(asked).await?;
        let device = chain.as_ref().and_then(|read| read.chain.device(device_id, now));
        let login_key = device.map_or(app.stranger().login_key(), |device| device.keys.login);
        let signature = Signature::from_base64url(&request.signature);
        let signed = Login { origin: &request.origin, device_id, challenge: &request.challenge }
            .verify(login_key, &signature.unwrap_or(Signature([0; 64])));
        let unexpired = challenge::check(app.secret(), asked, &request.challenge, now);
        let accepted = origin::accepted(&request.origin, app.settings());

        let (Some(user), Some(device), Some(unexpired), Ok(()), true) =
            (user.filter(|user| !user.disabled), device, unexpired, signed, accepted)
        else {
            return Err(fail());
        };
        let opening = self.open(user.id, device_id, &device.name);
        let change = Change {
            preconditions: vec![
                Precondition::UserActive(user.id),
                Precondition::ChallengeUnused(unexpired.digest),
            ],
            records: vec![
                Record::UseChallenge(unexpired.digest, unexpired.expires_at),
                opening.record,
            ],
            ..Change::default()
        };
        match app.commit(change).await {
            Ok(_) => {}
            Err(ChangeError::Refused(Refusal::Precondition(_))) => return Err(fail()),
            Err(other) => return Err(other.into()),
        }
        let device = DeviceInfo {
            id: request.device_id,
            name: device.name.clone(),
            platform: device.platform.clone(),
        };
        Ok(LoggedIn { user: me(&user), device, session: opening.new })
    }

    /// A session with a new token. Its id is new too: nothing of an earlier login lives on in it.
    pub(super) fn open(self, user: UserId, device: DeviceId, device_name: &str) -> Opening {
        let now = self.0.now();
        let token = Token::new(&self.0.random::<32>());
        let id = SessionId(self.0.new_id());
        let expires_at = now.plus_seconds(LIFETIME_S);
        Opening {
            record: Record::CreateSession(StoredSession {
                id,
                user_id: user,
                device_id: device,
                device_name: device_name.to_owned(),
                token_hash: token::hash(token.reveal()),
                created_at: now,
                last_used_at: now,
                expires_at,
            }),
            new: NewSession {
                id: id.0,
                token: Some(Secret(token.reveal().to_owned())),
                expires_at: expires_at.into(),
            },
        }
    }

    /// Who holds this token.
    ///
    /// # Errors
    /// `unauthorized` when nobody does, the session has ended, or the account is shut out.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, ApiError> {
        let hash = token::hash(token);
        match self.0.caches().sessions.fresh(&hash, self.0.clock().elapsed()) {
            Some(session) => Ok(Caller::new(session)),
            // Only signed tokens have dots.
            None if token.contains('.') => self.0.access_tokens().authenticate(token).await,
            None if token.starts_with(token::API_PREFIX) => self.read(hash, Kind::Token).await,
            None => self.read(hash, Kind::Session).await,
        }
    }

    /// Who holds the token with this hash.
    ///
    /// # Errors
    /// As [`Sessions::authenticate`].
    pub(crate) async fn by_hash(&self, hash: [u8; 32]) -> Result<Caller, ApiError> {
        self.read(hash, Kind::Either).await
    }

    /// Looks again whether the caller's session is still good: for connections that live longer
    /// than the two seconds for which a request may believe what was read before.
    ///
    /// # Errors
    /// As [`Sessions::authenticate`]; [`Caller::ended`] is cancelled then.
    pub async fn recheck(&self, caller: &Caller) -> Result<(), ApiError> {
        let kind = if caller.scopes().is_some() { Kind::Either } else { Kind::Session };
        self.read(caller.session().token_hash, kind).await.map(drop)
    }

    async fn read(&self, hash: [u8; 32], kind: Kind) -> Result<Caller, ApiError> {
        for _ in 0..READS {
            if let Some(caller) = self.read_once(hash, kind).await? {
                return Ok(caller);
            }
        }
        Err(ApiError::new(Code::Unavailable, "Too many sessions end at this moment. Try again."))
    }

    /// `None` when some session ended meanwhile: it could have been this one, and a session that
    /// is not remembered here could not be ended later.
    async fn read_once(&self, hash: [u8; 32], kind: Kind) -> Result<Option<Caller>, ApiError> {
        let app = self.0;
        let live = &app.caches().sessions;
        let generation = live.state().generation;
        let now = app.now();
        let Some(found) = self.find(hash, kind, now).await? else {
            live.end_token(&hash);
            return Err(ApiError::unauthorized());
        };
        if let Some(touch) = found.touch {
            // Nobody waits for it: when it is lost, the next request writes it.
            let change = Change { records: vec![touch], ..Change::default() };
            drop(app.store().submit(change).await?);
        }
        let mut state = live.state();
        if state.generation != generation {
            return Ok(None);
        }
        let known = state.by_token.get(&hash).map(|known| Arc::clone(&known.session));
        let session = known.unwrap_or_else(|| {
            Arc::new(LiveSession {
                user_id: found.user.id,
                session_id: found.id,
                device_id: found.device,
                server_role: found.user.server_role,
                scopes: found.scopes,
                token_hash: hash,
                ended: CancellationToken::new(),
            })
        });
        if state.by_token.len() >= LIVE_MAX {
            state.by_token.retain(|_, known| Arc::strong_count(&known.session) > 1);
        }
        let checked_at = app.clock().elapsed();
        state.by_token.insert(hash, Known { session: Arc::clone(&session), checked_at });
        Ok(Some(Caller::new(session)))
    }

    /// The session or API token under a hash, if it is still good.
    async fn find(
        self,
        hash: [u8; 32],
        kind: Kind,
        now: Timestamp,
    ) -> Result<Option<Found>, ApiError> {
        let store = self.0.store();
        if kind != Kind::Token
            && let Some((stored, user)) = store.session_by_token(&hash).await?
        {
            let good = bool::from(stored.token_hash.ct_eq(&hash))
                && now < stored.expires_at
                && !user.disabled;
            let old = now.since(stored.last_used_at) >= TOUCH_MS;
            let touch =
                old.then(|| Record::TouchSession(stored.id, now, now.plus_seconds(LIFETIME_S)));
            let (id, device) = (stored.id, stored.device_id);
            return Ok(good.then_some(Found { user, id, device, scopes: None, touch }));
        }
        if kind != Kind::Session
            && let Some((stored, user)) = store.token_by_hash(&hash).await?
        {
            let good = bool::from(stored.token_hash.ct_eq(&hash))
                && is_good(&stored, now)
                && !user.disabled;
            let old = stored.last_used_at.is_none_or(|used| now.since(used) >= TOUCH_MS);
            let touch = old.then_some(Record::TouchToken(stored.id, now));
            let (id, scopes) = (SessionId(stored.id.0), Some(stored.scopes));
            return Ok(good.then_some(Found { user, id, device: DeviceId::NIL, scopes, touch }));
        }
        Ok(None)
    }

    /// The caller's sessions, oldest first.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Session>, ApiError> {
        let now = self.0.now();
        let sessions = self.0.store().sessions_of(caller.user_id()).await?;
        Ok(sessions
            .into_iter()
            .filter(|session| now < session.expires_at)
            .map(|session| Session {
                id: session.id.0,
                device_id: session.device_id.0,
                device_name: session.device_name,
                created_at: session.created_at.into(),
                last_used_at: session.last_used_at.into(),
                expires_at: session.expires_at.into(),
                current: session.id == caller.session_id(),
            })
            .collect())
    }

    /// Ends one of the caller's sessions.
    pub async fn delete(&self, caller: &Caller, id: SessionId) -> Result<(), ApiError> {
        let session = self.0.store().session(id).await?;
        if session.is_none_or(|session| session.user_id != caller.user_id()) {
            return Err(ApiError::not_found());
        }
        let records = vec![Record::DeleteSession(id)];
        self.0.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }
}

/// Reads an identity of a request.
pub(super) fn parse_identity(text: &str) -> Result<IdentityKey, ApiError> {
    text.parse().map_err(|error: tidings_domain::id::InvalidKey| {
        ApiError::field("identity", "invalid", error.to_string())
    })
}

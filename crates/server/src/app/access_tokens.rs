//! Short-lived signed tokens for other services, and for other roles of this one; the keys that sign
//! them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidings_domain::{Scope, Scopes, ServerRole, SessionId};
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::account::Secret;
use tidings_wire::signin::{AccessToken, CreateAccessToken, Jwks};

use super::App;
use super::tokens::{allow_admin, parse_scopes};
use crate::access::{Caller, LiveSession, ServerOwner};
use crate::error::ApiError;
use crate::signin::jwt::{self, Claims, Keys};

/// The setting that holds the keys, sealed.
const SETTING: &str = "jwt_keys";
/// How long keys that were read are believed: what another process has rotated is known after this.
const BELIEVED: Duration = Duration::from_mins(1);
/// How soon they are read again for a token by a key that is not among them.
const AGAIN: Duration = Duration::from_secs(2);
/// Longest audience, in characters.
const AUDIENCE_MAX: usize = 512;
/// How often a rotation is tried that others are faster with.
const ATTEMPTS: usize = 4;

/// The keys as they were read.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Option<(Arc<Keys>, Duration)>>);

/// From [`App::access_tokens`].
#[derive(Debug, Clone, Copy)]
pub struct AccessTokens<'a>(pub(super) &'a App);

impl AccessTokens<'_> {
    /// Makes a token for the caller's session.
    pub async fn create(
        &self,
        caller: &Caller,
        request: &CreateAccessToken,
    ) -> Result<AccessToken, ApiError> {
        let app = self.0;
        let audience = request.audience.as_deref().unwrap_or(&app.settings().public_url);
        let fine = (1..=AUDIENCE_MAX).contains(&audience.chars().count());
        if !fine || audience.chars().any(char::is_control) {
            let detail = format!("must have 1 to {AUDIENCE_MAX} characters");
            return Err(ApiError::field("audience", "invalid", detail));
        }
        // All that a token can be made for, but for what only the server's owner gives away.
        let all = || Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect();
        let scopes: Scopes = match &request.scopes {
            Some(words) => parse_scopes(words)?,
            None => all(),
        };
        allow_admin(caller, scopes)?;
        let now = app.now();
        let claims = Claims {
            iss: app.settings().public_url.clone(),
            aud: audience.to_owned(),
            sub: caller.user_id().to_string(),
            sid: caller.session_id().to_string(),
            iat: now.0 / 1000,
            exp: now.0 / 1000 + jwt::LIFETIME_S,
            jti: app.new_id().to_string(),
            scope: Some(scopes.to_string()),
        };
        let keys = self.keys(BELIEVED).await?;
        let token = keys.sign(&claims).ok_or_else(Self::unreadable)?;
        Ok(AccessToken {
            access_token: Secret(token),
            token_type: "Bearer".to_owned(),
            expires_in: jwt::LIFETIME_S.unsigned_abs(),
        })
    }

    /// Sees to it that there is a key, and a new one when it is due.
    pub(super) async fn ensure(&self) -> Result<(), ApiError> {
        let now = self.0.now();
        self.rotate_when(|keys| keys.is_due(now)).await.map(drop)
    }

    /// The public halves of the keys.
    pub async fn public(&self) -> Result<Jwks, ApiError> {
        Ok(self.keys(AGAIN).await?.public(self.0.now()))
    }

    /// Signs with a new key from now on. Tokens of the one before go on working until they end.
    pub async fn rotate(&self, right: &ServerOwner) -> Result<Jwks, ApiError> {
        let keys = self.rotate_when(|_| true).await?;
        let records = vec![self.0.act(right.actor(), None, "keys.rotate").record()];
        self.0.commit(Change { records, ..Change::default() }).await?;
        tracing::warn!("the server's owner changed the key that signs tokens");
        Ok(keys.public(self.0.now()))
    }

    /// Whoever holds a signed token, while its session lives.
    ///
    /// # Errors
    /// `unauthorized`, whatever is wrong with it.
    pub(super) async fn authenticate(&self, token: &str) -> Result<Caller, ApiError> {
        let app = self.0;
        let now = app.now();
        let own = &app.settings().public_url;
        let claims = match self.keys(BELIEVED).await?.verify(token, own, now) {
            Some(claims) => Some(claims),
            // Another process may have a new key.
            None => self.keys(AGAIN).await?.verify(token, own, now),
        };
        let claims = claims.ok_or_else(ApiError::unauthorized)?;
        let session: Option<SessionId> = claims.sid.parse().ok();
        let scopes: Option<Scopes> = claims
            .scope
            .as_deref()
            .map(|words| words.split(' ').map(str::parse::<Scope>).collect::<Result<_, _>>())
            .transpose()
            .ok()
            .flatten();
        let (Some(session), Some(scopes)) = (session, scopes) else {
            return Err(ApiError::unauthorized());
        };
        let stored = app.store().session(session).await?.ok_or_else(ApiError::unauthorized)?;
        let base = app.sessions().by_hash(stored.token_hash).await?;
        if base.session_id() != session || base.user_id().to_string() != claims.sub {
            return Err(ApiError::unauthorized());
        }
        let live = base.session();
        if scopes.has(Scope::Admin) && live.server_role != ServerRole::Owner {
            return Err(ApiError::unauthorized());
        }
        Ok(Caller::new(Arc::new(LiveSession {
            user_id: live.user_id,
            session_id: live.session_id,
            device_id: live.device_id,
            server_role: live.server_role,
            scopes: Some(scopes),
            token_hash: live.token_hash,
            ended: live.ended.clone(),
        })))
    }

    /// The keys, read again when they were read longer ago than this.
    async fn keys(self, believed: Duration) -> Result<Arc<Keys>, ApiError> {
        let app = self.0;
        let now = app.clock().elapsed();
        if let Some((keys, at)) = &*self.known()
            && now.saturating_sub(*at) < believed
        {
            return Ok(Arc::clone(keys));
        }
        let keys = match app.store().setting(SETTING).await? {
            Some(sealed) => Arc::new(self.read(&sealed)?),
            None => Arc::new(Keys::default()),
        };
        *self.known() = Some((Arc::clone(&keys), now));
        Ok(keys)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(Arc<Keys>, Duration)>> {
        self.0.known_keys().0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(self, sealed: &[u8]) -> Result<Keys, ApiError> {
        let opened = self.0.open_sealed(SETTING, sealed);
        let keys = opened.and_then(|text| serde_json::from_slice(&text).ok());
        keys.ok_or_else(Self::unreadable)
    }

    /// Adds a key while `wanted` is true of those that are kept.
    async fn rotate_when(self, wanted: impl Fn(&Keys) -> bool) -> Result<Arc<Keys>, ApiError> {
        let app = self.0;
        for _ in 0..ATTEMPTS {
            let before = app.store().setting(SETTING).await?;
            let keys = match &before {
                // Keys under another server key are lost: their tokens end within minutes.
                Some(sealed) => self.read(sealed).unwrap_or_default(),
                None => Keys::default(),
            };
            if !wanted(&keys) {
                *self.known() = None;
                return self.keys(Duration::ZERO).await;
            }
            let keys = keys.rotated(app.new_id().to_string(), app.random(), app.now());
            let text = serde_json::to_vec(&keys).map_err(ApiError::internal)?;
            let text = zeroize::Zeroizing::new(text);
            let sealed = app.seal(SETTING, &text)?;
            let change = Change {
                preconditions: vec![Precondition::SettingIs(SETTING, before)],
                records: vec![Record::PutSetting(SETTING, sealed)],
                ..Change::default()
            };
            match app.commit(change).await {
                Ok(_) => {
                    let keys = Arc::new(keys);
                    *self.known() = Some((Arc::clone(&keys), app.clock().elapsed()));
                    return Ok(keys);
                }
                Err(ChangeError::Refused(Refusal::Precondition(_))) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(ApiError::conflict("Others change the keys at this moment. Try again."))
    }

    fn unreadable() -> ApiError {
        tracing::error!(
            "the keys that sign tokens were sealed under another key: `tidings admin keys rotate`"
        );
        ApiError::new(
            tidings_wire::Code::Unavailable,
            "The server cannot sign tokens now. Its owner finds out why in the log.",
        )
    }
}

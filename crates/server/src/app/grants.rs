//! The device grant (RFC 8628): a terminal shows a code, and somebody who is logged in elsewhere
//! says yes to it.

use std::net::IpAddr;
use std::time::Duration;

use tidings_domain::{DeviceId, name};
use tidings_storage::signin::{GrantState, StoredGrant};
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::account::Secret;
use tidings_wire::signin::{
    DeviceAuthorization, DeviceAuthorizationRequest, DeviceRequest, TokenAnswer,
};

use super::App;
use super::accounts::me;
use crate::access::Caller;
use crate::auth::token::{self, Token};
use crate::error::ApiError;
use crate::limit::Key;

/// How long both codes work, in seconds: time to find the other device.
const LIFETIME_S: i64 = 900;
/// How many seconds lie between two polls at first, and at most.
const INTERVAL_S: u32 = 5;
const INTERVAL_MAX_S: u32 = 60;
/// How much longer a terminal waits that polled too early (RFC 8628, section 3.5).
const SLOWER_S: u32 = 5;
/// Most terminals that wait at a time: each costs a row, and anybody may ask.
const WAITING_MAX: usize = 10_000;
/// How often a new user code is drawn when the first one is in use.
const DRAWS: usize = 4;
/// Letters that nobody confuses and that make no words (RFC 8628, section 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a user code: 34 bits, of which ten tries a minute find none.
const CODE_LENGTH: usize = 8;

/// From [`App::grants`].
#[derive(Debug, Clone, Copy)]
pub struct Grants<'a>(pub(super) &'a App);

/// What a poll is answered when there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Nobody has answered yet.
    Pending,
    /// It came too early; from now on the interval is longer.
    SlowDown,
    /// Somebody said no.
    Denied,
    /// Nobody answered in time, or the code never was one.
    Expired,
}

impl Poll {
    /// The word of RFC 8628, section 3.5.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::Denied => "access_denied",
            Self::Expired => "expired_token",
        }
    }
}

impl Grants<'_> {
    /// Gives a terminal its codes.
    pub async fn begin(
        &self,
        request: &DeviceAuthorizationRequest,
        address: Option<IpAddr>,
    ) -> Result<DeviceAuthorization, ApiError> {
        let app = self.0;
        app.limit(Key::Logins(address), app.settings().limits.logins)?;
        let device_name = request.device_name.as_deref().unwrap_or(&request.client_id);
        let device_name = name::display(device_name, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("device_name", error))?;
        let now = app.now();
        let secret = Token::new(&app.random::<32>());
        for _ in 0..DRAWS {
            let user_code = new_code(app);
            let change = Change {
                preconditions: vec![Precondition::UserCodeFree(user_code.clone(), WAITING_MAX)],
                records: vec![Record::PutGrant(StoredGrant {
                    device_hash: token::hash(secret.reveal()),
                    user_code: user_code.clone(),
                    device_name: device_name.to_owned(),
                    created_at: now,
                    expires_at: now.plus_seconds(LIFETIME_S),
                    interval_s: INTERVAL_S,
                    state: GrantState::Pending,
                })],
                ..Change::default()
            };
            match app.commit(change).await {
                Ok(_) => {}
                Err(ChangeError::Refused(Refusal::Precondition(_))) => continue,
                Err(other) => return Err(other.into()),
            }
            let user_code = shown(&user_code);
            let uri = format!("{}/device", app.settings().public_url);
            return Ok(DeviceAuthorization {
                device_code: Secret(secret.reveal().to_owned()),
                verification_uri_complete: format!("{uri}?code={user_code}"),
                verification_uri: uri,
                user_code,
                expires_in: LIFETIME_S.unsigned_abs(),
                interval: INTERVAL_S,
            });
        }
        Err(ApiError::rate_limited(60))
    }

    /// Answers a terminal that polls: a session once somebody said yes.
    pub async fn poll(
        &self,
        device_code: &str,
        address: Option<IpAddr>,
    ) -> Result<Result<TokenAnswer, Poll>, ApiError> {
        let app = self.0;
        app.limit(Key::Logins(address), app.settings().limits.logins)?;
        let hash = token::hash(device_code);
        let now = app.now();
        let grant = app.store().grant(&hash).await?.filter(|grant| now < grant.expires_at);
        let Some(grant) = grant else { return Ok(Err(Poll::Expired)) };
        let in_time = |interval_s| {
            let gap = Duration::from_secs(u64::from(interval_s));
            app.spaced(Key::DevicePoll(hash, interval_s), gap)
        };
        if !in_time(grant.interval_s) {
            if grant.state == GrantState::Pending && grant.interval_s < INTERVAL_MAX_S {
                let interval_s = INTERVAL_MAX_S.min(grant.interval_s + SLOWER_S);
                let slower = Record::PutGrant(StoredGrant { interval_s, ..grant.clone() });
                // The longer interval begins now. Whoever answered in the same moment counts.
                in_time(interval_s);
                self.replace(grant, slower).await?;
            }
            return Ok(Err(Poll::SlowDown));
        }
        let user = match grant.state {
            GrantState::Pending => return Ok(Err(Poll::Pending)),
            GrantState::Denied => return Ok(Err(Poll::Denied)),
            GrantState::Approved(user) => user,
        };
        let user = app.store().user(user).await?.filter(|user| !user.disabled);
        let Some(user) = user else { return Ok(Err(Poll::Denied)) };
        let opening = app.sessions().open(user.id, DeviceId::NIL, &grant.device_name);
        let change = Change {
            preconditions: vec![
                Precondition::UserActive(user.id),
                Precondition::GrantIs(Box::new(grant)),
            ],
            // The code works once.
            records: vec![opening.record, Record::DeleteGrant(hash)],
            ..Change::default()
        };
        match app.commit(change).await {
            Ok(_) => {}
            Err(ChangeError::Refused(Refusal::Precondition(_))) => return Ok(Err(Poll::Expired)),
            Err(other) => return Err(other.into()),
        }
        let left_ms = opening.new.expires_at.0.since(now).max(0);
        let Some(access_token) = opening.new.token else { return Ok(Err(Poll::Expired)) };
        Ok(Ok(TokenAnswer {
            access_token,
            token_type: "Bearer".to_owned(),
            expires_in: left_ms.unsigned_abs() / 1000,
            session_id: opening.new.id,
            user: me(&user),
        }))
    }

    /// What waits under the code that a person typed.
    pub async fn look(&self, caller: &Caller, code: &str) -> Result<DeviceRequest, ApiError> {
        let grant = self.find(caller, code).await?;
        Ok(DeviceRequest {
            user_code: shown(&grant.user_code),
            device_name: grant.device_name,
            created_at: grant.created_at.into(),
            expires_at: grant.expires_at.into(),
        })
    }

    /// Says yes or no to the terminal that shows a code.
    pub async fn answer(&self, caller: &Caller, code: &str, yes: bool) -> Result<(), ApiError> {
        let grant = self.find(caller, code).await?;
        let state = if yes { GrantState::Approved(caller.user_id()) } else { GrantState::Denied };
        let answered = Record::PutGrant(StoredGrant { state, ..grant.clone() });
        if self.replace(grant, answered).await? { Ok(()) } else { Err(ApiError::not_found()) }
    }

    /// The wish under a code; wrong codes count against the caller.
    async fn find(self, caller: &Caller, code: &str) -> Result<StoredGrant, ApiError> {
        let app = self.0;
        let failures = app.settings().limits.failures;
        let key = Key::FailedCodes(caller.user_id());
        app.limit_peek(key, failures)?;
        let now = app.now();
        let found = match typed(code) {
            Some(code) => app.store().grant_by_code(&code).await?,
            None => None,
        };
        let waiting =
            |grant: &StoredGrant| grant.state == GrantState::Pending && now < grant.expires_at;
        found.filter(waiting).ok_or_else(|| {
            // The refusal stands whether or not the bucket was empty already.
            let _ = app.limit(key, failures);
            ApiError::not_found()
        })
    }

    /// Whether the wish was still as it was read.
    async fn replace(self, read: StoredGrant, by: Record) -> Result<bool, ApiError> {
        let change = Change {
            preconditions: vec![Precondition::GrantIs(Box::new(read))],
            records: vec![by],
            ..Change::default()
        };
        match self.0.commit(change).await {
            Ok(_) => Ok(true),
            Err(ChangeError::Refused(Refusal::Precondition(_))) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }
}

fn new_code(app: &App) -> String {
    let mut code = String::with_capacity(CODE_LENGTH);
    while code.len() < CODE_LENGTH {
        for byte in app.random::<CODE_LENGTH>() {
            // 240 is the last multiple of 20 in a byte: every letter is as likely as every other.
            if byte < 240 && code.len() < CODE_LENGTH {
                let letter = ALPHABET.get(usize::from(byte) % ALPHABET.len()).copied();
                code.push(char::from(letter.unwrap_or(b'B')));
            }
        }
    }
    code
}

/// `BCDF-GHJK`
fn shown(code: &str) -> String {
    let (one, two) = code.split_at_checked(CODE_LENGTH / 2).unwrap_or((code, ""));
    format!("{one}-{two}")
}

/// A code as people type it: in any case, with whatever between its letters.
fn typed(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let letters: String =
        text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
    (letters.len() == CODE_LENGTH).then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        for text in ["BCDF-GHJK", "bcdf ghjk", "bcdfghjk", " B.C.D.F-ghjk\n"] {
            assert_eq!(typed(text).as_deref(), Some("BCDFGHJK"), "{text}");
        }
        for text in ["", "BCDF-GHJ", "BCDF-GHJKL", &"B".repeat(65)] {
            assert_eq!(typed(text), None, "{text}");
        }
        assert_eq!(shown("BCDFGHJK"), "BCDF-GHJK");
    }
}

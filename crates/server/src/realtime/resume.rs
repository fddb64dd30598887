//! Resume tokens: a connection that was lost comes back without showing the session's token again.
//!
//! A resume token names the session by its token's hash and is signed by the server, so nothing has
//! to be remembered: it is good at every gateway and after a restart, and a token whose replacement
//! was lost on the way stays good until it ends. It ends with the session at the latest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tidings_domain::Timestamp;
use tidings_wire::account::Secret;

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

/// How long a connection may be away, in seconds. A laptop sleeps over a weekend; after that its
/// client shows its session token again.
const LIFETIME_S: i64 = 3 * 24 * 3600;
/// What the signature is for, so that no other of the server's signatures passes for it.
const DOMAIN: &[u8] = b"tidings/v1/resume";
const HASH: usize = 32;
const TIME: usize = 8;
const MAC: usize = 32;

fn mac(secret: &[u8; 32], signed: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of 32 bytes");
    mac.update(DOMAIN);
    mac.update(signed);
    mac
}

/// Writes a token for the session with this token hash: 72 bytes as base64url.
pub fn issue(secret: &[u8; 32], session: &[u8; 32], until: Timestamp) -> Secret {
    let mut bytes = Vec::with_capacity(HASH + TIME + MAC);
    bytes.extend_from_slice(session);
    bytes.extend_from_slice(&until.0.to_be_bytes());
    let tag = mac(secret, &bytes).finalize().into_bytes();
    bytes.extend_from_slice(&tag);
    Secret(URL_SAFE_NO_PAD.encode(bytes))
}

/// The token hash of the session that a token names; `None` when the token is not ours or has
/// ended.
pub fn check(secret: &[u8; 32], token: &Secret, now: Timestamp) -> Option<[u8; 32]> {
    let bytes = URL_SAFE_NO_PAD.decode(&token.0).ok()?;
    let (signed, tag) = bytes.split_at_checked(HASH + TIME)?;
    mac(secret, signed).verify_slice(tag).ok()?;
    let (hash, until) = signed.split_at(HASH);
    let until = Timestamp(i64::from_be_bytes(until.try_into().ok()?));
    if now < until { hash.try_into().ok() } else { None }
}

/// A token for the caller's session, and until when it is good.
pub(super) fn token(app: &App, caller: &Caller) -> (Secret, Timestamp) {
    let until = app.now().plus_seconds(LIFETIME_S);
    (issue(app.secret(), &caller.session().token_hash, until), until)
}

/// Who comes back with this token.
///
/// # Errors
/// `unauthorized` when the token is not ours, has ended, or its session has.
pub(super) async fn caller(app: &App, token: &Secret) -> Result<Caller, ApiError> {
    let session = check(app.secret(), token, app.now()).ok_or_else(ApiError::unauthorized)?;
    app.sessions().by_hash(session).await
}

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

fn mac(app: &App, signed: &[u8]) -> Result<Hmac<Sha256>, ApiError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(app.secret()).map_err(ApiError::internal)?;
    mac.update(DOMAIN);
    mac.update(signed);
    Ok(mac)
}

/// A token for the caller's session, and until when it is good.
pub(super) fn token(app: &App, caller: &Caller) -> (Secret, Timestamp) {
    let until = app.now().plus_seconds(LIFETIME_S);
    let mut bytes = Vec::with_capacity(HASH + TIME + MAC);
    bytes.extend_from_slice(&caller.session().token_hash);
    bytes.extend_from_slice(&until.0.to_be_bytes());
    // An HMAC takes a key of any length.
    if let Ok(mac) = mac(app, &bytes) {
        bytes.extend_from_slice(&mac.finalize().into_bytes());
    }
    (Secret(URL_SAFE_NO_PAD.encode(bytes)), until)
}

/// Who comes back with this token.
///
/// # Errors
/// `unauthorized` when the token is not ours, has ended, or its session has.
pub(super) async fn caller(app: &App, token: &Secret) -> Result<Caller, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(&token.0).map_err(|_| ApiError::unauthorized())?;
    let (signed, tag) = bytes.split_at_checked(HASH + TIME).ok_or_else(ApiError::unauthorized)?;
    mac(app, signed)?.verify_slice(tag).map_err(|_| ApiError::unauthorized())?;
    let (hash, until) = signed.split_at(HASH);
    let hash: [u8; HASH] = hash.try_into().map_err(|_| ApiError::unauthorized())?;
    let until: [u8; TIME] = until.try_into().map_err(|_| ApiError::unauthorized())?;
    if app.now() >= Timestamp(i64::from_be_bytes(until)) {
        return Err(ApiError::unauthorized());
    }
    app.sessions().by_hash(hash).await
}

//! Challenges: what a client signs to prove that it holds a key.
//!
//! They are not stored when they are made, so a flood of questions fills no table, and unknown
//! identities get one exactly as known ones do. A challenge carries its end and an HMAC over
//! itself and the identity; that it works only once is kept by the writer when it is used.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use tidings_domain::{IdentityKey, Timestamp};

/// How long a challenge works, in seconds: time to type a passphrase, not to sell the signature.
pub const LIFETIME_S: i64 = 300;

const NONCE: usize = 16;

/// A challenge that is ours and has not expired; whether it was used only the writer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unexpired {
    /// SHA-256 of its text.
    pub digest: [u8; 32],
    /// When it stops working.
    pub expires_at: Timestamp,
}

fn mac(secret: &[u8; 32], identity: IdentityKey, head: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of 32 bytes");
    mac.update(b"tidings/v1/challenge\n");
    mac.update(&identity.0);
    mac.update(head);
    mac
}

/// Makes a challenge for an identity: 56 bytes as base64url.
pub fn issue(
    secret: &[u8; 32],
    identity: IdentityKey,
    expires_at: Timestamp,
    nonce: [u8; NONCE],
) -> String {
    let mut bytes = Vec::with_capacity(56);
    bytes.extend_from_slice(&expires_at.0.to_be_bytes());
    bytes.extend_from_slice(&nonce);
    let tag = mac(secret, identity, &bytes).finalize().into_bytes();
    bytes.extend_from_slice(&tag);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Checks that a challenge is ours, for this identity, and unexpired.
pub fn check(
    secret: &[u8; 32],
    identity: IdentityKey,
    text: &str,
    now: Timestamp,
) -> Option<Unexpired> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (head, tag) = bytes.split_at_checked(8 + NONCE)?;
    mac(secret, identity, head).verify_slice(tag).ok()?;
    let expires_at = Timestamp(i64::from_be_bytes(*head.first_chunk()?));
    (now < expires_at)
        .then(|| Unexpired { digest: Sha256::digest(text.as_bytes()).into(), expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: IdentityKey = IdentityKey([1; 32]);
    const SECRET: [u8; 32] = [7; 32];

    #[test]
    fn a_challenge_works_for_its_identity_until_it_expires() {
        let text = issue(&SECRET, ANA, Timestamp(1000), [3; 16]);
        let found = check(&SECRET, ANA, &text, Timestamp(999)).unwrap();
        assert_eq!(found.expires_at, Timestamp(1000));
        assert_eq!(check(&SECRET, ANA, &text, Timestamp(1000)), None);
        assert_eq!(check(&SECRET, IdentityKey([2; 32]), &text, Timestamp(0)), None);
        assert_eq!(check(&[8; 32], ANA, &text, Timestamp(0)), None);
    }

    #[test]
    fn nothing_else_is_a_challenge() {
        let text = issue(&SECRET, ANA, Timestamp(1000), [3; 16]);
        for at in 0..text.len() {
            let mut bad = text.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bad).unwrap();
            assert_eq!(check(&SECRET, ANA, &bad, Timestamp(0)), None, "{at}");
        }
        for bad in ["", "A", "é", &text[..40], &format!("{text}A")] {
            assert_eq!(check(&SECRET, ANA, bad, Timestamp(0)), None, "{bad}");
        }
    }
}

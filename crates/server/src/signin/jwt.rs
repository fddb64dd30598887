//! Our own signed tokens: JWTs (RFC 7519) as access tokens (RFC 9068), signed by Ed25519 keys that
//! change and are published (RFC 7517, RFC 8037).
//!
//! One verifier: the algorithm is the key's, never the token's; keys are found by `kid` in a list of
//! ours, and whatever else a header says of keys is a reason to refuse.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tidings_domain::Timestamp;
use tidings_wire::signin::{Jwk, Jwks};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How long a token works, in seconds.
pub const LIFETIME_S: i64 = 600;
/// How far clocks may be apart, in seconds.
const SKEW_S: i64 = 60;
/// How long a key is published after it has signed its last token, in seconds: until that token has
/// ended everywhere.
const PUBLISHED_S: i64 = LIFETIME_S + 2 * SKEW_S;
/// How long a key signs, in seconds: 30 days.
const KEY_LIFETIME_S: i64 = 30 * 24 * 3600;
/// Longest token that is looked at, in bytes.
const TOKEN_MAX: usize = 8 << 10;
/// The type of access tokens (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";
/// What stands before the seed in a PKCS #8 key of Ed25519 (RFC 8410, section 7).
const PKCS8: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];

/// A key and when it signed.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Key {
    kid: String,
    seed: [u8; 32],
    created_at: i64,
    retired_at: Option<i64>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Key {
    fn public(&self) -> String {
        let public = SigningKey::from_bytes(&self.seed).verifying_key();
        URL_SAFE_NO_PAD.encode(public.as_bytes())
    }
}

/// All keys whose tokens may still be believed; the last one signs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Keys(Vec<Key>);

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// This server.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// The account.
    pub sub: String,
    /// The session, which may end before the token does.
    pub sid: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Its own name.
    pub jti: String,
    /// Scopes with spaces between them; absent when it may do all that the session may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl Keys {
    /// Whether a new key is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.0.last().is_none_or(|key| now.0 - key.created_at >= KEY_LIFETIME_S * 1000)
    }

    /// With a new key, and without those whose tokens have all ended.
    #[must_use]
    pub fn rotated(&self, kid: String, seed: [u8; 32], now: Timestamp) -> Self {
        let mut keys = self.0.clone();
        for key in &mut keys {
            key.retired_at.get_or_insert(now.0);
        }
        keys.retain(|key| key.retired_at.is_none_or(|at| now.0 - at <= PUBLISHED_S * 1000));
        keys.push(Key { kid, seed, created_at: now.0, retired_at: None });
        Self(keys)
    }

    /// The public halves of keys whose tokens may still be believed.
    pub fn public(&self, now: Timestamp) -> Jwks {
        let keys = self.0.iter().filter(|key| published(key, now));
        Jwks {
            keys: keys
                .map(|key| Jwk {
                    kty: "OKP".to_owned(),
                    crv: "Ed25519".to_owned(),
                    alg: "EdDSA".to_owned(),
                    usage: "sig".to_owned(),
                    kid: key.kid.clone(),
                    x: key.public(),
                })
                .collect(),
        }
    }

    /// Signs with the newest key; `None` when there is none.
    pub fn sign(&self, claims: &Claims) -> Option<String> {
        let key = self.0.last()?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.kid.clone());
        let mut der = [&PKCS8[..], &key.seed].concat();
        let token = jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&der));
        der.zeroize();
        token.ok()
    }

    /// What a token says that we signed for this audience and that has not ended.
    pub fn verify(&self, token: &str, own: &str, now: Timestamp) -> Option<Claims> {
        if token.len() > TOKEN_MAX {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        let foreign = header.jku.is_some()
            || header.jwk.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some()
            || header.cty.is_some()
            || header.crit.is_some();
        if foreign || header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let kid = header.kid?;
        let key = self.0.iter().find(|key| key.kid == kid).filter(|key| published(key, now))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[own]);
        validation.set_issuer(&[own]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // It would ask the machine's clock.
        validation.validate_exp = false;
        let key = DecodingKey::from_ed_components(&key.public()).ok()?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()?.claims;
        let now_s = now.0 / 1000;
        (claims.iat <= now_s + SKEW_S && now_s < claims.exp).then_some(claims)
    }
}

fn published(key: &Key, now: Timestamp) -> bool {
    key.retired_at.is_none_or(|at| now.0 - at <= PUBLISHED_S * 1000)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const OWN: &str = "https://chat.example.org";
    const NOW: Timestamp = Timestamp(1_760_000_000_000);

    fn keys() -> Keys {
        Keys::default().rotated("one".to_owned(), [1; 32], NOW)
    }

    fn claims() -> Claims {
        let now_s = NOW.0 / 1000;
        Claims {
            iss: OWN.to_owned(),
            aud: OWN.to_owned(),
            sub: "somebody".to_owned(),
            sid: "session".to_owned(),
            iat: now_s,
            exp: now_s + LIFETIME_S,
            jti: "1".to_owned(),
            scope: None,
        }
    }

    /// A token with any header and any claims, signed as `sign` says.
    fn token(header: &Value, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let head = format!("{}.{}", encode(&header.to_string()), encode(claims));
        let signature = sign(head.as_bytes());
        format!("{head}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn ours(bytes: &[u8]) -> Vec<u8> {
        use ed25519_dalek::Signer as _;
        SigningKey::from_bytes(&[1; 32]).sign(bytes).to_vec()
    }

    #[test]
    fn a_token_says_what_was_signed() {
        let token = keys().sign(&claims()).unwrap();
        assert_eq!(keys().verify(&token, OWN, NOW), Some(claims()));
        assert_eq!(keys().verify(&token, "https://other.example.org", NOW), None);
        let last = NOW.plus_seconds(LIFETIME_S - 1);
        assert!(keys().verify(&token, OWN, last).is_some());
        assert_eq!(keys().verify(&token, OWN, NOW.plus_seconds(LIFETIME_S)), None);
        assert_eq!(keys().verify(&token, OWN, NOW.plus_seconds(-SKEW_S - 1)), None);
    }

    #[test]
    fn keys_that_signed_are_believed_until_their_tokens_have_ended() {
        let first = keys();
        let token = first.sign(&claims()).unwrap();
        let later = NOW.plus_seconds(KEY_LIFETIME_S);
        assert!(!first.is_due(later.plus_seconds(-1)) && first.is_due(later));
        assert!(Keys::default().is_due(NOW));
        let second = first.rotated("two".to_owned(), [2; 32], NOW);
        assert_eq!(second.public(NOW).keys.len(), 2);
        assert!(second.verify(&token, OWN, NOW).is_some());
        let after = NOW.plus_seconds(PUBLISHED_S + 1);
        assert_eq!(second.public(after).keys.len(), 1);
        let kept = second.rotated("three".to_owned(), [3; 32], after);
        let kids: Vec<_> = kept.public(after).keys.into_iter().map(|key| key.kid).collect();
        assert_eq!(kids, ["two", "three"]);
    }

    #[test]
    fn tokens_of_others_are_not_believed() {
        let fine = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "one"});
        let body = serde_json::to_string(&claims()).unwrap();
        assert!(keys().verify(&token(&fine, &body, ours), OWN, NOW).is_some());

        let header = |name: &str, value: Value| {
            let mut header = fine.clone();
            header[name] = value;
            header
        };
        let x = keys().public(NOW).keys[0].x.clone();
        let hmac = |key: Vec<u8>| {
            move |bytes: &[u8]| {
                use hmac::Mac as _;
                let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
                mac.update(bytes);
                mac.finalize().into_bytes().to_vec()
            }
        };
        let raw = URL_SAFE_NO_PAD.decode(&x).unwrap();
        for (header, what) in [
            (header("alg", json!("none")), "no algorithm"),
            (header("alg", json!("None")), "no algorithm, spelled otherwise"),
            (header("alg", json!("HS256")), "another algorithm"),
            (header("alg", json!("ES256")), "another algorithm"),
            (header("alg", json!("RS256")), "another algorithm"),
            (header("typ", json!("JWT")), "another type"),
            (header("typ", json!(null)), "no type"),
            (header("kid", json!("two")), "a key that is not there"),
            (header("kid", json!("../one")), "a path to a key"),
            (header("kid", json!("one' OR '1'='1")), "a query for a key"),
            (header("kid", json!(["one"])), "a list of keys"),
            (header("kid", json!(null)), "no key"),
            (header("jku", json!("https://evil.example/jwks")), "an address of keys"),
            (header("x5u", json!("https://evil.example/cert")), "an address of a certificate"),
            (header("x5c", json!(["AAAA"])), "a certificate"),
            (header("crit", json!(["exp"])), "what must be understood"),
            (header("cty", json!("JWT")), "a token in a token"),
            (
                header("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA"})),
                "a key of its own",
            ),
        ] {
            assert_eq!(keys().verify(&token(&header, &body, ours), OWN, NOW), None, "{what}");
            assert_eq!(keys().verify(&token(&header, &body, |_| Vec::new()), OWN, NOW), None);
        }
        // The public key as a shared secret.
        for key in [raw, x.into_bytes()] {
            let swapped = token(&header("alg", json!("HS256")), &body, hmac(key));
            assert_eq!(keys().verify(&swapped, OWN, NOW), None);
        }
        let other = |bytes: &[u8]| {
            use ed25519_dalek::Signer as _;
            SigningKey::from_bytes(&[9; 32]).sign(bytes).to_vec()
        };
        assert_eq!(keys().verify(&token(&fine, &body, other), OWN, NOW), None);
        assert_eq!(keys().verify(&token(&fine, &body, |_| vec![0; 64]), OWN, NOW), None);
        let now_s = NOW.0 / 1000;
        for wrong in [
            json!({"iss": "https://evil.example", "aud": OWN, "exp": now_s + 60}),
            json!({"iss": OWN, "aud": "https://evil.example", "exp": now_s + 60}),
            json!({"iss": OWN, "aud": OWN, "exp": now_s - 1}),
            json!({"iss": OWN, "aud": OWN, "exp": "never"}),
            json!({"iss": OWN, "aud": OWN}),
            json!({"aud": OWN, "exp": now_s + 60}),
            json!({"iss": OWN, "exp": now_s + 60}),
        ] {
            let mut all = json!({"sub": "a", "sid": "b", "iat": now_s, "jti": "c"});
            all.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
            assert_eq!(keys().verify(&token(&fine, &all.to_string(), ours), OWN, NOW), None);
        }
        let twice = body.replacen('{', "{\"sub\":\"root\",", 1);
        assert_eq!(keys().verify(&token(&fine, &twice, ours), OWN, NOW), None);
        let huge = format!("{}{}", token(&fine, &body, ours), "A".repeat(TOKEN_MAX));
        for broken in ["", ".", "..", "a.b.c", "....", &huge] {
            assert_eq!(keys().verify(broken, OWN, NOW), None, "{broken:.20}");
        }
    }
}

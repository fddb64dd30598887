//! Bearer secrets: random, sent once, kept as a hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What every API token begins with.
pub(crate) const API_PREFIX: &str = "tdg_pat_";

/// A bearer secret on its way to whoever asked. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Writes random bytes as base64url.
    pub(crate) fn new(random: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// An API token: the prefix by which secret scanners know it, then random bytes.
    pub(crate) fn api(random: &[u8; 32]) -> Self {
        Self(format!("{API_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// SHA-256 of a secret. Tokens have 128 random bits or more, so no slow hash is needed: guessing
/// is hopeless, and a slow one would be a way to keep the server busy.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_show_in_debug() {
        assert_eq!(format!("{:?}", Token::new(&[1; 32])), "[redacted]");
        assert_eq!(Token::new(&[1; 32]).reveal().len(), 43);
        let api = Token::api(&[1; 32]);
        assert_eq!(format!("{api:?}"), "[redacted]");
        assert!(api.reveal().starts_with("tdg_pat_AQEB") && api.reveal().len() == 51);
    }
}

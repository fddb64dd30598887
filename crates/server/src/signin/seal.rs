//! What the server keeps, or hands to browsers, so that nobody but itself can read or change it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// Bytes of a nonce: random ones of 24 bytes do not meet.
const NONCE: usize = 24;

/// The key under which secrets lie in the database; it lies beside the database, never in it. 32
/// random bytes.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the file that keeps them.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Seals and opens with XChaCha20-Poly1305. What was sealed for one purpose opens for no other.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Sealer {
    /// Seals under a key.
    pub fn new(key: &SealKey) -> Self {
        Self(XChaCha20Poly1305::new((&*key.0).into()))
    }

    /// Nonce, then ciphertext and tag. `None` only for texts of more than 256 GiB.
    pub fn seal(&self, entropy: &dyn Entropy, purpose: &str, text: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: text, aad: purpose.as_bytes() };
        let sealed = self.0.encrypt((&nonce).into(), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// What was sealed for this purpose; `None` when it was not, or was changed since.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.0.decrypt(nonce.into(), payload).ok().map(Zeroizing::new)
    }

    /// Seals a value as text for cookies and addresses.
    pub fn seal_text<T: serde::Serialize>(
        &self,
        entropy: &dyn Entropy,
        purpose: &str,
        value: &T,
    ) -> Option<String> {
        let json = Zeroizing::new(serde_json::to_vec(value).ok()?);
        self.seal(entropy, purpose, &json).map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
    }

    /// A value that was sealed as text.
    pub fn open_text<T: serde::de::DeserializeOwned>(
        &self,
        purpose: &str,
        text: &str,
    ) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&self.open(purpose, &sealed)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn what_was_sealed_opens_for_its_purpose_alone() {
        let sealer = Sealer::new(&SealKey::new([7; 32]));
        let text = sealer.seal(&SystemEntropy, "a", b"secret").unwrap();
        assert_ne!(sealer.seal(&SystemEntropy, "a", b"secret").unwrap(), text);
        assert_eq!(*sealer.open("a", &text).unwrap(), b"secret");
        assert!(sealer.open("b", &text).is_none());
        assert!(Sealer::new(&SealKey::new([8; 32])).open("a", &text).is_none());
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert!(sealer.open("a", &changed).is_none(), "{at}");
            assert!(sealer.open("a", &text[..at]).is_none(), "{at}");
        }
        assert_eq!(format!("{:?} {sealer:?}", SealKey::new([7; 32])), "[redacted] [redacted]");
    }
}

//! The hash chain of a log: what makes an export prove its order and completeness.
//!
//! `commitment = SHA-256(salt ‖ data)`, `hash = SHA-256(prev ‖ header ‖ commitment)`, where `data`
//! is the event's `data` and `header` the event without it, both as canonical JSON (RFC 8785).
//! Erasing an entry removes `data` and `salt`; the commitment stays and the chain still verifies.

use sha2::{Digest, Sha256};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// The hash before the first entry of every log: 32 zero bytes.
pub const GENESIS: Hash = [0; 32];

/// Commits to an entry's data under a random salt, so that erased data cannot be guessed back.
pub fn commitment(salt: &[u8; 32], data: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(data).finalize().into()
}

/// A commitment to data whose end is not known yet.
#[derive(Debug, Clone)]
pub struct Committing(Sha256);

impl Committing {
    /// Begins with the salt and what is known of the data.
    pub fn begin(salt: &[u8; 32], data: &[u8]) -> Self {
        Self(Sha256::new().chain_update(salt).chain_update(data))
    }

    /// What [`commitment`] makes of the whole.
    pub fn end(&self, rest: &[u8]) -> Hash {
        self.0.clone().chain_update(rest).finalize().into()
    }
}

/// Chains an entry to the one before it.
pub fn entry_hash(prev: &Hash, header: &[u8], commitment: &Hash) -> Hash {
    Sha256::new().chain_update(prev).chain_update(header).chain_update(commitment).finalize().into()
}

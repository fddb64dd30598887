//! The signature of an export: what a server signs about a file that it hands out.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey};

use crate::key::{BadSignature, PublicKey, Signature, verify_strict};

/// The private half of the key with which one server signs its exports.
///
/// It signs [`SignedExport`]s and nothing else, so it can pass for no identity and no device.
pub struct ExportSecret(SigningKey);

impl ExportSecret {
    /// The secret of a 32-byte seed, which the server draws once.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// What whoever gets an export compares with the key in it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }
}

impl fmt::Debug for ExportSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExportSecret([redacted])")
    }
}

/// "I wrote exactly these lines", signed by the server's export key; tag `tidings/v1/export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedExport {
    /// How many lines stand before the signature.
    pub lines: u64,
    /// The hash that chains the last of them to all before it.
    pub chain: [u8; 32],
}

impl SignedExport {
    /// The signed bytes: tag, number of lines, hash in hexadecimal.
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("tidings/v1/export\n{}\n{}", self.lines, hex::encode(self.chain)).into_bytes()
    }

    /// Signs as the server.
    pub fn sign(&self, server: &ExportSecret) -> Signature {
        Signature(server.0.sign(&self.to_bytes()).to_bytes())
    }

    /// Checks that `key` signed exactly these lines.
    pub fn verify(&self, key: PublicKey, signature: &Signature) -> Result<(), BadSignature> {
        verify_strict(key, &self.to_bytes(), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_binds_the_number_of_lines_the_chain_and_the_key() {
        let server = ExportSecret::from_seed(&[1; 32]);
        let signed = SignedExport { lines: 3, chain: [7; 32] };
        let expected = format!("tidings/v1/export\n3\n{}", "07".repeat(32));
        assert_eq!(signed.to_bytes(), expected.as_bytes());
        let signature = signed.sign(&server);
        assert_eq!(signed.verify(server.public(), &signature), Ok(()));
        for other in
            [SignedExport { lines: 4, ..signed }, SignedExport { chain: [8; 32], ..signed }]
        {
            assert_eq!(other.verify(server.public(), &signature), Err(BadSignature));
        }
        let stranger = ExportSecret::from_seed(&[2; 32]).public();
        assert_eq!(signed.verify(stranger, &signature), Err(BadSignature));
        assert_eq!(format!("{server:?}"), "ExportSecret([redacted])");
    }
}

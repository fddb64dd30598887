//! Identity keys, the sub-keys of a device, and the one way in which a signature is checked.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tidings_domain::IdentityKey;
use tidings_domain::id::InvalidKey;
use zeroize::Zeroizing;

/// The private half of an identity: an Ed25519 key whose 32-byte seed is the recovery phrase.
///
/// It signs only what this crate builds (sigchain payloads and tagged statements), so no caller
/// can be talked into signing bytes that somebody else chose.
pub struct IdentitySecret(SigningKey);

impl IdentitySecret {
    /// The secret of a 32-byte seed; the caller draws new seeds from the system's generator.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// A copy of the 32-byte seed, for a keyring or a sealed file; wiped when dropped.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The identity that this secret speaks for.
    pub fn public(&self) -> IdentityKey {
        IdentityKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for IdentitySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentitySecret([redacted])")
    }
}

impl PartialEq for IdentitySecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for IdentitySecret {}

/// The 32-byte seed of one device, from which a separate key for each protocol is derived.
pub struct DeviceSecret(Zeroizing<[u8; 32]>);

impl DeviceSecret {
    /// The secret of a 32-byte seed; the device draws it once and never sends it anywhere.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    /// A copy of the 32-byte seed, for a keyring or a sealed file; wiped when dropped.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// The 32-byte Ed25519 seed for one use: HKDF-SHA256 (RFC 5869) of the device seed without
    /// salt, with info `tidings/v1/device/<use>`.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "HKDF-SHA256 gives up to 8,160 bytes and these are 32"
    )]
    pub fn sub_seed(&self, usage: DeviceUse) -> Zeroizing<[u8; 32]> {
        let mut sub_seed = Zeroizing::new([0_u8; 32]);
        let info: [&[u8]; 2] = [b"tidings/v1/device/", usage.as_str().as_bytes()];
        Hkdf::<Sha256>::new(None, &*self.0)
            .expand_multi_info(&info, &mut *sub_seed)
            .expect("32 bytes are within the limit of HKDF");
        sub_seed
    }

    /// The public halves of all sub-keys, as they stand in the `add_device` entry.
    pub fn public_keys(&self) -> DeviceKeys {
        let public = |usage| PublicKey(self.signing_key(usage).verifying_key().to_bytes());
        DeviceKeys {
            login: public(DeviceUse::Login),
            mls: public(DeviceUse::Mls),
            nats: public(DeviceUse::Nats),
            overlay: public(DeviceUse::Overlay),
            files: public(DeviceUse::Files),
        }
    }

    pub(crate) fn sign(&self, usage: DeviceUse, message: &[u8]) -> Signature {
        Signature(self.signing_key(usage).sign(message).to_bytes())
    }

    fn signing_key(&self, usage: DeviceUse) -> SigningKey {
        SigningKey::from_bytes(&self.sub_seed(usage))
    }
}

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret([redacted])")
    }
}

impl PartialEq for DeviceSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for DeviceSecret {}

/// What a sub-key is for. One key per protocol (RFD 3): a broker chooses the string that a NATS
/// login signs, so no key that signs anything else may do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DeviceUse {
    /// Signs [`crate::Login`] statements.
    Login,
    /// Is the signature key of the device's leaf in sealed rooms (RFC 9420).
    Mls,
    /// Is the nkey with which the device logs in to NATS.
    Nats,
    /// Is the device's name in the overlay of peers.
    Overlay,
    /// Is the endpoint from which the device serves files.
    Files,
}

impl DeviceUse {
    /// Every use, in the order of the design.
    pub const ALL: [Self; 5] = [Self::Login, Self::Mls, Self::Nats, Self::Overlay, Self::Files];

    /// The word that stands in the HKDF info and in the `keys` object of `add_device`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Mls => "mls",
            Self::Nats => "nats",
            Self::Overlay => "overlay",
            Self::Files => "files",
        }
    }
}

/// The public sub-keys of a device: one for each [`DeviceUse`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceKeys {
    /// Verifies [`crate::Login`] statements.
    pub login: PublicKey,
    /// Verifies the device's leaf and entries in sealed rooms.
    pub mls: PublicKey,
    /// The device's NATS user key.
    pub nats: PublicKey,
    /// The device's name in the overlay.
    pub overlay: PublicKey,
    /// The device's file endpoint.
    pub files: PublicKey,
}

impl DeviceKeys {
    /// The key for one use.
    pub const fn get(&self, usage: DeviceUse) -> PublicKey {
        match usage {
            DeviceUse::Login => self.login,
            DeviceUse::Mls => self.mls,
            DeviceUse::Nats => self.nats,
            DeviceUse::Overlay => self.overlay,
            DeviceUse::Files => self.files,
        }
    }
}

/// An Ed25519 public key of a device; written like an [`IdentityKey`], but never one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Whether the bytes are the only encoding of a point that is not of small order. Signatures
    /// under a small-order key are good for nearly every message, so such a key proves nothing.
    pub fn is_sound(&self) -> bool {
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| !key.is_weak() && key.to_edwards().compress().to_bytes() == self.0)
    }
}

impl From<IdentityKey> for PublicKey {
    fn from(key: IdentityKey) -> Self {
        Self(key.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&IdentityKey(self.0), f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    /// Accepts only `ed25519:` and 64 lowercase hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        text.parse::<IdentityKey>().map(Self::from)
    }
}

/// An Ed25519 signature (RFC 8032), 64 bytes: hexadecimal in the sigchain, base64url in REST.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

impl Signature {
    /// Reads 128 lowercase hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, InvalidSignature> {
        if text.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(InvalidSignature);
        }
        let mut bytes = [0_u8; 64];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidSignature)?;
        Ok(Self(bytes))
    }

    /// Writes 128 lowercase hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads 86 characters of base64url without padding, the form of raw bytes in the HTTP API.
    pub fn from_base64url(text: &str) -> Result<Self, InvalidSignature> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidSignature)?;
        bytes.try_into().map(Self).map_err(|_| InvalidSignature)
    }

    /// Writes 86 characters of base64url without padding.
    pub fn to_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// The text is not a signature of 64 bytes in the form that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 signature of 64 bytes")]
pub struct InvalidSignature;

/// The signature does not belong to this key and message, or the key is unsound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit the key and what was signed")]
pub struct BadSignature;

/// Checks `signature` over exactly `message` with the strict equation: no small-order key, no
/// small-order commitment, no scalar past the group order, no second encoding of a key. The
/// lenient equation accepts signatures that fit several messages, so it is never used.
pub fn verify_strict(
    key: impl Into<PublicKey>,
    message: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    let key = key.into();
    if !key.is_sound() {
        return Err(BadSignature);
    }
    VerifyingKey::from_bytes(&key.0)
        .and_then(|verifying| {
            verifying.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0))
        })
        .map_err(|_| BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_never_show_in_debug() {
        let seed = [7_u8; 32];
        let identity = IdentitySecret::from_seed(&seed);
        let device = DeviceSecret::from_seed(&seed);
        assert_eq!(format!("{identity:?}"), "IdentitySecret([redacted])");
        assert_eq!(format!("{device:?}"), "DeviceSecret([redacted])");
    }

    #[test]
    fn secrets_compare_by_seed() {
        assert_eq!(IdentitySecret::from_seed(&[1; 32]), IdentitySecret::from_seed(&[1; 32]));
        assert_ne!(IdentitySecret::from_seed(&[1; 32]), IdentitySecret::from_seed(&[2; 32]));
        assert_eq!(DeviceSecret::from_seed(&[1; 32]), DeviceSecret::from_seed(&[1; 32]));
        assert_ne!(DeviceSecret::from_seed(&[1; 32]), DeviceSecret::from_seed(&[2; 32]));
        assert_eq!(*IdentitySecret::from_seed(&[3; 32]).seed(), [3; 32]);
        assert_eq!(*DeviceSecret::from_seed(&[3; 32]).seed(), [3; 32]);
    }

    #[test]
    fn keys_and_signatures_read_back_what_they_write() {
        let device = DeviceSecret::from_seed(&[9; 32]);
        let key = device.public_keys().files;
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(format!("{key:?}"), key.to_string());
        assert_eq!(key.to_string().to_uppercase().parse::<PublicKey>(), Err(InvalidKey));

        let signature = device.sign(DeviceUse::Files, b"x");
        assert_eq!(Signature::from_hex(&signature.to_hex()), Ok(signature));
        assert_eq!(Signature::from_base64url(&signature.to_base64url()), Ok(signature));
        assert_eq!(format!("{signature:?}"), signature.to_hex());
    }

    #[test]
    fn signatures_of_another_form_are_refused() {
        let good = Signature([0xab; 64]);
        for bad in [good.to_hex().to_uppercase(), good.to_hex()[2..].to_owned(), String::new()] {
            assert_eq!(Signature::from_hex(&bad), Err(InvalidSignature), "{bad}");
        }
        for bad in [format!("{}==", good.to_base64url()), "q6ur".to_owned(), "*".repeat(86)] {
            assert_eq!(Signature::from_base64url(&bad), Err(InvalidSignature), "{bad}");
        }
    }

    #[test]
    fn second_encodings_of_a_point_are_unsound() {
        // Of the field elements below 19 each has a second encoding, p + y, that fits in 255 bits.
        let mut would_decode = 0;
        for y in 0..19_u8 {
            let mut bytes = [0xff_u8; 32];
            bytes[0] = 0xed + y;
            bytes[31] = 0x7f;
            assert!(!PublicKey(bytes).is_sound(), "p + {y}");
            would_decode += usize::from(
                VerifyingKey::from_bytes(&bytes).is_ok_and(|decoded| !decoded.is_weak()),
            );
        }
        assert!(would_decode > 0, "the check on the encoding must be what refuses some of them");
    }
}

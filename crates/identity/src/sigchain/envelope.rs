//! One entry of a chain, in the form in which it is signed, hashed and sent.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tidings_domain::{IdentityKey, Timestamp};

use crate::key::Signature;

use super::op::Op;
use super::{MAX_ENVELOPE_BYTES, json, time};

pub(super) const KIND: &str = "sigchain_event";
pub(super) const EVENT: &str = "kez.sigchain.event";
pub(super) const VERSION: u64 = 1;
pub(super) const ALG: &str = "ed25519-sha512-jcs";

/// SHA-256 of the canonical form of a whole envelope; written `sha256:<64 lowercase hex>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryHash(pub [u8; 32]);

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EntryHash {
    type Err = InvalidHash;

    /// Accepts only `sha256:` and 64 lowercase hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        tagged_hex("sha256:", text).map(Self).ok_or(InvalidHash)
    }
}

/// The text is not `sha256:` and 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of the form sha256:<64 lowercase hex>")]
pub struct InvalidHash;

/// The 32 bytes of `tag` followed by 64 lowercase hexadecimal digits.
pub(super) fn tagged_hex(tag: &str, text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix(tag)?;
    let mut bytes = [0_u8; 32];
    let lower = !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    (lower && hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(bytes)
}

/// A well-formed KEZ envelope. Its signature and its place in a chain are **not** checked yet:
/// only [`super::Chain`] does that.
///
/// Members that this version does not know are kept, because they are part of what is hashed and,
/// inside `payload`, of what is signed. `Serialize` writes the whole document as it was received,
/// in any JSON serializer.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    document: Value,
    canonical: String,
    signed: String,
    hash: EntryHash,
    primary: IdentityKey,
    seq: u64,
    prev: Option<EntryHash>,
    created_at: Timestamp,
    op: Op,
    signed_by: IdentityKey,
    signature: Signature,
}

/// Reads one envelope of untrusted JSON: form and sizes only.
///
/// Takes at most 64 KiB, nested at most 32 deep, without repeated keys; every known operation must
/// have a payload of its shape. Never panics, whatever the bytes.
pub fn parse_envelope(bytes: &[u8]) -> Result<Envelope, ParseError> {
    if bytes.len() > MAX_ENVELOPE_BYTES {
        return Err(ParseError::TooLarge { max: MAX_ENVELOPE_BYTES, actual: bytes.len() });
    }
    Envelope::read(json::parse(bytes)?)
}

impl Envelope {
    /// Takes an envelope out of JSON that was parsed elsewhere, under the same rules as
    /// [`parse_envelope`]. What that parser did with repeated keys can no longer be seen, so bytes
    /// from the network go through [`parse_envelope`].
    pub fn from_value(document: &Value) -> Result<Self, ParseError> {
        parse_envelope(json::canonical(document)?.as_bytes())
    }

    fn read(document: Value) -> Result<Self, ParseError> {
        let canonical = json::canonical(&document)?;
        if canonical.len() > MAX_ENVELOPE_BYTES {
            return Err(ParseError::TooLarge { max: MAX_ENVELOPE_BYTES, actual: canonical.len() });
        }
        let top = Fields::of("", Some(&document))?;
        top.constant("kez", &Value::from(KIND))?;

        let payload = top.object("payload")?;
        payload.constant("type", &Value::from(EVENT))?;
        payload.constant("version", &Value::from(VERSION))?;
        let primary = payload.parsed("primary", "ed25519:<64 lowercase hex>")?;
        let seq = payload.count("seq")?;
        let prev = match payload.get("prev") {
            None => None,
            Some(_) => Some(payload.parsed("prev", "sha256:<64 lowercase hex>")?),
        };
        let created_at = payload.time("created_at")?;
        let op = Op::read(payload.text("op")?, &payload)?;

        let signature = top.object("signature")?;
        signature.constant("alg", &Value::from(ALG))?;
        let signed_by = signature.parsed("key", "ed25519:<64 lowercase hex>")?;
        let sig = signature.signature("sig")?;

        let signed = json::canonical(payload.value)?;
        let hash = EntryHash(Sha256::digest(&canonical).into());
        Ok(Self {
            canonical,
            signed,
            hash,
            primary,
            seq,
            prev,
            created_at,
            op,
            signed_by,
            signature: sig,
            document,
        })
    }

    /// The key of the identity, as the entry names it.
    pub const fn primary(&self) -> IdentityKey {
        self.primary
    }

    /// The place in the chain, from 0.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The hash of the entry before; absent at entry 0.
    pub const fn prev(&self) -> Option<EntryHash> {
        self.prev
    }

    /// When the signer's clock says that it was made; nothing is decided by it.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// What the entry does.
    pub const fn op(&self) -> &Op {
        &self.op
    }

    /// SHA-256 over the canonical form of the whole envelope: what the next entry carries as
    /// `prev`.
    pub const fn hash(&self) -> EntryHash {
        self.hash
    }

    /// The key that is said to have signed.
    pub const fn signed_by(&self) -> IdentityKey {
        self.signed_by
    }

    /// The signature, not checked.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The bytes under the signature: the canonical form of `payload`.
    pub const fn signed_bytes(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// The whole document, unknown members included.
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// The whole document in canonical form (RFC 8785), which [`parse_envelope`] reads back to an
    /// equal envelope: the form to store and to send.
    pub const fn as_json(&self) -> &str {
        self.canonical.as_str()
    }

    /// For a `rotate`: what its new key must have signed, and the signature that says so.
    pub(super) fn consent(&self) -> Option<(String, &Signature)> {
        let Op::Rotate { sig_by_new, .. } = &self.op else { return None };
        let text = consent_text(self.document.get("payload")?.clone()).ok()?;
        Some((text, sig_by_new))
    }
}

/// What the new key of a `rotate` signs: the canonical form of `payload` without
/// `payload.payload.sig_by_new`.
pub(super) fn consent_text(mut payload: Value) -> Result<String, ParseError> {
    if let Some(operands) = payload.get_mut("payload").and_then(Value::as_object_mut) {
        operands.remove("sig_by_new");
    }
    json::canonical(&payload)
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

/// Why a text is not an envelope; `Display` names the field and what would have been fine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The document is too large, as sent or in canonical form.
    #[error("an envelope has at most {max} bytes, not {actual}")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
        /// What was given.
        actual: usize,
    },
    /// The text is not JSON.
    #[error("not JSON: {reason}")]
    Syntax {
        /// Where and why the parser stopped.
        reason: String,
    },
    /// Objects and arrays are nested too deeply.
    #[error("nested more than {max} deep")]
    TooDeep {
        /// The deepest that is read.
        max: usize,
    },
    /// An object has a key twice, so readers would disagree on what it says.
    #[error("the key {key:?} stands twice in one object")]
    RepeatedKey {
        /// The key.
        key: String,
    },
    /// A number is past the range of doubles.
    #[error("a number is out of range")]
    Number,
    /// A member is not there.
    #[error("{field} is missing")]
    Missing {
        /// The path of the member, with dots.
        field: String,
    },
    /// A member is there but not what it must be.
    #[error("{field} must be {expected}, not {actual}")]
    Invalid {
        /// The path of the member, with dots.
        field: String,
        /// What would have been fine, in words.
        expected: String,
        /// What was given, as JSON, cut to 80 characters.
        actual: String,
    },
}

/// The members of one object, with the path to name them in errors.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    path: String,
    value: &'a Value,
    members: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(path: &str, value: Option<&'a Value>) -> Result<Self, ParseError> {
        let shown = if path.is_empty() { "the envelope" } else { path };
        let value = value.ok_or_else(|| ParseError::Missing { field: shown.to_owned() })?;
        let members = value.as_object().ok_or_else(|| invalid(shown, "an object", value))?;
        Ok(Self { path: path.to_owned(), value, members })
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    fn required(&self, name: &str) -> Result<&'a Value, ParseError> {
        self.get(name).ok_or_else(|| ParseError::Missing { field: self.path_of(name) })
    }

    /// An error about member `name`.
    pub(super) fn refuse(&self, name: &str, expected: &str) -> ParseError {
        invalid(&self.path_of(name), expected, self.get(name).unwrap_or(&Value::Null))
    }

    fn constant(&self, name: &str, expected: &Value) -> Result<(), ParseError> {
        if self.required(name)? == expected {
            Ok(())
        } else {
            Err(self.refuse(name, &expected.to_string()))
        }
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, ParseError> {
        Self::of(&self.path_of(name), self.get(name))
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, ParseError> {
        self.required(name)?.as_str().ok_or_else(|| self.refuse(name, "text"))
    }

    pub(super) fn count(&self, name: &str) -> Result<u64, ParseError> {
        self.required(name)?.as_u64().ok_or_else(|| self.refuse(name, "a whole number from 0"))
    }

    pub(super) fn time(&self, name: &str) -> Result<Timestamp, ParseError> {
        time::parse(self.text(name)?)
            .ok_or_else(|| self.refuse(name, "a time like 2026-01-31T12:00:00.000Z"))
    }

    pub(super) fn signature(&self, name: &str) -> Result<Signature, ParseError> {
        Signature::from_hex(self.text(name)?)
            .map_err(|_| self.refuse(name, "128 lowercase hexadecimal digits"))
    }

    pub(super) fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Result<T, ParseError> {
        self.text(name)?.parse().map_err(|_| self.refuse(name, expected))
    }
}

fn invalid(field: &str, expected: &str, actual: &Value) -> ParseError {
    let actual = actual.to_string().chars().take(80).collect();
    ParseError::Invalid { field: field.to_owned(), expected: expected.to_owned(), actual }
}

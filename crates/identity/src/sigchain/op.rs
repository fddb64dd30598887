//! The operations of the chain: reading their payloads and writing them.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};
use tidings_domain::name::{DISPLAY_NAME_MAX, display};
use tidings_domain::{DeviceId, IdentityKey, Timestamp};

use crate::key::{DeviceKeys, DeviceUse, PublicKey, Signature};

use super::envelope::{Fields, ParseError, tagged_hex};
use super::time;

/// Longest name of an operation, in bytes: the longest of ours has 16.
const OP_MAX: usize = 64;

/// What an entry does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// `add_device`: these sub-keys may act for the identity.
    AddDevice(Device),
    /// `revoke`: from this entry on, a device or a claim counts no more.
    Revoke(Revoked),
    /// `set_vault`: the key to which the person's epoch keys are sealed.
    SetVault(VaultKey),
    /// `add`: the identity claims to be this subject elsewhere.
    Add(Subject),
    /// `rotate`: the identity continues under a new key, and the old one signs nothing after.
    Rotate {
        /// The key that signs from the next entry on.
        new_primary: IdentityKey,
        /// Its agreement: a signature over the canonical `payload` of the envelope without
        /// this member.
        sig_by_new: Signature,
    },
    /// `set_shared_files`: the list of files that the person shares.
    SetSharedFiles(SharedFiles),
    /// An operation of a later version or another tool: kept and hashed, otherwise ignored.
    Unknown {
        /// The operation's name, 1 to 64 bytes.
        name: String,
        /// Its payload as received; `null` when there is none.
        payload: Value,
    },
}

/// A device as its `add_device` entry describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The id that the device drew.
    pub id: DeviceId,
    /// What the person calls it, 1 to 64 visible characters.
    pub name: String,
    /// What it runs on, such as `linux` or `web`, 1 to 64 visible characters.
    pub platform: String,
    /// Its public sub-keys.
    pub keys: DeviceKeys,
    /// From when on it is certified no more; `None` when it stays until revoked.
    pub expires_at: Option<Timestamp>,
}

impl Device {
    /// Whether `now` is before the device's expiry.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// What a `revoke` entry ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// A device: its sub-keys act for the identity no more, and it never comes back.
    Device(DeviceId),
    /// A claim; it may be made again later.
    Subject(Subject),
}

/// An X25519 public key for sealing; written `x25519:<64 lowercase hex>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VaultKey(pub [u8; 32]);

impl fmt::Display for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x25519:{}", hex::encode(self.0))
    }
}

impl FromStr for VaultKey {
    type Err = InvalidOperand;

    fn from_str(text: &str) -> Result<Self, InvalidOperand> {
        tagged_hex("x25519:", text).map(Self).ok_or(InvalidOperand)
    }
}

/// The BLAKE3 hash of a manifest of shared files; written `blake3:<64 lowercase hex>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Manifest(pub [u8; 32]);

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", hex::encode(self.0))
    }
}

impl FromStr for Manifest {
    type Err = InvalidOperand;

    fn from_str(text: &str) -> Result<Self, InvalidOperand> {
        tagged_hex("blake3:", text).map(Self).ok_or(InvalidOperand)
    }
}

/// What a person shares: which list, and how many files are on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedFiles {
    /// The hash of the signed list.
    pub manifest: Manifest,
    /// How many files it names.
    pub count: u64,
}

/// A claim such as `dns:example.org` or `github:name`: a scheme of 1 to 32 of `[a-z0-9+.-]`
/// beginning with a letter, a colon, and 1 to 480 visible characters without white space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(String);

impl Subject {
    /// The claim as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the colon: the kind of place where the proof is published.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Subject {
    type Err = InvalidOperand;

    fn from_str(text: &str) -> Result<Self, InvalidOperand> {
        let (scheme, name) = text.split_once(':').ok_or(InvalidOperand)?;
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b);
        let fine = scheme.len() <= 32
            && scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(letter)
            && display(name, 480).is_ok()
            && !name.contains(char::is_whitespace);
        if fine { Ok(Self(text.to_owned())) } else { Err(InvalidOperand) }
    }
}

/// The text is not a value of this kind; the kind's documentation gives its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form that this kind of value has")]
pub struct InvalidOperand;

const KEY_FORM: &str = "ed25519:<64 lowercase hex>";
const SUBJECT_FORM: &str = "a claim like dns:example.org";

impl Op {
    /// Reads the payload that belongs to the operation `name` of an event.
    pub(super) fn read(name: &str, event: &Fields<'_>) -> Result<Self, ParseError> {
        let operands = || event.object("payload");
        Ok(match name {
            "add_device" => Self::AddDevice(read_device(&operands()?)?),
            "revoke" => Self::Revoke(read_revoked(&operands()?)?),
            "set_vault" => Self::SetVault(operands()?.parsed("key", "x25519:<64 lowercase hex>")?),
            "add" => Self::Add(operands()?.parsed("subject", SUBJECT_FORM)?),
            "rotate" => {
                let operands = operands()?;
                Self::Rotate {
                    new_primary: operands.parsed("new_primary", KEY_FORM)?,
                    sig_by_new: operands.signature("sig_by_new")?,
                }
            }
            "set_shared_files" => {
                let operands = operands()?;
                Self::SetSharedFiles(SharedFiles {
                    manifest: operands.parsed("manifest", "blake3:<64 lowercase hex>")?,
                    count: operands.count("count")?,
                })
            }
            _ if name.is_empty() || name.len() > OP_MAX => {
                return Err(event.refuse("op", "a name of 1 to 64 bytes"));
            }
            _ => Self::Unknown {
                name: name.to_owned(),
                payload: event.get("payload").cloned().unwrap_or_default(),
            },
        })
    }

    /// The name that stands in `op`.
    pub fn name(&self) -> &str {
        match self {
            Self::AddDevice(_) => "add_device",
            Self::Revoke(_) => "revoke",
            Self::SetVault(_) => "set_vault",
            Self::Add(_) => "add",
            Self::Rotate { .. } => "rotate",
            Self::SetSharedFiles(_) => "set_shared_files",
            Self::Unknown { name, .. } => name,
        }
    }

    /// The payload as it stands in the entry.
    pub(super) fn to_payload(&self) -> Result<Value, ParseError> {
        Ok(match self {
            Self::AddDevice(device) => device_payload(device)?,
            Self::Revoke(Revoked::Device(id)) => json!({ "device_id": id.to_string() }),
            Self::Revoke(Revoked::Subject(subject)) | Self::Add(subject) => {
                json!({ "subject": subject.as_str() })
            }
            Self::SetVault(key) => json!({ "key": key.to_string() }),
            Self::Rotate { new_primary, sig_by_new } => json!({
                "new_primary": new_primary.to_string(),
                "sig_by_new": sig_by_new.to_hex(),
            }),
            Self::SetSharedFiles(SharedFiles { manifest, count }) => {
                json!({ "manifest": manifest.to_string(), "count": count })
            }
            Self::Unknown { payload, .. } => payload.clone(),
        })
    }
}

fn read_device(operands: &Fields<'_>) -> Result<Device, ParseError> {
    let id = read_device_id(operands)?;
    let name = read_label(operands, "name")?;
    let platform = read_label(operands, "platform")?;
    let keys = operands.object("keys")?;
    let key = |usage: DeviceUse| -> Result<PublicKey, ParseError> {
        let key: PublicKey = keys.parsed(usage.as_str(), KEY_FORM)?;
        if key.is_sound() {
            Ok(key)
        } else {
            Err(keys.refuse(usage.as_str(), "a key that only its owner can sign with"))
        }
    };
    Ok(Device {
        id,
        name,
        platform,
        keys: DeviceKeys {
            login: key(DeviceUse::Login)?,
            mls: key(DeviceUse::Mls)?,
            nats: key(DeviceUse::Nats)?,
            overlay: key(DeviceUse::Overlay)?,
            files: key(DeviceUse::Files)?,
        },
        expires_at: operands.get("expires_at").map(|_| operands.time("expires_at")).transpose()?,
    })
}

fn read_revoked(operands: &Fields<'_>) -> Result<Revoked, ParseError> {
    match (operands.get("device_id"), operands.get("subject")) {
        (Some(_), Some(_)) => {
            Err(operands.refuse("subject", "absent, because there is a device_id"))
        }
        (None, Some(_)) => Ok(Revoked::Subject(operands.parsed("subject", SUBJECT_FORM)?)),
        (_, None) => Ok(Revoked::Device(read_device_id(operands)?)),
    }
}

/// One device must not have two names, so only the lower-case form is taken.
fn read_device_id(operands: &Fields<'_>) -> Result<DeviceId, ParseError> {
    let form = "a lowercase hyphenated UUID";
    let id: DeviceId = operands.parsed("device_id", form)?;
    if operands.text("device_id")? == id.to_string() {
        Ok(id)
    } else {
        Err(operands.refuse("device_id", form))
    }
}

fn read_label(operands: &Fields<'_>, field: &str) -> Result<String, ParseError> {
    display(operands.text(field)?, DISPLAY_NAME_MAX)
        .map(ToOwned::to_owned)
        .map_err(|_| operands.refuse(field, "1 to 64 visible characters"))
}

fn device_payload(device: &Device) -> Result<Value, ParseError> {
    let mut payload = json!({
        "device_id": device.id.to_string(),
        "name": device.name,
        "platform": device.platform,
        "keys": DeviceUse::ALL
            .into_iter()
            .map(|usage| (usage.as_str().to_owned(), device.keys.get(usage).to_string().into()))
            .collect::<serde_json::Map<String, Value>>(),
    });
    if let (Some(end), Some(members)) = (device.expires_at, payload.as_object_mut()) {
        members.insert("expires_at".to_owned(), write_time("expires_at", end)?);
    }
    Ok(payload)
}

/// A time of the domain as it stands in an entry.
pub(super) fn write_time(field: &str, at: Timestamp) -> Result<Value, ParseError> {
    time::format(at).map(Value::from).ok_or_else(|| ParseError::Invalid {
        field: field.to_owned(),
        expected: "a time in the years 0 to 9999".to_owned(),
        actual: format!("{} ms", at.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_have_a_scheme_and_a_name() {
        for good in [
            "dns:example.org",
            "github:ana",
            "web:https://example.org/~ana",
            "ap:@ana@example.org",
            "nostr:npub1xyz",
            "a+b.c-1:ü",
        ] {
            let subject: Subject = good.parse().expect(good);
            assert_eq!(subject.to_string(), good);
            assert_eq!(Some(subject.scheme()), good.split(':').next());
        }
        let long = format!("dns:{}", "x".repeat(481));
        let scheme = format!("{}:x", "x".repeat(33));
        for bad in [
            "",
            "dns",
            "dns:",
            ":x",
            "DNS:x",
            "1a:x",
            "a_b:x",
            "dns:a b",
            "dns:\u{202e}x",
            &long,
            &scheme,
        ] {
            assert_eq!(bad.parse::<Subject>(), Err(InvalidOperand), "{bad}");
        }
    }

    #[test]
    fn keys_and_hashes_read_back_and_refuse_upper_case() {
        let text = format!("x25519:{}", "ab".repeat(32));
        assert_eq!(text.parse::<VaultKey>().map(|key| key.to_string()), Ok(text.clone()));
        assert_eq!(text.to_uppercase().parse::<VaultKey>(), Err(InvalidOperand));
        assert_eq!(text.replace("ab", "AB").parse::<VaultKey>(), Err(InvalidOperand));
        let text = format!("blake3:{}", "cd".repeat(32));
        assert_eq!(text.parse::<Manifest>().map(|hash| hash.to_string()), Ok(text.clone()));
        assert_eq!(text.replace("blake3", "sha256").parse::<Manifest>(), Err(InvalidOperand));
        assert_eq!(text[..70].parse::<Manifest>(), Err(InvalidOperand));
    }
}

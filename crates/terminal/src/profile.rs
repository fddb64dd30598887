//! Profiles: an account, its keys and its session, in files for their owner alone.
//!
//! `HOME/profiles/NAME/` (0700) holds `account.toml`, `keys.toml`, `session.toml` (0600) and the
//! send queue in `outbox/`. Files are replaced whole, so a crash leaves the old one or the new one.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tidings_domain::{DeviceId, IdentityKey};
use tidings_identity::sigchain::EntryHash;
use tidings_identity::{DeviceSecret, Head, IdentitySecret};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::failure::Failure;

/// Longest name of a profile: what is comfortable in a directory listing.
const NAME_MAX: usize = 64;

/// A directory of one account.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    name: String,
    dir: PathBuf,
}

/// `account.toml`: who this is, where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The server's origin.
    pub server: String,
    /// The username there.
    pub username: String,
    /// The account's id; absent until the server has confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// `ed25519:<hex>`.
    pub identity: String,
    /// This device's id.
    pub device_id: Uuid,
    /// This device's name.
    pub device_name: String,
    /// Where the identity's chain ended when we last saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<SavedHead>,
    /// Whether the person still has to show that the recovery phrase is written down.
    #[serde(default)]
    pub phrase_unchecked: bool,
}

/// A remembered head of a sigchain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedHead {
    /// The last entry's place, from 0.
    pub seq: u64,
    /// `sha256:<hex>` of it.
    pub hash: String,
}

impl From<Head> for SavedHead {
    fn from(head: Head) -> Self {
        Self { seq: head.seq, hash: head.hash.to_string() }
    }
}

impl SavedHead {
    fn to_head(&self) -> Option<Head> {
        Some(Head { seq: self.seq, hash: self.hash.parse::<EntryHash>().ok()? })
    }
}

impl Account {
    /// The identity as a key; `None` when somebody has edited the file.
    pub(crate) fn identity_key(&self) -> Option<IdentityKey> {
        self.identity.parse().ok()
    }

    /// This device's id.
    pub(crate) const fn device(&self) -> DeviceId {
        DeviceId(self.device_id)
    }

    /// The remembered head of the identity's chain.
    pub(crate) fn head(&self) -> Option<Head> {
        self.chain.as_ref().and_then(SavedHead::to_head)
    }
}

/// A secret in a file; wiped when dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub(crate) struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// `keys.toml`: 32-byte seeds in hex.
#[derive(Serialize, Deserialize)]
struct KeysFile {
    device: SecretText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<SecretText>,
}

/// The secrets of a profile.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Acts for the identity on this device.
    pub device: DeviceSecret,
    /// The identity itself: only here until the person has shown that the phrase is written down.
    pub identity: Option<IdentitySecret>,
}

/// `session.toml`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The session's id.
    pub id: Uuid,
    /// The bearer token.
    pub token: SecretText,
    /// When it ends unless it is used, RFC 3339.
    pub expires_at: String,
}

impl Profile {
    /// The profile `name` in `home`; nothing is made yet.
    pub(crate) fn new(home: &Path, name: &str) -> Result<Self, Failure> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !first || name.len() > NAME_MAX || !name.bytes().all(fine) {
            return Err(Failure::usage(format!("\"{name}\" cannot be the name of a profile"))
                .next("use letters, digits and ._- and begin with a letter or digit"));
        }
        Ok(Self { name: name.to_owned(), dir: home.join("profiles").join(name) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where the send queue is.
    pub(crate) fn outbox_dir(&self) -> PathBuf {
        self.dir.join("outbox")
    }

    /// The account, when there is one.
    pub(crate) fn account(&self) -> Result<Option<Account>, Failure> {
        self.read("account.toml")
    }

    pub(crate) fn save_account(&self, account: &Account) -> Result<(), Failure> {
        self.write("account.toml", account)
    }

    /// The secrets, when there are some.
    pub(crate) fn keys(&self) -> Result<Option<Keys>, Failure> {
        let Some(file) = self.read::<KeysFile>("keys.toml")? else { return Ok(None) };
        let seed = |text: &str| {
            seed_from_hex(text).ok_or_else(|| {
                let path = self.dir.join("keys.toml");
                Failure::new(format!("{} does not hold keys any more", path.display()))
                    .next("restore the file, or: tidings login --phrase-file FILE")
            })
        };
        let device = DeviceSecret::from_seed(&*seed(&file.device.0)?);
        let identity = match &file.identity {
            Some(text) => Some(IdentitySecret::from_seed(&*seed(&text.0)?)),
            None => None,
        };
        Ok(Some(Keys { device, identity }))
    }

    pub(crate) fn save_keys(&self, keys: &Keys) -> Result<(), Failure> {
        let file = KeysFile {
            device: hex_of(&keys.device.seed()),
            identity: keys.identity.as_ref().map(|identity| hex_of(&identity.seed())),
        };
        self.write("keys.toml", &file)
    }

    /// The session, when there is one.
    pub(crate) fn session(&self) -> Result<Option<Session>, Failure> {
        self.read("session.toml")
    }

    pub(crate) fn save_session(&self, session: &Session) -> Result<(), Failure> {
        self.write("session.toml", session)
    }

    pub(crate) fn delete_session(&self) -> Result<(), Failure> {
        self.remove("session.toml")
    }

    /// Forgets an account that the server refused to make. The send queue stays.
    pub(crate) fn delete_account(&self) -> Result<(), Failure> {
        self.remove("session.toml")?;
        self.remove("keys.toml")?;
        self.remove("account.toml")
    }

    fn read<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>, Failure> {
        let path = self.dir.join(file);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => Zeroizing::new(text.map_err(|error| cannot("read", &path, &error))?),
        };
        toml::from_str(&text).map(Some).map_err(|error| {
            Failure::new(format!("cannot understand {}: {}", path.display(), error.message()))
                .next("restore the file, or move it away and log in again")
        })
    }

    fn write(&self, file: &str, value: &impl Serialize) -> Result<(), Failure> {
        let path = self.dir.join(file);
        let text = toml::to_string(value)
            .map(Zeroizing::new)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
        let write = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
            let beside = self.dir.join(format!("{file}.new"));
            // A file that a crash left behind may have been made readable since.
            let _ = std::fs::remove_file(&beside);
            write_new(&beside, text.as_bytes())?;
            std::fs::rename(&beside, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(|error| cannot("write", &path, &error))
    }

    fn remove(&self, file: &str) -> Result<(), Failure> {
        let path = self.dir.join(file);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(cannot("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }
}

/// Writes a file that must not exist yet, 0600, and waits until it is on disk.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot {what} {}: {error}", path.display()));
    match error.kind() {
        ErrorKind::StorageFull => failure.next("make room on the disk"),
        _ => failure.next("check the permissions, or choose another place with TIDINGS_HOME"),
    }
}

fn hex_of(seed: &[u8; 32]) -> SecretText {
    let mut text = SecretText(String::with_capacity(64));
    for byte in seed {
        for nibble in [byte >> 4, byte & 15] {
            text.0.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}

fn seed_from_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != seed.len() {
        return None;
    }
    for (byte, [high, low]) in seed.iter_mut().zip(pairs) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn account() -> Account {
        Account {
            server: "http://127.0.0.1:8420".to_owned(),
            username: "ana".to_owned(),
            user_id: Some(Uuid::from_u128(1)),
            identity: IdentitySecret::from_seed(&[7; 32]).public().to_string(),
            device_id: Uuid::from_u128(2),
            device_name: "laptop".to_owned(),
            chain: Some(SavedHead { seq: 3, hash: format!("sha256:{}", "0a".repeat(32)) }),
            phrase_unchecked: true,
        }
    }

    #[test]
    fn what_is_saved_is_read_back() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::new(home.path(), "work").unwrap();
        assert!(profile.account().unwrap().is_none() && profile.keys().unwrap().is_none());
        profile.save_account(&account()).unwrap();
        assert_eq!(profile.account().unwrap(), Some(account()));
        assert_eq!(account().head().map(|head| head.seq), Some(3));

        let keys = Keys {
            device: DeviceSecret::from_seed(&[0xfe; 32]),
            identity: Some(IdentitySecret::from_seed(&[7; 32])),
        };
        profile.save_keys(&keys).unwrap();
        let read = profile.keys().unwrap().unwrap();
        assert_eq!((read.device, read.identity), (keys.device, keys.identity));
    }

    #[test]
    fn everything_is_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::new(&home.path().join("new"), "default").unwrap();
        profile.save_account(&account()).unwrap();
        let keys = Keys { device: DeviceSecret::from_seed(&[1; 32]), identity: None };
        profile.save_keys(&keys).unwrap();
        // Replacing a file that others could read closes it.
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = profile.dir.join("keys.toml");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        profile.save_keys(&keys).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(&profile.dir.join("account.toml")), 0o600);
        assert_eq!(mode(&profile.dir), 0o700);
        assert_eq!(mode(&home.path().join("new")), 0o700);
    }

    #[test]
    fn names_cannot_leave_the_directory() {
        let home = Path::new("/nowhere");
        for good in ["default", "work-2", "a.b_c"] {
            assert!(Profile::new(home, good).is_ok(), "{good}");
        }
        for bad in ["", "..", ".x", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(Profile::new(home, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_damaged_key_file_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::new(home.path(), "default").unwrap();
        std::fs::create_dir_all(&profile.dir).unwrap();
        for text in ["device = \"zz\"", "device = \"00\"", "what"] {
            std::fs::write(profile.dir.join("keys.toml"), text).unwrap();
            assert!(profile.keys().unwrap_err().next.is_some());
        }
    }

    #[test]
    fn tokens_do_not_show_in_debug() {
        let session = Session {
            id: Uuid::nil(),
            token: SecretText("abc".to_owned()),
            expires_at: String::new(),
        };
        assert!(!format!("{session:?}").contains("abc"));
    }
}

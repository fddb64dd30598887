//! The data directory: who may use it, and the setup code in it.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tidings_identity::ExportSecret;
use tidings_server::Entropy;
use tidings_server::app::SetupCode;
use tidings_server::signin::SealKey;
use zeroize::Zeroizing;

use crate::copy::sync_folder_of;
use crate::failure::{BUSY, Failure};

/// The name of the file that says, by a lock on it, that a process uses the directory.
const LOCK: &str = "tidingsd.lock";
/// The name of the file with the setup code.
const SETUP_CODE: &str = "setup-code";
/// The name of the file with the seed of the key that signs exports.
pub(crate) const EXPORT_KEY: &str = "export-key";
/// The name of the file with the key under which secrets lie in the database, 64 hexadecimal digits.
const SEAL_KEY: &str = "secrets.key";
/// Letters and digits that nobody confuses (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols of a setup code: 80 bits, which ten tries a minute never find.
const CODE_LENGTH: usize = 16;

/// A data directory that exists.
#[derive(Debug)]
pub(crate) struct DataDir(PathBuf);

/// The right to use a data directory alone; the kernel takes it back however the process ends.
#[derive(Debug)]
pub(crate) struct Lock(File);

/// The process that uses a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its id, when it has written it.
    pub(crate) pid: Option<u32>,
    /// The origin that it serves, when it is a server that listens.
    pub(crate) origin: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}

impl Lock {
    /// Writes down under which origin the directory is served, for whoever finds it locked.
    pub(crate) fn serves(&mut self, origin: &str) -> io::Result<()> {
        self.write(Some(origin))
    }

    fn write(&mut self, origin: Option<&str>) -> io::Result<()> {
        let Self(file) = self;
        file.set_len(0)?;
        file.rewind()?;
        let pid = std::process::id();
        match origin {
            Some(origin) => write!(file, "{pid}\n{origin}\n"),
            None => writeln!(file, "{pid}"),
        }
    }
}

impl DataDir {
    /// Makes the directory, for its owner alone, when it is not there.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| {
            let what = format!("cannot make the data directory {}", path.display());
            Failure::new(what, "Name another with --data, or make it writable.").because(error)
        })?;
        Ok(Self(path.to_owned()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Takes the directory for this process.
    ///
    /// # Errors
    /// With [`BUSY`], naming the process that has it.
    pub(crate) fn lock(&self) -> anyhow::Result<Lock> {
        let path = self.0.join(LOCK);
        let mut file = open_lock(&path).map_err(|error| {
            let what = format!("cannot use the data directory {}", self.0.display());
            Failure::new(what, "It must belong to the user who runs tidingsd.").because(error)
        })?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Lock(file);
                lock.write(None).with_context(|| format!("cannot write {}", path.display()))?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => {
                let what = format!("{} is using {}", holder(&mut file), self.0.display());
                let next = "Stop that process first, or name another directory with --data.";
                Err(Failure::new(what, next).code(BUSY).into())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// The process that uses the directory now, when one does.
    pub(crate) fn holder(&self) -> Option<Holder> {
        let mut file = OpenOptions::new().read(true).open(self.0.join(LOCK)).ok()?;
        matches!(file.try_lock(), Err(TryLockError::WouldBlock)).then(|| holder(&mut file))
    }

    /// Where the setup code is kept.
    pub(crate) fn setup_code_file(&self) -> PathBuf {
        self.0.join(SETUP_CODE)
    }

    /// The setup code: the one of the last start, or a new one.
    pub(crate) fn setup_code(&self, entropy: &dyn Entropy) -> anyhow::Result<SetupCode> {
        let path = self.setup_code_file();
        if let Ok(kept) = fs::read_to_string(&path)
            && !kept.trim().is_empty()
        {
            return Ok(SetupCode(kept.trim().to_owned()));
        }
        let code = new_code(entropy);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        writeln!(file, "{code}").with_context(|| format!("cannot write {}", path.display()))?;
        Ok(SetupCode(code))
    }

    /// The key that signs exports: the one that is kept, or a new one, for the owner of the
    /// directory alone.
    pub(crate) fn export_key(&self, entropy: &dyn Entropy) -> anyhow::Result<ExportSecret> {
        let path = self.0.join(EXPORT_KEY);
        let read = || -> io::Result<Option<ExportSecret>> {
            let text = match fs::read_to_string(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                text => Zeroizing::new(text?),
            };
            let mut seed = Zeroizing::new([0; 32]);
            hex::decode_to_slice(text.trim(), &mut *seed).map_err(io::Error::other)?;
            Ok(Some(ExportSecret::from_seed(&seed)))
        };
        let failed = || {
            let what = format!("cannot use the key of exports {}", path.display());
            let next = "It has 64 hexadecimal digits. Put the right file back; without it, move it \
                        away, and the next export makes a new key.";
            Failure::new(what, next)
        };
        if let Some(kept) = read().map_err(|error| failed().because(error))? {
            return Ok(kept);
        }
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed);
        // Two processes may begin at once: the first whole file gets the name.
        let mut draft = [0; 8];
        entropy.fill(&mut draft);
        let draft = self.0.join(format!("{EXPORT_KEY}.{}", hex::encode(draft)));
        let write = || -> io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            let text = Zeroizing::new(hex::encode(*seed));
            writeln!(file, "{}", *text)?;
            file.sync_all()?;
            match fs::hard_link(&draft, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            }
        };
        let written = write();
        // A draft has done its work, or never will.
        let _ = fs::remove_file(&draft);
        written.map_err(|error| failed().because(error))?;
        sync_folder_of(&path).map_err(|error| failed().because(error))?;
        let kept = read().map_err(|error| failed().because(error))?;
        kept.ok_or_else(|| failed().into())
    }

    /// The key under which secrets lie in the database: that of the first start. It is for its owner
    /// alone, and it is in no copy of the database.
    pub(crate) fn seal_key(&self, entropy: &dyn Entropy) -> anyhow::Result<SealKey> {
        let path = self.0.join(SEAL_KEY);
        let kept = match fs::read_to_string(&path) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return new_seal_key(&path, entropy)
                    .with_context(|| format!("cannot write {}", path.display()));
            }
            Err(error) => {
                let what = format!("cannot read {}", path.display());
                let next = "It must belong to the user who runs tidingsd.";
                return Err(Failure::new(what, next).because(error));
            }
        };
        let mode = fs::metadata(&path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            let what = format!("others than its owner may read {}", path.display());
            return Err(Failure::new(what, format!("chmod 600 {}", path.display())).into());
        }
        let mut key = [0; 32];
        if hex::decode_to_slice(kept.trim(), &mut key).is_err() {
            let what = format!("{} is no key", path.display());
            let next = "Put the file back as it was. If it is lost, remove it: the server makes \
                        another, and the providers of sign-in have to be configured again.";
            return Err(Failure::new(what, next).into());
        }
        Ok(SealKey::new(key))
    }

    /// Removes the setup code: somebody has used it.
    pub(crate) fn remove_setup_code(&self) -> io::Result<()> {
        match fs::remove_file(self.setup_code_file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}

fn new_seal_key(path: &Path, entropy: &dyn Entropy) -> io::Result<SealKey> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let key = SealKey::new(bytes);
    // Whole or not at all: half a key would be none for ever.
    let part = path.with_extension("part");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    writeln!(file, "{}", hex::encode(key.reveal()))?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    Ok(key)
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    // What cannot be read is not known; that the directory is in use is known all the same.
    let _ = file.read_to_string(&mut text);
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.parse().ok());
    Holder { pid, origin: lines.next().map(str::to_owned) }
}

/// Four groups of four symbols, such as `7KQ2-…`.
fn new_code(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; CODE_LENGTH];
    entropy.fill(&mut bytes);
    let mut code = String::with_capacity(CODE_LENGTH + 3);
    for (index, byte) in bytes.into_iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        // 256 is a multiple of 32: every symbol is as likely as every other.
        let symbol = ALPHABET.get(usize::from(byte) % ALPHABET.len()).copied();
        code.push(char::from(symbol.unwrap_or(b'0')));
    }
    code
}

#[cfg(test)]
mod tests {
    use tidings_server::SystemEntropy;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn one_process_has_the_directory_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(&folder.path().join("a/b")).unwrap();
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(data.holder(), None);
        let mut lock = data.lock().unwrap();
        let error = data.lock().unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        let pid = Some(std::process::id());
        assert_eq!(data.holder(), Some(Holder { pid, origin: None }));
        lock.serves("http://a").unwrap();
        assert_eq!(data.holder(), Some(Holder { pid, origin: Some("http://a".to_owned()) }));
        drop(lock);
        assert_eq!(data.holder(), None);
        data.lock().unwrap();
    }

    #[test]
    fn the_key_of_secrets_stays_and_is_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        let key = *data.seal_key(&SystemEntropy).unwrap().reveal();
        let path = folder.path().join(SEAL_KEY);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(*data.seal_key(&SystemEntropy).unwrap().reveal(), key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = data.seal_key(&SystemEntropy).unwrap_err().to_string();
        assert!(error.contains("others than its owner"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        let error = data.seal_key(&SystemEntropy).unwrap_err().to_string();
        assert!(error.contains("is no key"), "{error}");
    }

    #[test]
    fn the_setup_code_stays_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        let first = data.setup_code(&SystemEntropy).unwrap().0;
        assert_eq!(first.len(), 19);
        assert_eq!(data.setup_code(&SystemEntropy).unwrap().0, first);
        assert_eq!(mode(&data.setup_code_file()), 0o600);
        data.remove_setup_code().unwrap();
        data.remove_setup_code().unwrap();
        assert_ne!(data.setup_code(&SystemEntropy).unwrap().0, first);
    }

    #[test]
    fn the_key_of_exports_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        let first = data.export_key(&SystemEntropy).unwrap().public();
        assert_eq!(data.export_key(&SystemEntropy).unwrap().public(), first);
        let file = folder.path().join(EXPORT_KEY);
        assert_eq!(mode(&file), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // A key that cannot be read is never replaced behind somebody's back.
        fs::write(&file, "half of it").unwrap();
        let refused = data.export_key(&SystemEntropy).unwrap_err();
        assert!(refused.to_string().contains("export-key"), "{refused}");
    }
}

//! A zip file from a stranger: read entry by entry, never unpacked, never trusted with a size.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

/// How much an archive may hold. A zip file of a few megabytes can claim to unpack to terabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files in the archive. The default, a million, is ten years of 270 channels.
    pub entries: usize,
    /// Unpacked bytes of one file, which is held in memory. The default is 256 MiB: the busiest
    /// day of a channel in exports that we have seen takes less than 1 MiB.
    pub entry_bytes: u64,
    /// Unpacked bytes of all files. The default is 64 GiB.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 1_000_000, entry_bytes: 256 << 20, total_bytes: 64 << 30 }
    }
}

/// Why an archive is refused as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It cannot be read as a zip file.
    #[error("this is not a readable zip file")]
    Zip(#[source] ZipError),
    /// More files than [`Limits::entries`].
    #[error("the zip file holds {actual} files; at most {max} are read")]
    TooManyEntries {
        /// The limit.
        max: usize,
        /// What it holds.
        actual: usize,
    },
    /// It unpacks to more than [`Limits::total_bytes`].
    #[error("the zip file unpacks to more than {max} bytes, which is the limit")]
    TooLarge {
        /// The limit.
        max: u64,
    },
}

/// Why one entry cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("it unpacks to more than {max} bytes, which is the limit for one file")]
    TooLarge { max: u64 },
    /// The bytes of the archive are wrong.
    #[error("it cannot be unpacked: {0}")]
    Broken(#[source] io::Error),
    /// The bytes of the archive cannot be had.
    #[error("{0}")]
    System(#[source] io::Error),
}

impl From<io::Error> for EntryError {
    fn from(error: io::Error) -> Self {
        if error.raw_os_error().is_some() { Self::System(error) } else { Self::Broken(error) }
    }
}

/// One file inside of the archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Its name without its folder.
    pub(crate) name: String,
    /// The whole name, for reports.
    pub(crate) path: String,
    /// The unpacked size that the archive claims.
    pub(crate) size: u64,
    index: usize,
}

/// The archive, sorted into the files at its top and those of its folders.
pub(crate) struct Archive<R> {
    zip: ZipArchive<R>,
    limits: Limits,
    /// Files at the top, by name.
    pub(crate) top: BTreeMap<String, Entry>,
    /// JSON files of each folder, in the order of their names.
    pub(crate) folders: BTreeMap<String, Vec<Entry>>,
}

impl<R> std::fmt::Debug for Archive<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("folders", &self.folders.len()).finish_non_exhaustive()
    }
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory of the archive. An export that somebody packed again may stand in a
    /// folder of its own; that folder is passed over.
    pub(crate) fn open(reader: R, limits: Limits) -> Result<Self, ArchiveError> {
        let zip = ZipArchive::new(reader).map_err(ArchiveError::Zip)?;
        if zip.len() > limits.entries {
            return Err(ArchiveError::TooManyEntries { max: limits.entries, actual: zip.len() });
        }
        let mut files = Vec::new();
        let mut claimed: u64 = 0;
        for index in 0..zip.len() {
            let data = zip.by_index_data(index).map_err(ArchiveError::Zip)?;
            if data.is_dir() {
                continue;
            }
            let name = String::from_utf8_lossy(data.name_raw()).into_owned();
            claimed = claimed.saturating_add(data.size());
            files.push((name, data.size(), index));
        }
        if claimed > limits.total_bytes {
            return Err(ArchiveError::TooLarge { max: limits.total_bytes });
        }
        let prefix = own_folder(files.iter().map(|(name, ..)| name.as_str()));
        let mut archive = Self { zip, limits, top: BTreeMap::new(), folders: BTreeMap::new() };
        for (path, size, index) in files {
            let Some(inner) = path.strip_prefix(&prefix) else { continue };
            match inner.split_once('/') {
                None => {
                    let name = inner.to_owned();
                    archive.top.insert(name.clone(), Entry { name, path, size, index });
                }
                Some((folder, name)) if is_json(name) && !name.contains('/') => {
                    let folder = folder.to_owned();
                    let name = name.to_owned();
                    let entry = Entry { name, path, size, index };
                    archive.folders.entry(folder).or_default().push(entry);
                }
                Some(_) => {}
            }
        }
        archive.folders.values_mut().for_each(|entries| entries.sort());
        Ok(archive)
    }

    /// Unpacks one entry into memory, and not a byte more than the archive claims it to have:
    /// that claim was held against the limit of all bytes when the archive was opened.
    pub(crate) fn read(&mut self, entry: &Entry) -> Result<Vec<u8>, EntryError> {
        if entry.size > self.limits.entry_bytes {
            return Err(EntryError::TooLarge { max: self.limits.entry_bytes });
        }
        let file = self.zip.by_index(entry.index).map_err(|error| match error {
            ZipError::Io(error) => EntryError::from(error),
            other => EntryError::Broken(io::Error::other(other)),
        })?;
        // The hint is capped: a lie must not reserve memory.
        let hint = usize::try_from(entry.size.min(1 << 20)).unwrap_or_default();
        let mut bytes = Vec::with_capacity(hint);
        file.take(entry.size.saturating_add(1)).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > entry.size {
            return Err(EntryError::Broken(io::Error::other("it is longer than it claims to be")));
        }
        Ok(bytes)
    }
}

fn is_json(name: &str) -> bool {
    name.len() > 5
        && name.get(name.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case(".json"))
}

/// The folder, with its slash, that holds `channels.json` or `users.json`; empty when they stand at
/// the top.
fn own_folder<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names
        .filter_map(|name| {
            let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
            (matches!(file, "channels.json" | "users.json") && !folder.contains('/'))
                .then_some(folder)
        })
        .min_by_key(|folder| folder.len())
        .map(|folder| if folder.is_empty() { String::new() } else { format!("{folder}/") })
        .unwrap_or_default()
}

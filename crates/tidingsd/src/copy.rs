//! The file that `tidingsd backup` writes: a zip of tables, blobs and a manifest with checksums.
//!
//! The manifest is written last, the list of a zip after that: a file that was cut off is no copy.
//! See docs/schema/backup.md.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tidings_storage_sql::backup::{Dumped, Piece};
use tidings_wire::time::Time;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The format that this version writes and reads.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// Copies with this many blobs have a manifest of some 150 bytes for each.
const MANIFEST_BYTES: u64 = 1 << 30;
/// Tables are text and shrink at the lowest level already; the highest takes five times as long.
const LEVEL: i64 = 1;

/// What is in a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The format of the copy; this is 1.
    pub(crate) format: u32,
    /// When it was begun.
    pub(crate) made_at: Time,
    /// The version of `tidingsd` that made it.
    pub(crate) made_by: String,
    /// `sqlite` or `postgres`; it can be put back into either.
    pub(crate) database: String,
    /// The version of the tables.
    pub(crate) schema: u64,
    /// The position of the newest entry in it.
    pub(crate) head: u64,
    /// Everything else in the file.
    pub(crate) parts: Vec<Part>,
}

impl Manifest {
    /// Rows of all tables.
    pub(crate) fn rows(&self) -> u64 {
        self.parts.iter().filter_map(|part| part.rows).sum()
    }

    /// How many files of people are in it.
    pub(crate) fn blobs(&self) -> usize {
        self.parts.iter().filter(|part| part.rows.is_none()).count()
    }
}

/// A file in a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// `tables/NAME.ndjson` or `blobs/…`.
    pub(crate) name: String,
    /// Of its bytes, not compressed.
    pub(crate) sha256: String,
    /// How many bytes it has, not compressed.
    pub(crate) bytes: u64,
    /// How many rows, when it is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    /// Its columns in the order of each row, when it is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<Vec<String>>,
}

impl Part {
    /// The table's name, when it is one.
    pub(crate) fn table(&self) -> Option<&str> {
        self.name.strip_prefix("tables/")?.strip_suffix(".ndjson")
    }

    /// Where below the data directory it belongs, when it is a blob with a name of ours.
    pub(crate) fn blob(&self) -> Option<PathBuf> {
        let path = Path::new(self.name.strip_prefix("blobs/")?);
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        plain.then(|| path.to_owned())
    }
}

/// A copy that is being written under another name, and gone unless it is finished.
pub(crate) struct Writer {
    zip: ZipWriter<BufWriter<File>>,
    partial: Partial,
    parts: Vec<Part>,
    open: Option<(Part, Sha256)>,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let (file, partial) = Partial::create(path)?;
        let zip = ZipWriter::new(BufWriter::new(file));
        Ok(Self { zip, partial, parts: Vec::new(), open: None })
    }

    /// Takes what the database hands over.
    pub(crate) fn take(&mut self, piece: &Piece<'_>) -> io::Result<()> {
        match piece {
            Piece::Table { name, columns } => {
                let name = format!("tables/{name}.ndjson");
                self.begin(name, CompressionMethod::Deflated, Some(columns.to_vec()))
            }
            Piece::Row(line) => {
                self.bytes(line)?;
                self.bytes(b"\n")?;
                if let Some((part, _)) = &mut self.open {
                    part.rows = part.rows.map(|rows| rows + 1);
                }
                Ok(())
            }
            _ => Err(io::Error::other("the database hands over what this program does not know")),
        }
    }

    fn begin(
        &mut self,
        name: String,
        method: CompressionMethod,
        columns: Option<Vec<String>>,
    ) -> io::Result<()> {
        self.end();
        let level = (method == CompressionMethod::Deflated).then_some(LEVEL);
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .compression_level(level)
            .large_file(true)
            .unix_permissions(0o600);
        self.zip.start_file(name.as_str(), options).map_err(io::Error::other)?;
        let rows = columns.is_some().then_some(0);
        let part = Part { name, sha256: String::new(), bytes: 0, rows, columns };
        self.open = Some((part, Sha256::new()));
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some((part, digest)) = &mut self.open {
            part.bytes += bytes.len() as u64;
            digest.update(bytes);
        }
        self.zip.write_all(bytes)
    }

    fn end(&mut self) {
        if let Some((mut part, digest)) = self.open.take() {
            part.sha256 = hex::encode(digest.finalize());
            self.parts.push(part);
        }
    }

    /// Copies what is in the folder. What is removed meanwhile is left out: whoever deleted it
    /// wanted that.
    pub(crate) fn blobs(&mut self, folder: &Path, bar: &ProgressBar) -> io::Result<()> {
        for path in files_below(folder)? {
            let Ok(name) = path.strip_prefix(folder) else { continue };
            // Uploads that are under way belong to nothing yet.
            if name.starts_with("spool") {
                continue;
            }
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            let Some(name) = name.to_str() else { continue };
            self.begin(format!("blobs/{name}"), CompressionMethod::Stored, None)?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                let count = file.read(&mut buffer)?;
                let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
                self.bytes(read)?;
            }
            bar.inc(1);
        }
        Ok(())
    }

    /// Writes the manifest and gives the copy its name, durably.
    pub(crate) fn finish(mut self, made_at: Time, dumped: &Dumped) -> anyhow::Result<Manifest> {
        self.end();
        let manifest = Manifest {
            format: FORMAT,
            made_at,
            made_by: concat!("tidingsd ", env!("CARGO_PKG_VERSION")).to_owned(),
            database: dumped.database.to_owned(),
            schema: dumped.schema,
            head: dumped.head,
            parts: std::mem::take(&mut self.parts),
        };
        self.zip.start_file(MANIFEST, SimpleFileOptions::default().unix_permissions(0o600))?;
        serde_json::to_writer(&mut self.zip, &manifest)?;
        let Self { zip, partial, .. } = self;
        let file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        partial.finish(&file)?;
        Ok(manifest)
    }
}

/// A file under another name, for its owner alone, that is removed unless it gets its own.
pub(crate) struct Partial {
    partial: PathBuf,
    path: PathBuf,
}

impl Partial {
    /// Begins the file that shall be at `path`.
    pub(crate) fn create(path: &Path) -> io::Result<(File, Self)> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        Ok((file, Self { partial, path: path.to_owned() }))
    }

    /// Gives the file its own name, durably.
    pub(crate) fn finish(self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.partial, &self.path)?;
        sync_folder_of(&self.path)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After it was finished there is none.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Makes the names in the folder of `path` durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A copy whose manifest was read.
pub(crate) struct Reader {
    zip: ZipArchive<BufReader<File>>,
    pub(crate) manifest: Manifest,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut zip = ZipArchive::new(BufReader::new(file))
            .context("it is no copy, or its end is missing")?;
        let mut text = Vec::new();
        let manifest = zip.by_name(MANIFEST).context("it has no manifest")?;
        manifest.take(MANIFEST_BYTES).read_to_end(&mut text).context("its manifest is damaged")?;
        let manifest: Manifest =
            serde_json::from_slice(&text).context("its manifest cannot be read")?;
        if manifest.format != FORMAT {
            bail!("its format is {}, and this version reads {FORMAT}", manifest.format);
        }
        Ok(Self { zip, manifest })
    }

    /// Compares every byte with the checksums of the manifest.
    ///
    /// # Errors
    /// Naming the part that is damaged, missing, too much, or none of ours.
    pub(crate) fn verify(&mut self, bar: &ProgressBar) -> anyhow::Result<()> {
        let parts = self.manifest.parts.clone();
        bar.set_length(parts.iter().map(|part| part.bytes).sum());
        let known: BTreeSet<_> =
            parts.iter().map(|part| &*part.name).chain(std::iter::once(MANIFEST)).collect();
        if known.len() != parts.len() + 1 || self.zip.len() != known.len() {
            bail!("its parts are not those of its manifest");
        }
        for part in &parts {
            if part.table().is_none() && part.blob().is_none() {
                bail!("{} is no part of a copy", part.name);
            }
            let mut digest = Sha256::new();
            let (mut bytes, mut rows) = (0, 0_u64);
            self.lines(part, |line| {
                digest.update(line);
                bytes += line.len() as u64;
                rows += u64::from(line.ends_with(b"\n"));
                bar.inc(line.len() as u64);
                Ok(())
            })
            .with_context(|| format!("{} is damaged", part.name))?;
            let is_same = hex::encode(digest.finalize()) == part.sha256 && bytes == part.bytes;
            if !is_same || part.rows.is_some_and(|expected| expected != rows) {
                bail!("{} is not what the manifest says", part.name);
            }
        }
        Ok(())
    }

    /// Hands over a part line by line, each with its line break; a blob too, whose lines are
    /// whatever stands between such bytes.
    fn lines(
        &mut self,
        part: &Part,
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut reader = self.part(part)?;
        let mut line = Vec::new();
        loop {
            line.clear();
            // A line of a blob may be the whole blob; it is handed over in pieces.
            if reader.by_ref().take(PIECE).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            take(&line)?;
        }
    }

    /// The bytes of a part.
    pub(crate) fn part(&mut self, part: &Part) -> anyhow::Result<BufReader<impl Read>> {
        Ok(BufReader::with_capacity(1 << 16, self.zip.by_name(&part.name)?))
    }
}

/// How much of a line is looked at at once.
const PIECE: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_stay_in_their_folder() {
        let part = |name: &str| Part {
            name: name.to_owned(),
            sha256: String::new(),
            bytes: 0,
            rows: None,
            columns: None,
        };
        assert_eq!(part("blobs/ab/abcd").blob().unwrap(), Path::new("ab/abcd"));
        for bad in ["blobs/../x", "blobs//etc/passwd", "blobs/a/../../b", "tables/x", "x"] {
            assert_eq!(part(bad).blob(), None, "{bad}");
        }
    }
}

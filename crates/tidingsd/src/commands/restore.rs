//! `tidingsd restore`

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tidings_server::{Entropy as _, SystemEntropy};
use tidings_storage::{EntryRepository as _, OperationRepository as _, SearchRepository as _};
use tidings_storage_sql::Options;
use tidings_storage_sql::backup::{Restoring, Target};

use super::open_existing_store;
use crate::cli::Place;
use crate::config::Config;
use crate::copy::{Reader, sync_folder_of};
use crate::data::{DataDir, EXPORT_KEY};
use crate::failure::Failure;
use crate::{logs, progress, stdout};

/// What may be in a data directory that counts as empty.
const NOT_DATA: [&str; 3] = ["tidings.toml", "tidingsd.lock", EXPORT_KEY];

/// Put a copy of `tidingsd backup` back, into an empty data directory or an empty PostgreSQL.
///
/// Every checksum is compared before anything is written. The log gets a new generation: clients
/// notice and begin again from a snapshot. Everybody signs in again, and API tokens are void, unless
/// sessions are kept.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Let sessions and API tokens go on, also those that were ended after the copy was made
    #[arg(long)]
    keep_sessions: bool,
}

impl Restore {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.place.load()?.config;
        logs::start_quiet(&config.log);
        let folder = &config.server.data;
        refuse_data(folder, &NOT_DATA)?;
        refuse_data(&config.blobs.folder(folder), &[])?;
        let bar = progress::bytes("Checking");
        let checked = Reader::open(&self.file).and_then(|mut copy| {
            copy.verify(&bar)?;
            Ok(copy)
        });
        bar.finish_and_clear();
        let mut copy = checked.map_err(|error| {
            let what = format!("{} cannot be restored", self.file.display());
            Failure::new(what, "Nothing was written. Take another copy.").because(error)
        })?;
        let data = DataDir::create(folder)?;
        let _lock = data.lock()?;
        let mut generation = [0; 8];
        SystemEntropy.fill(&mut generation);
        let target = Target {
            generation: u64::from_be_bytes(generation),
            keep_sessions: self.keep_sessions,
        };
        restore(&mut copy, &config, target).await.map_err(|error| {
            let next = "Nothing is left of it. An empty data directory, or an empty PostgreSQL \
                        database, is needed; look at the reason, then try again.";
            Failure::new("cannot put the copy back", next).because(error)
        })?;
        let store = open_existing_store(&config).await?;
        let head = store.head().await.context("cannot read the log's head")?;
        store.indexed(head).await.context("cannot make the search index")?;
        store.close().await;
        stdout::say(format_args!(
            "restored the copy of {}: {} rows up to entry {}, {} files",
            copy.manifest.made_at,
            copy.manifest.rows(),
            copy.manifest.head,
            copy.manifest.blobs()
        ))?;
        stdout::say(if self.keep_sessions {
            "Sessions and API tokens go on, also those that were ended since. Clients read everything \
             anew."
        } else {
            "Everybody signs in again, API tokens are void, and clients read everything anew."
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn refuse_data(folder: &Path, not_data: &[&str]) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if !not_data.iter().any(|known| name == *known) {
            let what = format!("{} is not empty: it has {}", folder.display(), name.display());
            let next = "Name a new directory with --data, or move this one away first; nothing \
                        was written.";
            return Err(Failure::new(what, next).into());
        }
    }
    Ok(())
}

async fn restore(copy: &mut Reader, config: &Config, target: Target) -> anyhow::Result<()> {
    // Under other names until everything is there: a server never starts on half of it.
    let place = config.blobs.folder(&config.server.data);
    let blobs = Unfinished(restoring(&place));
    blobs.remove()?;
    blobs_into(copy, &blobs.0)?;
    let url = config.database();
    if let Some(file) = url.file() {
        if file.exists() {
            anyhow::bail!("{} is there already", file.display());
        }
        let unfinished = Unfinished(restoring(file));
        unfinished.remove()?;
        let url = format!("sqlite:{}", unfinished.0.display());
        tables_into(copy, &Options { url, generation: 0 }, target).await?;
        File::open(&unfinished.0)?.sync_all()?;
        finish_blobs(&blobs.0, &place)?;
        fs::rename(&unfinished.0, file)?;
        sync_folder_of(file)?;
    } else {
        finish_blobs(&blobs.0, &place)?;
        let options = Options { url: url.expose().to_owned(), generation: 0 };
        if let Err(error) = tables_into(copy, &options, target).await {
            let _ = fs::remove_dir_all(&place);
            return Err(error);
        }
    }
    Ok(())
}

async fn tables_into(copy: &mut Reader, options: &Options, target: Target) -> anyhow::Result<()> {
    let bar = progress::bar("Restoring", "rows");
    bar.set_length(copy.manifest.rows());
    let mut restoring = Restoring::begin(options, copy.manifest.schema).await?;
    for part in copy.manifest.parts.clone() {
        let (Some(table), Some(columns)) = (part.table(), &part.columns) else { continue };
        restoring.table(table, columns).await?;
        // Read beside the database, a few rows at a time: a zip is read by blocking calls.
        let mut lines = copy.part(&part)?;
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            restoring.row(&line).await?;
            bar.inc(1);
            line.clear();
        }
    }
    restoring.finish(target).await?;
    bar.finish_and_clear();
    Ok(())
}

fn blobs_into(copy: &mut Reader, folder: &Path) -> anyhow::Result<()> {
    for part in copy.manifest.parts.clone() {
        let Some(name) = part.blob() else { continue };
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        io::copy(&mut copy.part(&part)?, &mut file)?;
        file.flush()?;
        file.sync_all()?;
    }
    Ok(())
}

fn finish_blobs(from: &Path, place: &Path) -> io::Result<()> {
    if from.exists() {
        fs::rename(from, place)?;
        sync_folder_of(place)?;
    }
    Ok(())
}

/// Beside its place, so that it only has to be renamed.
fn restoring(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

/// A file or a folder that is removed unless it got its own name.
struct Unfinished(PathBuf);

impl Unfinished {
    fn remove(&self) -> io::Result<()> {
        let removed =
            if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What cannot be removed is refused by the next run, which names it.
        let _ = self.remove();
    }
}

//! `tidingsd backup`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tidings_server::{Clock as _, SystemClock};
use tidings_storage_sql::{Options, backup};
use tidings_wire::time::Time;

use crate::cli::Place;
use crate::copy::{Manifest, Writer};
use crate::failure::Failure;
use crate::{logs, progress, stdout};

/// Copy everything into one file, while the server runs or not.
///
/// The file has every row of the database in one state and the folder of blobs, with checksums.
/// Settings and files in S3 are not in it. `tidingsd restore` puts it back.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    place: Place,
    /// The file to write, or a directory for a file named after the time
    #[arg(long, value_name = "FILE|DIR", default_value = ".")]
    out: PathBuf,
    /// Print what was copied as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.place.load()?.config;
        logs::start_quiet(&config.log);
        let url = config.database();
        if let Some(file) = url.file()
            && !file.is_file()
        {
            let what = format!("there is no database at {}", file.display());
            return Err(Failure::new(what, "Name the data directory with --data.").into());
        }
        let made_at = Time(SystemClock::new().now());
        let path = file_for(&self.out, made_at);
        if path.exists() {
            let what = format!("{} is there already", path.display());
            return Err(Failure::new(what, "Name another file with --out, or a directory.").into());
        }
        let options = Options { url: url.expose().to_owned(), generation: 0 };
        let manifest = copy(&options, &path, &config.blobs.folder(&config.server.data), made_at)
            .await
            .map_err(|error| {
                let what = format!("cannot write a copy to {}", path.display());
                let next = "Nothing is left of it. Look at the reason, then try again; the \
                                server is not affected.";
                Failure::new(what, next).because(error)
            })?;
        if self.json {
            stdout::json(&manifest)?;
        } else {
            stdout::say(format_args!(
                "{}: {} rows up to entry {}, {} files",
                path.display(),
                manifest.rows(),
                manifest.head,
                manifest.blobs()
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn copy(
    options: &Options,
    path: &Path,
    blobs: &Path,
    made_at: Time,
) -> anyhow::Result<Manifest> {
    let mut writer = Writer::create(path)?;
    let bar = progress::bar("Copying", "rows");
    let dumped = backup::dump(
        options,
        |rows| bar.set_length(rows),
        |piece| {
            if matches!(piece, backup::Piece::Row(_)) {
                bar.inc(1);
            }
            writer.take(&piece)
        },
    )
    .await;
    bar.finish_and_clear();
    let dumped = dumped?;
    let bar = progress::bar("Copying", "files");
    // After the tables, so that every file that they name is there.
    let copied = writer.blobs(blobs, &bar);
    bar.finish_and_clear();
    copied.context("cannot copy the folder of blobs")?;
    writer.finish(made_at, &dumped)
}

/// `tidings-20261120-092853.zip` in a directory; any other path as it is.
fn file_for(out: &Path, made_at: Time) -> PathBuf {
    if !out.is_dir() {
        return out.to_owned();
    }
    let digits: String = made_at.to_string().chars().filter(char::is_ascii_digit).collect();
    let (day, time) = digits.split_at_checked(8).unwrap_or((&digits, ""));
    out.join(format!("tidings-{day}-{}.zip", time.get(..6).unwrap_or(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_gets_a_file_named_after_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let at = "2026-11-20T09:28:53.123Z".parse().unwrap();
        let expected = folder.path().join("tidings-20261120-092853.zip");
        assert_eq!(file_for(folder.path(), at), expected);
        assert_eq!(file_for(Path::new("a.zip"), at), Path::new("a.zip"));
    }
}

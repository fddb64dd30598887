//! The subcommands, one file each.

pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod rebuild;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod user;

use std::sync::Arc;

use tidings_server::blobs::{Blobs, Folder, S3};
use tidings_server::{Entropy as _, SystemEntropy};
use tidings_storage_sql::{Options, SqlStore};

use crate::config::Config;
use crate::failure::Failure;

/// Opens the database, or makes it.
async fn open_store(config: &Config) -> anyhow::Result<SqlStore> {
    let url = config.database();
    let mut generation = [0; 8];
    SystemEntropy.fill(&mut generation);
    let options =
        Options { url: url.expose().to_owned(), generation: u64::from_be_bytes(generation) };
    SqlStore::open(&options).await.map_err(|error| {
        let next = match url.file() {
            Some(_) => {
                "Run `tidingsd doctor`. If a newer tidingsd has used the data, run that version."
            }
            None => {
                "Check [storage] url, and that PostgreSQL runs and lets this user in; \
                     `tidingsd doctor` tries again."
            }
        };
        Failure::new(format!("cannot open the database {url}"), next).because(error)
    })
}

/// Opens the place for files; a folder is made when it is not there.
fn open_blobs(config: &Config) -> anyhow::Result<Arc<dyn Blobs>> {
    let data = &config.server.data;
    let opened: std::io::Result<Arc<dyn Blobs>> = match config.blobs.s3() {
        Some(options) => S3::open(options, data.join("spool")).map(|s3| Arc::new(s3) as _),
        None => Folder::open(config.blobs.folder(data)).map(|folder| Arc::new(folder) as _),
    };
    opened.map_err(|error| {
        let next = "Check [blobs]; a folder must belong to the user who runs tidingsd.";
        Failure::new("cannot open the place for files", next).because(error)
    })
}

/// Opens the database of a server that has been set up before; does not make one.
async fn open_existing_store(config: &Config) -> anyhow::Result<SqlStore> {
    if let Some(file) = config.database().file()
        && !file.is_file()
    {
        let what = format!("there is no database at {}", file.display());
        let next = "Name the data directory with --data; `tidingsd serve` makes a new one.";
        return Err(Failure::new(what, next).into());
    }
    open_store(config).await
}

//! Torture: a common workload, faults, and a checker that reads only what the clients wrote down.
//!
//! Everything between a socket and a verdict is a machine without I/O: [`client`] turns frames into
//! records, [`checker`] turns records into a verdict, [`mangler`] turns right frames into wrong
//! ones. So the checker is tested twice with the same twelve planted bugs: here against [`model`]
//! in no time, and by `torture r0` between real clients and a real server.

pub mod checker;
pub mod client;
pub mod crash;
pub mod disk;
pub mod findings;
pub mod honesty;
pub mod mangler;
pub mod measure;
pub mod model;
mod person;
pub mod presence;
pub mod proxy;
pub mod record;
pub mod restore;
pub mod simulation;
pub mod slow;
mod socket;
pub mod storm;
pub mod town;
pub mod workload;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

use crate::subject::Launch;

/// Where a torture run finds the server and puts its data.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The server.
    pub tidingsd: PathBuf,
    /// A folder on a real disk for everything that is written.
    pub scratch: PathBuf,
    /// Decides all chance; printed, so that a run can be repeated.
    pub seed: u64,
}

/// What the server keeps its log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file in its data folder.
    Sqlite,
    /// An empty database of a PostgreSQL server, by its URL.
    Postgres(String),
}

impl Database {
    /// Its name for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

impl Setting {
    fn folder(&self) -> anyhow::Result<TempDir> {
        tempfile::Builder::new()
            .prefix("tidings-torture-")
            .tempdir_in(&self.scratch)
            .with_context(|| format!("make a folder in {}", self.scratch.display()))
    }

    fn launch(&self, folder: &Path, database: &Database) -> anyhow::Result<Launch> {
        let mut launch = Launch::new(&self.tidingsd, &folder.join("data"))?;
        if let Database::Postgres(url) = database {
            launch.database = Some(url.clone());
        }
        Ok(launch)
    }
}

//! `tidingsd rebuild`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tidings_storage::{EntryRepository as _, OperationRepository as _, SearchRepository as _};

use super::open_existing_store;
use crate::cli::Place;
use crate::data::DataDir;
use crate::failure::Failure;
use crate::{logs, progress, stdout};

/// Make everything that is derived from the log anew: channels, messages, counts, search.
///
/// The log itself is not touched. Other servers that use the same PostgreSQL must be stopped too.
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    place: Place,
}

impl Rebuild {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.place.load()?.config;
        logs::start_quiet(&config.log);
        let data = DataDir::create(&config.server.data)?;
        let _lock = data.lock()?;
        let store = open_existing_store(&config).await?;
        let bar = progress::bar("Rebuilding", "entries");
        let rebuilt = store
            .rebuild(&|done, all| {
                bar.set_length(all);
                bar.set_position(done);
            })
            .await;
        bar.finish_and_clear();
        let rebuilt = rebuilt.map_err(|error| {
            let next = "Nothing was changed. `tidingsd doctor` looks for the reason.";
            Failure::new("cannot rebuild from the log", next).because(error)
        })?;
        store.close().await;
        // The writer of the store that rebuilt still believes in the index that it knew.
        let store = open_existing_store(&config).await?;
        let head = store.head().await.context("cannot read the log's head")?;
        store.indexed(head).await.context("cannot make the search index anew")?;
        store.close().await;
        stdout::say(format_args!("{} entries were replayed", rebuilt.entries))?;
        if rebuilt.unknown > 0 {
            stdout::say(format_args!(
                "{} entries are of types that this version does not know; a newer tidingsd wrote \
                 them",
                rebuilt.unknown
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

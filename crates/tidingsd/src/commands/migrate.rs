//! `tidingsd migrate`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tidings_storage::OperationRepository as _;

use super::open_store;
use crate::cli::Place;
use crate::data::DataDir;
use crate::{logs, stdout};

/// Bring the database to this version, or make a new one.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.place.load()?.config;
        logs::start_quiet(&config.log);
        let data = DataDir::create(&config.server.data)?;
        let _lock = data.lock()?;
        let store = open_store(&config).await?;
        let totals = store.totals().await.context("cannot count what the database holds")?;
        store.close().await;
        stdout::say(format_args!(
            "{} is ready for tidingsd {}: {} accounts, {} channels, {} messages",
            config.database(),
            env!("CARGO_PKG_VERSION"),
            totals.users,
            totals.channels,
            totals.messages
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `tidingsd import`: the history of other chats.
//!
//! A thread reads the export and cuts it into batches; the command hands each batch to a [`target`]
//! and waits for its answer. Between them are a few batches, so memory stays flat however long the
//! export is. Every record is made at most once, so an import that broke off is simply run again.

mod reading;
mod report;
mod target;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use tidings_client::ServerUrl;
use tidings_importer::slack::{ExportReader, Options};

use crate::cli::Place;
use crate::failure::Failure;
use crate::{logs, progress, stdout};
use reading::Step;
use report::Outcome;
use target::Target;

/// Bring in the history of another chat.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Import the zip file of a Slack workspace export
    Slack(Slack),
}

impl Import {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Slack(it) => it.run().await,
        }
    }
}

const AFTER_HELP: &str = "\
Run it again as often as you like: what is there already is left alone, and an import that was
interrupted goes on. Exit code 1 means that nothing could be done or that it broke off; single
records that are bad are listed in the report and passed over.";

/// Import the zip file of a Slack workspace export.
///
/// Into the data of a stopped server (--data), or into a running one (--server and --token-file).
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Slack {
    /// The zip file
    file: PathBuf,
    /// The community that the channels go to, made when it is not there
    #[arg(long, value_name = "SLUG", default_value = "slack")]
    community: String,
    /// Read everything and print the report, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
    /// The running server to import into; needs --token-file
    #[arg(long, value_name = "URL", requires = "token_file", conflicts_with_all = ["data", "config"])]
    server: Option<ServerUrl>,
    /// A file with a session token of the server's owner
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

impl Slack {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let began = tokio::time::Instant::now();
        let reader = open(&self.file, &self.community)?;
        let target = self.target().await?;
        let bar = progress::bytes("Importing");
        let mut outcome = Outcome::new(&self.community, self.dry_run);
        let mut reading = reading::start(reader)?;
        let broken = loop {
            match reading.next().await? {
                Step::Batch(batch) => {
                    bar.set_length(batch.progress.total_bytes);
                    match target.apply(&batch.records).await {
                        Ok(result) => outcome.add(result),
                        Err(error) => break Some(error),
                    }
                    bar.set_position(batch.progress.done_bytes);
                }
                Step::End { report, error } => {
                    outcome.found = *report;
                    break error.map(|error| {
                        let what = format!("{} cannot be read any further", self.file.display());
                        let next = "Check the disk or the network that the file is on, then run \
                                    the same command again: it goes on where it stopped.";
                        Failure::new(what, next).because(error)
                    });
                }
            }
        };
        bar.finish_and_clear();
        target.close().await;
        outcome.seconds = began.elapsed().as_secs_f64();
        if let Some(error) = broken {
            return Err(error);
        }
        if self.json {
            stdout::json(&outcome.json())?;
        } else {
            stdout::say(outcome.to_string().trim_end())?;
        }
        Ok(if outcome.is_in_vain() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn target(&self) -> anyhow::Result<Target> {
        if self.dry_run {
            return Ok(Target::Nowhere);
        }
        if let (Some(server), Some(file)) = (&self.server, &self.token_file) {
            return Target::server(server.clone(), file);
        }
        let config = self.place.load()?.config;
        logs::start_quiet(&config.log);
        Target::data(&config).await
    }
}

fn open(file: &Path, community: &str) -> anyhow::Result<ExportReader> {
    ExportReader::open(file, &Options::into_community(community)).map_err(|error| {
        let what = format!("cannot import {}", file.display());
        let next = "Give the zip file as Slack made it (Workspace settings, Import and export \
                    data, Export), and a --community of lower-case letters, digits and -.";
        Failure::new(what, next).because(error)
    })
}

fn read_token(file: &Path) -> anyhow::Result<tidings_wire::account::Secret> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the token in {}", file.display()))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        let what = format!("{} holds no token", file.display());
        let next = "It must hold a session token of the server's owner and nothing else.";
        return Err(Failure::new(what, next).into());
    }
    Ok(tidings_wire::account::Secret(token.to_owned()))
}

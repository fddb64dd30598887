//! The command line: what the subcommands are and what they have in common.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands::backup::Backup;
use crate::commands::completions::Completions;
use crate::commands::config::ConfigCommand;
use crate::commands::doctor::Doctor;
use crate::commands::export::ExportCommand;
use crate::commands::import::Import;
use crate::commands::man::Man;
use crate::commands::migrate::Migrate;
use crate::commands::openapi::OpenApi;
use crate::commands::rebuild::Rebuild;
use crate::commands::restore::Restore;
use crate::commands::serve::Serve;
use crate::commands::user::UserCommand;
use crate::config::{Config, Flags, Loaded};

const AFTER_HELP: &str = "\
Settings come from DATA/tidings.toml (or --config), then the environment as TIDINGS__SECTION__KEY,
then flags; the later one wins. None is needed.

Exit codes:
  0    done
  1    it did not work; the message says why and what to do
  2    a flag or a setting is wrong
  3    another process has the data directory, or the listen address is taken
  74   the database could not be made durable, or its writer stopped; see `tidingsd doctor`
  130  a second signal ended the server before it had finished";

/// The server of Tidings, a private team chat.
#[derive(Debug, Parser)]
#[command(name = "tidingsd", version, after_help = AFTER_HELP)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Serve),
    /// Bring the database to this version, or make a new one
    Migrate(Migrate),
    /// Make everything that is derived from the log anew
    Rebuild(Rebuild),
    /// Copy everything into one file, while the server runs or not
    Backup(Backup),
    /// Put a copy back into an empty place
    Restore(Restore),
    /// Write what a community, a channel or a person has here into a file that proves itself
    #[command(subcommand)]
    Export(ExportCommand),
    /// Bring in the history of another chat
    #[command(subcommand)]
    Import(Import),
    /// Test this deployment and say what to do about what is wrong
    Doctor(Doctor),
    /// Show the settings that count, with secrets hidden
    Config(ConfigCommand),
    /// List accounts, shut them out, let them in again
    #[command(subcommand)]
    User(UserCommand),
    /// Print the description of the HTTP API (OpenAPI 3.1)
    Openapi(OpenApi),
    /// Print a script that completes commands and flags in your shell
    Completions(Completions),
    /// Write manual pages: one for each command
    Man(Man),
}

impl Command {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(it) => it.run().await,
            Self::Migrate(it) => it.run().await,
            Self::Rebuild(it) => it.run().await,
            Self::Backup(it) => it.run().await,
            Self::Restore(it) => it.run().await,
            Self::Export(it) => it.run().await,
            Self::Import(it) => it.run().await,
            Self::Doctor(it) => it.run().await,
            Self::Config(it) => it.run(),
            Self::User(it) => it.run().await,
            Self::Openapi(OpenApi {}) => OpenApi::run(),
            Self::Completions(it) => it.run(),
            Self::Man(it) => it.run(),
        }
    }
}

/// Which server is meant: where its data and its settings are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Place {
    /// The data directory [default: ./tidings-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The file with settings [default: DATA/tidings.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl Place {
    /// Reads the settings of this place.
    pub(crate) fn load(&self) -> anyhow::Result<Loaded> {
        Config::load(self.config.as_deref(), &Flags { data: self.data.clone(), ..Flags::default() })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_shell_is_told_every_command() {
        for shell in
            [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish]
        {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tidingsd", &mut script);
            let script = String::from_utf8(script).unwrap();
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell} {}", command.get_name());
            }
        }
    }

    #[test]
    fn help_says_what_it_said() {
        let mut pages = String::new();
        let mut root = Cli::command().term_width(100);
        root.build();
        let mut waiting = vec![root];
        while let Some(mut command) = waiting.pop() {
            if command.get_name() == "help" {
                continue;
            }
            let name = command.get_bin_name().unwrap_or("tidingsd").to_owned();
            pages.extend(["==== ", &name, "\n", &command.render_long_help().to_string(), "\n"]);
            waiting
                .extend(command.get_subcommands().cloned().collect::<Vec<_>>().into_iter().rev());
        }
        insta::assert_snapshot!(pages);
    }
}

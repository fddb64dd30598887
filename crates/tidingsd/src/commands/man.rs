//! `tidingsd man`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use crate::cli::Cli;
use crate::failure::Failure;
use crate::stdout;

/// Write manual pages: one for each command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidingsd man --out ~/.local/share/man/man1
  man tidingsd-serve")]
pub(crate) struct Man {
    /// The directory for the pages; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        std::fs::create_dir_all(&self.out)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.out))
            .map_err(|error| {
                let what = format!("cannot write to {}", self.out.display());
                Failure::new(what, "Choose another directory with --out.").because(error)
            })?;
        stdout::say(format_args!("the pages are in {}", self.out.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

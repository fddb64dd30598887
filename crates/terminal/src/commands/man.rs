//! `tidings man`.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::cli::Cli;
use crate::ctx::Ctx;
use crate::failure::Failure;

/// Write manual pages: one for each command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings man --out ~/.local/share/man/man1
  man tidings-send")]
pub(crate) struct Man {
    /// The directory for the pages; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    pub(crate) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.out)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.out))
            .map_err(|error| {
                Failure::new(format!("cannot write to {}: {error}", self.out.display()))
                    .next("choose another directory with --out")
            })?;
        if ctx.json {
            return ctx.out.json(&serde_json::json!({"out": self.out}));
        }
        ctx.out.note(&format!("the pages are in {}", self.out.display()));
        Ok(())
    }
}

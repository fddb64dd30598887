//! `tidingsd completions`

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::stdout;

/// Print a script that completes commands and flags in your shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidingsd completions bash > ~/.local/share/bash-completion/completions/tidingsd")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tidingsd", &mut script);
        stdout::say(String::from_utf8_lossy(&script).trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

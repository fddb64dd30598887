//! `tidings completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::ctx::Ctx;
use crate::failure::Failure;

/// Print a script that completes our commands in your shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings completions bash > ~/.local/share/bash-completion/completions/tidings
  tidings completions zsh > ~/.zfunc/_tidings          with fpath+=~/.zfunc before compinit
  tidings completions fish > ~/.config/fish/completions/tidings.fish")]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tidings", &mut script);
        ctx.out.line(String::from_utf8_lossy(&script).trim_end())
    }
}

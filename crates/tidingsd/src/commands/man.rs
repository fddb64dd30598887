//! `tidingsd man`

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory as _};

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
        let mut command = Cli::command().disable_help_subcommand(true);
        // Gives subcommands their full names.
        command.build();
        std::fs::create_dir_all(&self.out).and_then(|()| write(&command, &self.out)).map_err(
            |error| {
                let what = format!("cannot write to {}", self.out.display());
                Failure::new(what, "Choose another directory with --out.").because(error)
            },
        )?;
        stdout::say(format_args!("the pages are in {}", self.out.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a page for `command` and each of its subcommands.
fn write(command: &Command, out: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        write(subcommand, out)?;
    }
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    std::fs::write(out.join(man.get_filename()), keep_lines(&String::from_utf8_lossy(&page)))
}

/// Examples keep their lines, which `man` would otherwise fill up to the margin.
fn keep_lines(page: &str) -> String {
    let Some((before, extra)) = page.split_once(".SH EXTRA\n") else { return page.to_owned() };
    let end = extra.find("\n.SH ").map_or(extra.len(), |at| at + 1);
    let (examples, rest) = extra.split_at(end);
    let gap = if examples.ends_with('\n') { "" } else { "\n" };
    format!("{before}.SH EXAMPLES AND MORE\n.nf\n{examples}{gap}.fi\n{rest}")
}

//! `tidings man`.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};

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
        let mut command = Cli::command().disable_help_subcommand(true);
        // Gives subcommands their full names.
        command.build();
        std::fs::create_dir_all(&self.out).and_then(|()| write(&command, &self.out)).map_err(
            |error| {
                Failure::new(format!("cannot write to {}: {error}", self.out.display()))
                    .next("choose another directory with --out")
            },
        )?;
        if ctx.json {
            return ctx.out.json(&serde_json::json!({"out": self.out}));
        }
        ctx.out.note(&format!("the pages are in {}", self.out.display()));
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_not_filled() {
        let page = ".TH x 1\n.SH EXTRA\n  one\n  two\n.SH VERSION\nv1\n";
        let kept = ".TH x 1\n.SH EXAMPLES AND MORE\n.nf\n  one\n  two\n.fi\n.SH VERSION\nv1\n";
        assert_eq!(keep_lines(page), kept);
        assert_eq!(keep_lines(".TH x 1\n"), ".TH x 1\n");
    }
}

//! `cargo xtask torture NAME`: one reliability test at its full length.

use anyhow::Result;
use clap::Parser;

use crate::{needs, release, test};

/// What `cargo xtask torture` takes.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The test, `r1` for instance; `--help` after it lists what it takes
    name: String,

    /// Handed to the test, `--seed N` for instance
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds in release mode, starts a PostgreSQL, since faults are injected on both databases, and
/// runs the test, which prints its seed.
pub(crate) fn run(args: &Args) -> Result<()> {
    needs::provide(&[&needs::STRACE])?;
    let cluster = test::start_postgres()?;
    release::run_tool("torture", &args.name, &args.arguments, cluster.as_ref())
}

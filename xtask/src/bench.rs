//! `cargo xtask bench NAME`: one benchmark of `docs/benchmarks.md` beside its ceiling.

use anyhow::Result;
use clap::Parser;

use crate::{release, test};

/// What `cargo xtask bench` takes.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Start a temporary PostgreSQL for the benchmark
    #[arg(long)]
    postgres: bool,

    /// The benchmark, `b1` for instance; `--help` after it lists what it takes
    name: String,

    /// Handed to the benchmark
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds in release mode and runs the benchmark, which prints its table.
pub(crate) fn run(args: &Args) -> Result<()> {
    let cluster = if args.postgres { test::start_postgres()? } else { None };
    release::run_tool("bench", &args.name, &args.arguments, cluster.as_ref())
}

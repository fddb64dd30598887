//! The tasks of this repository: what a contributor and the build machine run, written once.
//!
//! Each subcommand is one file. `needs` installs what a task requires, `postgres` starts a real
//! database for the tests, `process` runs programs, `report` speaks. To add a task: a file with
//! `Args` and `run`, and a line in [`Task`].

mod bench;
mod ci;
mod fuzz;
mod needs;
mod postgres;
mod process;
mod release;
mod report;
mod schema;
mod surroundings;
mod test;
mod tidy;
mod torture;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the Tidings repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every test, with what they need installed and started
    Test(test::Args),
    /// Check the rules of the repository that no compiler knows
    Tidy,
    /// Run everything that guards the main branch
    Ci,
    /// Write the committed schemas anew, or check that they are fresh
    Schema(schema::Args),
    /// Run a benchmark in release mode
    Bench(bench::Args),
    /// Run a torture test in release mode, beside a real PostgreSQL
    Torture(torture::Args),
    /// Fuzz one parser of remote bytes
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(args) => test::run(&args),
        Task::Tidy => tidy::run(),
        Task::Ci => ci::run(),
        Task::Schema(args) => schema::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Torture(args) => torture::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
    };
    outcome.map_or_else(
        |error| {
            report::complain(&error);
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

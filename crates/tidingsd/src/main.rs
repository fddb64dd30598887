//! `tidingsd`: the server of Tidings, and the tools of whoever runs it.
//!
//! This binary is the only place that names concrete adapters and reads the environment. [`config`]
//! gathers the settings, [`data`] owns the data directory, [`commands`] has one file for each
//! subcommand, [`failure`] says how errors are shown and which code the process ends with.

mod cli;
mod commands;
mod config;
mod copy;
mod data;
mod failure;
mod logs;
mod progress;
mod stdout;
mod system;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

fn main() -> ExitCode {
    let outcome = run(cli::Cli::parse());
    outcome.unwrap_or_else(|error| failure::report(&error))
}

fn run(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    // Before anything can speak TLS: the process has one cryptographic provider, and says which.
    // A second installation would fail, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    system::keep_files_private();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcome = runtime.block_on(cli.command.run());
    // A task that hangs must not keep a process alive that has said how it ended.
    runtime.shutdown_background();
    outcome
}

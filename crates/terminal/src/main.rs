//! `tidings`, the command line of Tidings: clap arguments in, a call of the SDK, a line out.
//!
//! What a command has to say goes to standard output, everything about it to standard error. This
//! crate must never know HTTP. The environment is read once, in [`environment`]; files are read and
//! written by [`profile`] and [`phrase`] alone; everything that came from elsewhere passes through
//! [`output::sanitize`] before it reaches a terminal.
//!
//! To add a command: a file in `commands/` with its arguments and its `run`, a variant of
//! [`cli::Command`], and its JSON shape in `docs/schema/cli.md`.

mod cli;
mod commands;
mod ctx;
mod environment;
mod failure;
mod names;
mod output;
mod phrase;
mod profile;
mod progress;
mod queue;
mod text;
mod when;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use ctx::Ctx;
use environment::Environment;

fn main() -> ExitCode {
    // Only the first call can set it, and this is the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let environment = Environment::read();
    let cli = Cli::parse();
    let ctx = match Ctx::new(&environment, cli.profile.as_deref(), cli.json) {
        Ok(ctx) => ctx,
        Err(failure) => return failure.report(&mut std::io::stderr().lock()),
    };
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let failure = failure::Failure::new(format!("cannot start: {error}"));
                return failure.report(&mut std::io::stderr().lock());
            }
        };
    let done = runtime.block_on(cli.command.run(&ctx));
    // A thread that waits for a line of standard input must not keep the program from ending.
    runtime.shutdown_background();
    match done {
        Ok(()) => {
            phrase::remind(&ctx);
            ExitCode::SUCCESS
        }
        Err(failure) => ctx.out.fail(&failure),
    }
}

//! What the tasks say while they work: one line for each thing installed, started or measured.

use std::fmt::Display;
use std::time::Instant;

use anyhow::Result;

/// Prints one line for the person who watches.
#[expect(clippy::print_stdout, reason = "the one place where a task speaks to its terminal")]
pub(crate) fn say(line: impl Display) {
    println!("{line}");
}

/// Prints why the task failed, with the chain of causes in one line.
#[expect(clippy::print_stderr, reason = "the one place where a task says that it failed")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Runs one step between a line that names it and a line that says how it went and how long it
/// took.
#[expect(clippy::disallowed_methods, reason = "a step is measured by the clock on the wall")]
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(format_args!("== {name}"));
    let start = Instant::now();
    let outcome = work();
    let result = if outcome.is_ok() { "done" } else { "failed" };
    say(format_args!("== {name}: {result} in {:.1} s", start.elapsed().as_secs_f64()));
    outcome
}

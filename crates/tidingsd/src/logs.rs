//! The log on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::log::{Log, LogFormat};

/// Starts the server's log. Only the first call of a process counts.
pub(crate) fn start(log: &Log) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(log.level.as_str()))
        .with_writer(io::stderr)
        .with_span_events(FmtSpan::NONE)
        // A line that cannot be written, because the disk of the log is full, is lost. It would
        // otherwise be told on the same standard error by a macro that panics, in whatever wrote it.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal() && !is_color_unwanted());
    // A log that was started before stays as it is.
    let _ = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
}

/// Whether the person has asked all programs for no colors (no-color.org).
#[expect(clippy::disallowed_methods, reason = "a convention of terminals, not a setting of ours")]
fn is_color_unwanted() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Starts the log of a tool, which speaks for itself: only what goes wrong on the way is shown.
pub(crate) fn start_quiet(log: &Log) {
    let level = "warn".parse().unwrap_or_else(|_| log.level.clone());
    start(&Log { level, ..log.clone() });
}

//! How a command that failed says so: what, why, what to do next, and an exit code.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// It did not work.
pub(crate) const FAILED: u8 = 1;
/// A flag or a setting is wrong; the code that clap uses too.
pub(crate) const USAGE: u8 = 2;
/// Another process has the data directory, or the listen address is taken.
pub(crate) const BUSY: u8 = 3;
/// The log cannot be written durably (`EX_IOERR` of sysexits.h).
pub(crate) const NOT_DURABLE: u8 = 74;
/// A second signal came before the first had been obeyed (128 + SIGINT, as shells count).
pub(crate) const INTERRUPTED: u8 = 130;

/// A failure that knows what the person should do about it. Put it above its cause with
/// [`Failure::because`], or use it alone.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    what: String,
    next: String,
}

impl Failure {
    /// `what` went wrong; `next` is a sentence that tells what to do.
    pub(crate) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: FAILED, what: what.into(), next: next.into() }
    }

    /// With another exit code.
    pub(crate) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// With the error that caused it.
    pub(crate) fn because(self, cause: impl Into<anyhow::Error>) -> anyhow::Error {
        cause.into().context(self)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// Prints an error with its causes, each once, and what to do; gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed) {
        // `tidingsd user list | head`: the reader has seen enough.
        return ExitCode::SUCCESS;
    }
    let failure = error.downcast_ref::<Failure>();
    let mut text = String::from("tidingsd: ");
    for (index, cause) in error.chain().enumerate() {
        let cause = cause.to_string();
        // Some errors repeat their source in their own text.
        if index == 0 {
            text.push_str(&cause);
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text.push('\n');
    if let Some(Failure { next, .. }) = failure.filter(|failure| !failure.next.is_empty()) {
        text.push_str("  ");
        text.push_str(next);
        text.push('\n');
    }
    // Without a standard error there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(failure.map_or(FAILED, |failure| failure.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_cause_and_is_found_again() {
        let cause = io::Error::from(io::ErrorKind::AddrInUse);
        let error = Failure::new("cannot listen", "Choose another.").code(BUSY).because(cause);
        assert_eq!(error.to_string(), "cannot listen");
        assert_eq!(error.chain().count(), 2);
        assert_eq!(error.downcast_ref::<Failure>().map(|failure| failure.code), Some(BUSY));
    }
}

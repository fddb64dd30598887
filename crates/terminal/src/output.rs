//! Where output goes: values to standard output, everything about them to standard error.

pub(crate) mod messages;
pub(crate) mod sanitize;
pub(crate) mod table;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::failure::Failure;

type Writer = Box<dyn Write + Send>;

/// The two streams, and what is on the other end of them.
pub(crate) struct Out {
    stdout: Mutex<Writer>,
    stderr: Mutex<Writer>,
    /// Whether a person reads standard output, so that tables and colors are of use.
    pub for_people: bool,
    /// Whether a person reads standard error.
    pub notes_for_people: bool,
    /// Whether colors may be used.
    pub color: bool,
}

impl Out {
    pub(crate) fn new(stdout: Writer, stderr: Writer) -> Self {
        Self {
            stdout: Mutex::new(stdout),
            stderr: Mutex::new(stderr),
            for_people: false,
            notes_for_people: false,
            color: false,
        }
    }

    /// Prints a line of text that is already fit for a terminal.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = lock(&self.stdout);
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Prints one JSON value on one line, in ASCII as far as a terminal could misread the rest.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(io::Error::from)?;
        self.line(&sanitize::json(&text))
    }

    /// Tells something on standard error. That nobody hears it is no failure of the command.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(lock(&self.stderr), "{}", sanitize::line(text));
    }

    /// Asks for something on standard error, without ending the line.
    pub(crate) fn ask(&self, text: &str) {
        let mut err = lock(&self.stderr);
        let _ = write!(err, "{text}");
        let _ = err.flush();
    }

    /// Reports a failure and gives its exit code.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        failure.report(&mut **lock(&self.stderr))
    }

    /// `text`, dimmed where that can be seen.
    pub(crate) fn dim(&self, text: &str) -> String {
        self.style("2", text)
    }

    /// `text`, bold where that can be seen.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.style("1", text)
    }

    fn style(&self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A thread that panicked while it wrote leaves at worst half a line.
fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

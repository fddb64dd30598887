//! How a command fails: one line that says what and why, one that says what to do, an exit code.

use std::error::Error as StdError;
use std::io::{self, Write};
use std::process::ExitCode;

use tidings_client::ClientError;
use tidings_client::login::LoginError;
use tidings_client::media::UploadError;
use tidings_client::outbox::{OutboxError, RefusedError};
use tidings_client::resolve::{RefError, ResolveError};
use tidings_wire::Code;

use crate::output::sanitize;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did not work.
    Failed = 1,
    /// It was asked for in a way that makes no sense.
    Usage = 2,
    /// There is no session, or no longer.
    NotLoggedIn = 4,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What did not work and why, in one line.
    pub line: String,
    /// What to do about it, in one line.
    pub next: Option<String>,
    /// The exit code.
    pub exit: Exit,
    /// Whether whoever read our output has gone, so that there is nothing to say and nobody to
    /// say it to.
    pub silent: bool,
}

impl Failure {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), next: None, exit: Exit::Failed, silent: false }
    }

    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(line) }
    }

    pub(crate) fn not_logged_in(line: impl Into<String>) -> Self {
        Self { exit: Exit::NotLoggedIn, ..Self::new(line) }
    }

    /// The same failure with another next step.
    pub(crate) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// Writes it for people and gives the exit code.
    pub(crate) fn report(&self, err: &mut dyn Write) -> ExitCode {
        if self.silent {
            return ExitCode::SUCCESS;
        }
        // If standard error is gone there is nobody left to tell.
        let _ = writeln!(err, "tidings: {}", sanitize::line(&self.line));
        if let Some(next) = &self.next {
            let _ = writeln!(err, "  next: {}", sanitize::line(next));
        }
        ExitCode::from(self.exit as u8)
    }
}

impl From<io::Error> for Failure {
    /// For output only: what cannot be written to a closed pipe is nobody's loss.
    fn from(error: io::Error) -> Self {
        let silent = error.kind() == io::ErrorKind::BrokenPipe;
        Self { silent, ..Self::new(format!("cannot write the output: {error}")) }
    }
}

impl From<RefError> for Failure {
    fn from(error: RefError) -> Self {
        Self::usage(error.to_string())
            .next("`tidings channel list` shows the channels that you can see")
    }
}

/// Turns the SDK's errors into failures that say what was tried.
pub(crate) trait Explain<T> {
    /// `what` completes "cannot …".
    fn cannot(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: Why> Explain<T> for Result<T, E> {
    fn cannot(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| error.why(what))
    }
}

/// An error that knows what to do about itself.
pub(crate) trait Why {
    fn why(&self, what: &str) -> Failure;
}

impl Why for UploadError {
    fn why(&self, what: &str) -> Failure {
        match self {
            Self::Client(error) => error.why(what),
            _ => Failure::new(format!("cannot {what}: {self}")).next("check the path of the file"),
        }
    }
}

impl Why for ClientError {
    fn why(&self, what: &str) -> Failure {
        let failure = Failure::new(format!("cannot {what}: {self}"));
        match self {
            Self::Problem { problem, retry_after } => match problem.code {
                Code::Unauthorized => Failure {
                    exit: Exit::NotLoggedIn,
                    line: format!("cannot {what}: your session has expired or was ended"),
                    ..failure
                }
                .next("tidings login"),
                Code::RateLimited => {
                    let seconds = retry_after.map_or(60, |wait| wait.as_secs().max(1));
                    failure.next(format!("wait {seconds} s and try again"))
                }
                Code::NotFound => failure
                    .next("check the name or id; `tidings channel list` shows what you can see"),
                Code::Forbidden => failure.next("ask an admin of the community"),
                Code::StorageFull => {
                    failure.next("delete files that nobody needs, or tell whoever runs the server")
                }
                Code::Unprocessable if problem.errors.iter().any(|it| it.code == "too_long") => {
                    failure.next("shorten it and try again")
                }
                Code::Unprocessable | Code::BadRequest | Code::Conflict | Code::TooLarge => {
                    failure.next("correct what is named here and try again")
                }
                _ => failure.next(format!(
                    "try again; if it stays so, tell whoever runs the server (trace {})",
                    problem.trace_id
                )),
            },
            Self::Unreachable { server, .. } => {
                failure.next(format!("check that the server runs and that {server} is its address"))
            }
            Self::Tls { server, .. } => {
                failure.next(format!("check the address {server} and the server's certificate"))
            }
            Self::Timeout { .. } => failure.next("try again in a moment"),
            Self::Protocol { server, .. } => failure.next(format!(
                "check the address: a Tidings server answers at {server}/.well-known/tidings"
            )),
            _ => failure,
        }
    }
}

impl Why for ResolveError {
    fn why(&self, what: &str) -> Failure {
        let failure = Failure::new(format!("cannot {what}: {self}"));
        match self {
            Self::Client(error) => error.why(what),
            Self::NoChannel { .. } => {
                failure.next("`tidings channel list` shows the channels that you can see")
            }
            Self::NoCommunity { .. } => {
                failure.next("`tidings community list` shows those that you are in")
            }
            Self::NoCommunities => failure.next(
                "`tidings community create NAME`, or `tidings invite accept CODE` to join one",
            ),
            Self::NoPerson { .. } => failure.next("check the spelling; usernames are lower-case"),
            Self::AmbiguousChannel { .. } => failure.next("write one of these names in full"),
            Self::AmbiguousCommunity { .. } => failure.next("choose one with --community SLUG"),
            _ => failure,
        }
    }
}

impl Why for LoginError {
    fn why(&self, what: &str) -> Failure {
        let failure = Failure::new(format!("cannot {what}: {}", chain(self)));
        match self {
            Self::Client(error) => error.why(what),
            Self::NoAccount { .. } => failure.next(
                "check the address given with --server, or make an account: tidings register",
            ),
            Self::NoDevice { .. } => {
                failure.next("`tidings devices list` shows those that you have")
            }
            Self::Head(_) => failure.next(
                "trust nothing that this server says about you until its operator has explained it",
            ),
            Self::Parse(_) | Self::Chain(_) => failure.next("tell whoever runs the server"),
            _ => failure,
        }
    }
}

impl Why for RefusedError {
    fn why(&self, what: &str) -> Failure {
        match self {
            Self::Resolve(error) => error.why(what),
            Self::Client(error) => error.why(what),
            other => Failure::new(format!("cannot {what}: {other}")),
        }
    }
}

impl Why for OutboxError {
    fn why(&self, what: &str) -> Failure {
        let next = match self.source.kind() {
            io::ErrorKind::StorageFull => "make room on the disk".to_owned(),
            _ => format!("check {}", self.path.display()),
        };
        Failure::new(format!("cannot {what}: {}", chain(self))).next(next)
    }
}

/// An error and its causes, each once, outermost first.
fn chain(error: &dyn StdError) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failure: &Failure) -> String {
        let mut out = Vec::new();
        failure.report(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failure_is_what_and_why_then_what_to_do() {
        let error = ClientError::Unreachable {
            server: "http://h:1".to_owned(),
            why: "Connection refused".to_owned(),
        };
        assert_eq!(
            told(&error.why("send the message")),
            "tidings: cannot send the message: cannot reach http://h:1: Connection refused\n  \
             next: check that the server runs and that http://h:1 is its address\n"
        );
    }

    #[test]
    fn a_failure_stays_on_its_lines_whatever_the_server_says() {
        let failure = Failure::new("no\u{1b}[2J\nnext: rm -rf").next("try\u{202e}");
        assert_eq!(told(&failure).lines().count(), 2);
        assert!(!told(&failure).contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn a_closed_pipe_is_no_failure_to_speak_of() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(told(&failure), "");
        assert!(!told(&Failure::from(io::Error::other("disk"))).is_empty());
    }
}

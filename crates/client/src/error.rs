//! What can go wrong between a client and a server.

use std::error::Error as StdError;
use std::time::Duration;

use rustls::CertificateError;
use tidings_wire::{Code, Problem};

use crate::client::CONNECT_TIMEOUT;

/// Why a request to a server did not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server said no, and why.
    #[error("{}", told(problem))]
    Problem {
        /// The server's problem document (RFC 9457).
        problem: Box<Problem>,
        /// How long the server asks to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// There was no connection, or it broke.
    #[error("cannot reach {server}: {why}")]
    Unreachable {
        /// The origin.
        server: String,
        /// What the operating system or the connection said.
        why: String,
    },
    /// No encrypted connection that can be trusted came about.
    #[error("no secure connection to {server}: {why}")]
    Tls {
        /// The origin.
        server: String,
        /// What TLS said.
        why: String,
    },
    /// The server was silent for too long.
    #[error("{server} did not answer within {seconds} s")]
    Timeout {
        /// The origin.
        server: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The server does not speak as a Tidings server should.
    #[error("{server} did not answer like a Tidings server: {why}")]
    Protocol {
        /// The origin.
        server: String,
        /// The HTTP status, when there was an HTTP answer.
        status: Option<u16>,
        /// What was wrong with the answer.
        why: String,
    },
}

fn told(problem: &Problem) -> String {
    let mut text =
        if problem.detail.is_empty() { problem.title.clone() } else { problem.detail.clone() };
    for error in problem.errors.iter().filter(|error| !problem.detail.contains(&error.detail)) {
        text.push_str("; ");
        text.push_str(&error.field);
        text.push_str(": ");
        text.push_str(&error.detail);
    }
    text
}

impl ClientError {
    /// The code of the server's refusal; `None` when it was no refusal.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem { problem, .. } => Some(problem.code),
            _ => None,
        }
    }

    /// Whether the same request may well succeed later without any change: the server is away,
    /// overloaded or broken. Refusals are not.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Problem { problem, .. } => {
                problem.status >= 500 || problem.code == Code::RateLimited
            }
            Self::Protocol { status, .. } => status.is_some_and(|status| status >= 500),
            Self::Tls { .. } => false,
        }
    }

    /// How long the server asked to wait, when it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Sorts what the HTTP stack said into our kinds; `limit` is the timeout that was set.
    pub(crate) fn from_reqwest(server: &str, limit: Duration, error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            let limit = if error.is_connect() { CONNECT_TIMEOUT } else { limit };
            return Self::Timeout { server: server.to_owned(), seconds: limit.as_secs() };
        }
        if error.is_builder() {
            return Self::Protocol {
                server: server.to_owned(),
                status: None,
                why: innermost(error),
            };
        }
        Self::from_chain(server, error)
    }

    /// TLS when TLS is anywhere in the chain of causes, unreachable otherwise.
    pub(crate) fn from_chain(server: &str, error: &(dyn StdError + 'static)) -> Self {
        let server = server.to_owned();
        match find_tls(error) {
            Some(tls) => Self::Tls { server, why: tls_reason(tls) },
            None => Self::Unreachable { server, why: innermost(error) },
        }
    }
}

/// The cause that names the real trouble: the last in the chain.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

fn find_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // An I/O error skips itself as a source: what it wraps is only reached through `get_ref`.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .and_then(|inner| find_tls(inner));
        if wrapped.is_some() {
            return wrapped;
        }
        at = error.source();
    }
    None
}

fn tls_reason(error: &rustls::Error) -> String {
    let certificate = match error {
        rustls::Error::InvalidMessage(_) => {
            return "it answered without TLS; perhaps its address begins with http://".to_owned();
        }
        rustls::Error::InvalidCertificate(certificate) => certificate,
        other => return other.to_string(),
    };
    match certificate {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by nobody that this machine trusts".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        other => format!("its certificate is not good ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_wire::FieldError;

    pub(crate) fn problem(code: Code, detail: &str) -> ClientError {
        ClientError::Problem {
            problem: Box::new(Problem {
                kind: "about:blank".to_owned(),
                title: code.title().to_owned(),
                status: code.status(),
                code,
                detail: detail.to_owned(),
                trace_id: "t".to_owned(),
                errors: vec![FieldError {
                    field: "body".to_owned(),
                    code: "too_long".to_owned(),
                    detail: "at most 16000 characters, not 16001".to_owned(),
                }],
            }),
            retry_after: None,
        }
    }

    #[test]
    fn a_refusal_tells_what_the_server_told() {
        let told = problem(Code::Unprocessable, "the message is too long").to_string();
        assert_eq!(told, "the message is too long; body: at most 16000 characters, not 16001");
        let once = problem(Code::Unprocessable, "at most 16000 characters, not 16001").to_string();
        assert_eq!(once, "at most 16000 characters, not 16001");
        assert!(problem(Code::Forbidden, "").to_string().starts_with("Not allowed"));
    }

    #[test]
    fn only_what_may_pass_is_transient() {
        for (code, transient) in [
            (Code::Internal, true),
            (Code::Unavailable, true),
            (Code::StorageFull, true),
            (Code::RateLimited, true),
            (Code::Unauthorized, false),
            (Code::Unprocessable, false),
            (Code::NotFound, false),
        ] {
            assert_eq!(problem(code, "x").is_transient(), transient, "{code}");
        }
        let bad_gateway =
            ClientError::Protocol { server: String::new(), status: Some(502), why: String::new() };
        assert!(bad_gateway.is_transient());
    }

    #[test]
    fn tls_is_found_inside_of_io_errors() {
        let tls = rustls::Error::General("no".to_owned());
        let nested = std::io::Error::other(std::io::Error::other(tls));
        assert!(matches!(ClientError::from_chain("s", &nested), ClientError::Tls { .. }));
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let told = ClientError::from_chain("s", &std::io::Error::other(unknown)).to_string();
        assert!(told.contains("nobody that this machine trusts"), "{told}");
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(matches!(ClientError::from_chain("s", &refused), ClientError::Unreachable { .. }));
    }
}

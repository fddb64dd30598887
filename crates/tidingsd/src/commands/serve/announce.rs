//! What `serve` prints on standard output once it listens: where, the setup code, and how to let
//! others in.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use tidings_server::app::SetupCode;

use crate::config::PublicUrl;
use crate::{stdout, system};

/// What there is to tell.
#[derive(Debug)]
pub(super) struct Announcement<'a> {
    pub(super) url: &'a PublicUrl,
    pub(super) address: SocketAddr,
    pub(super) data: &'a Path,
    /// There as long as nobody has registered.
    pub(super) setup_code: Option<&'a SetupCode>,
}

/// Prints it. A reader that has gone away is no reason not to serve.
pub(super) fn print(announcement: &Announcement<'_>) {
    if let Err(error) = stdout::say(announcement) {
        tracing::warn!(%error, "the address could not be printed");
    }
}

impl fmt::Display for Announcement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, address, data, setup_code } = self;
        write!(f, "Tidings is at {url}")?;
        if let Some(SetupCode(code)) = setup_code {
            let file = data.join("setup-code");
            write!(f, "\nSetup code: {code}")?;
            write!(
                f,
                "\n\nThe first account owns the server (the code is also in {}):",
                file.display()
            )?;
            write!(f, "\n  tidings register --server {url} --username YOU --setup-code {code}")?;
            write!(f, "\n\nTo let others in, make an invite once you are registered:")?;
        } else {
            write!(f, "\n\nTo let others in, make an invite:")?;
        }
        write!(f, "\n  tidings invite create")?;
        let port = address.port();
        if address.ip().is_loopback() && url.as_str() == PublicUrl::of_listener(*address).as_str() {
            let host = system::outward_address().map_or_else(|| "HOST".to_owned(), system::host);
            write!(
                f,
                "\nOnly this machine can reach the server. For people on your network, start it with:"
            )?;
            write!(
                f,
                "\n  tidingsd serve --listen 0.0.0.0:{port} --public-url http://{host}:{port}"
            )?;
        }
        if !url.is_secure() {
            write!(
                f,
                "\nPeople reach it without encryption. Put a proxy with TLS before it and start it with:"
            )?;
            write!(
                f,
                "\n  tidingsd serve --listen 127.0.0.1:{port} --public-url https://YOUR.DOMAIN"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(url: &str, listen: &str, code: Option<&str>) -> String {
        let setup_code = code.map(|code| SetupCode(code.to_owned()));
        Announcement {
            url: &url.parse().unwrap(),
            address: listen.parse().unwrap(),
            data: Path::new("./tidings-data"),
            setup_code: setup_code.as_ref(),
        }
        .to_string()
    }

    #[test]
    fn a_new_server_tells_how_to_own_it() {
        let text = printed("http://127.0.0.1:8420", "127.0.0.1:8420", Some("AAAA-BBBB"));
        assert!(text.starts_with("Tidings is at http://127.0.0.1:8420\nSetup code: AAAA-BBBB\n"));
        assert!(text.contains("./tidings-data/setup-code"));
        assert!(text.contains("tidings register --server http://127.0.0.1:8420 --username YOU"));
        assert!(text.contains("tidingsd serve --listen 0.0.0.0:8420 --public-url http://"));
    }

    #[test]
    fn a_server_behind_a_proxy_has_nothing_left_to_do() {
        let text = printed("https://chat.example.org", "127.0.0.1:8420", None);
        assert!(text.contains("tidings invite create"));
        assert!(!text.contains("Setup code") && !text.contains("tidingsd serve"), "{text}");
    }

    #[test]
    fn a_server_without_encryption_says_so() {
        let text = printed("http://192.0.2.7:8420", "0.0.0.0:8420", None);
        assert!(text.contains("without encryption") && text.contains("https://YOUR.DOMAIN"));
        assert!(!text.contains("Only this machine"));
    }
}

//! Addresses in settings: where to listen, and what people type.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::Uri;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::system;

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Listen(pub(crate) SocketAddr);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // People type the name; it is not worth a resolver.
        let spelled = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        let address = spelled.parse().map_err(|_| {
            format!("{text:?} is not ADDRESS:PORT, such as 127.0.0.1:8420 or [::]:8420")
        })?;
        Ok(Self(address))
    }
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A network, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Network(pub(crate) IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let single = text.parse().ok().map(|ip: IpAddr| IpNet::from(ip.to_canonical()));
        single.or_else(|| text.parse().ok()).map(Self).ok_or_else(|| {
            format!("{text:?} is neither an address nor a network, such as 127.0.0.1 or 10.0.0.0/8")
        })
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

/// The origin under which people reach the server: `scheme://host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// What people type for a server that listens here, as far as the machine can tell.
    pub(crate) fn of_listener(listen: SocketAddr) -> Self {
        Self(system::default_origin(listen))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers treat it as a secure context: TLS, or the machine itself.
    pub(crate) fn is_secure(&self) -> bool {
        let Ok(uri) = self.0.parse::<Uri>() else { return false };
        let host = uri.host().unwrap_or_default();
        uri.scheme_str() == Some("https")
            || host == "localhost"
            || host == "[::1]"
            || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is not an origin, such as https://chat.example.org");
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().filter(|it| ["http", "https"].contains(it));
        let (Some(scheme), Some(authority)) = (scheme, uri.authority()) else {
            return Err(wrong());
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!("{text:?} has a path; the server is at the root of its host"));
        }
        if authority.as_str().contains('@') {
            return Err(format!("{text:?} holds a user name, which is no part of an origin"));
        }
        // As browsers write origins: in lower case, without the usual port.
        let usual = if scheme == "https" { 443 } else { 80 };
        let host = authority.host().to_ascii_lowercase();
        Ok(Self(match authority.port_u16().filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_origins_as_browsers_write_them() {
        let read = |text: &str| text.parse::<PublicUrl>().map(String::from);
        assert_eq!(read("https://Chat.Example.org/").unwrap(), "https://chat.example.org");
        assert_eq!(read("https://a:443").unwrap(), "https://a");
        assert_eq!(read("http://a:443").unwrap(), "http://a:443");
        assert_eq!(read("http://[::1]:8420").unwrap(), "http://[::1]:8420");
        for bad in
            ["chat.example.org", "ftp://a", "https://a/chat", "https://a?b", "https://u@a", ""]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_and_tls_are_secure_contexts() {
        let secure = |text: &str| text.parse::<PublicUrl>().unwrap().is_secure();
        assert!(secure("https://a") && secure("http://localhost:1") && secure("http://127.0.0.2"));
        assert!(secure("http://[::1]:8420"));
        assert!(!secure("http://192.168.1.5:8420") && !secure("http://a"));
    }

    #[test]
    fn listen_addresses_have_a_port() {
        assert_eq!("localhost:1".parse::<Listen>().unwrap().to_string(), "127.0.0.1:1");
        assert!("127.0.0.1".parse::<Listen>().unwrap_err().contains("ADDRESS:PORT"));
        assert!("8420".parse::<Listen>().is_err());
    }
}

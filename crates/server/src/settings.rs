//! What the operator decides, as the server needs it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tidings_identity::PublicKey;

/// Who may make an account once there is an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// Whoever has an invite.
    #[default]
    Invite,
    /// Everybody.
    Open,
}

/// Quotas for one minute; see [`Settings::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Whether there are any; off for benches and imports.
    pub enabled: bool,
    /// Messages of one person in one channel.
    pub sends_per_channel: u32,
    /// Messages of one person.
    pub sends: u32,
    /// Reactions, edits, deletions, read markers of one person.
    pub writes: u32,
    /// Slash commands of one person.
    pub commands: u32,
    /// DMs that one person opens.
    pub dms: u32,
    /// Invites that one person makes.
    pub invites: u32,
    /// Files that one person uploads.
    pub uploads: u32,
    /// Searches of one person.
    pub searches: u32,
    /// Failed logins and codes of one address, and of one identity.
    pub failures: u32,
    /// Challenges, logins and registrations of one address.
    pub logins: u32,
    /// Sigchain appends of one address.
    pub chains: u32,
    /// Requests to one incoming webhook.
    pub webhooks: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            sends_per_channel: 120,
            sends: 600,
            writes: 1200,
            commands: 60,
            dms: 30,
            invites: 60,
            uploads: 60,
            searches: 60,
            failures: 10,
            logins: 300,
            chains: 60,
            webhooks: 60,
        }
    }
}

/// Everything about this server that is decided outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The server's name for people.
    pub name: String,
    /// The public origin, `scheme://host[:port]` without a path.
    pub public_url: String,
    /// Origins that signatures and browsers may name: the public one, the listen addresses and
    /// their localhost forms. See [`accepted_origins`].
    pub origins: Vec<String>,
    /// Who may make an account.
    pub registration: Registration,
    /// Quotas per minute.
    pub limits: Limits,
    /// Most bytes of an uploaded file.
    pub attachment_bytes: u64,
    /// Most bytes of all files of one person.
    pub storage_per_user: u64,
    /// How long changes of presence are collected before those who watch are told.
    pub presence_batch: Duration,
    /// Most connections at a time; more wait to be accepted.
    pub connections_max: usize,
    /// How long whoever runs a bot's command waits for its answer.
    pub command_patience: Duration,
    /// Networks of proxies whose `X-Forwarded-For` says where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Private networks that the server may speak to when somebody names an address in them; see
    /// [`outward`](crate::outward).
    pub outward_allow: Vec<IpNet>,
    /// The public half of the key with which this server signs exports.
    pub export_key: Option<PublicKey>,
    /// Whether links are looked up at all.
    pub previews: bool,
}

impl Settings {
    /// Defaults for a server that is reached under `public_url`.
    pub fn new(public_url: impl Into<String>) -> Self {
        let mut public_url = public_url.into();
        public_url.truncate(public_url.trim_end_matches('/').len());
        Self {
            name: "Tidings".to_owned(),
            origins: accepted_origins(&public_url, &[]),
            public_url,
            registration: Registration::Invite,
            limits: Limits::default(),
            attachment_bytes: 100 << 20,
            storage_per_user: 10 << 30,
            presence_batch: Duration::from_mins(1),
            connections_max: 10_000,
            command_patience: Duration::from_secs(5),
            trusted_proxies: Vec::new(),
            outward_allow: Vec::new(),
            export_key: None,
            previews: true,
        }
    }

    /// Whether people reach the server by TLS, so that cookies may demand it.
    pub fn secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Host and port of the public origin: what stands after the `@` of handles.
    pub fn authority(&self) -> &str {
        self.public_url.split_once("://").map_or("", |(_, authority)| authority)
    }
}

/// Origins under which a server may be dialed: its public one, and each address on which it
/// listens with, for loopback and unspecified addresses, the forms that people type.
pub fn accepted_origins(public_url: &str, listen: &[SocketAddr]) -> Vec<String> {
    let mut origins = vec![public_url.trim_end_matches('/').to_ascii_lowercase()];
    for address in listen {
        let port = address.port();
        let local = address.ip().is_loopback() || address.ip().is_unspecified();
        let mut hosts = vec![match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        }];
        if local {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        for host in hosts {
            let origin =
                if port == 80 { format!("http://{host}") } else { format!("http://{host}:{port}") };
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_accepted_under_the_names_that_people_type() {
        let origins =
            accepted_origins("https://chat.example.org/", &["127.0.0.1:8420".parse().unwrap()]);
        assert_eq!(
            origins,
            [
                "https://chat.example.org",
                "http://127.0.0.1:8420",
                "http://localhost:8420",
                "http://[::1]:8420",
            ]
        );
    }

    #[test]
    fn the_authority_keeps_its_port() {
        assert_eq!(Settings::new("http://localhost:8420/").authority(), "localhost:8420");
    }
}

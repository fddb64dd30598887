//! `[server]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Listen, Network, PublicUrl};

/// The server itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// Where to listen, ADDRESS:PORT. Port 0 takes a free one.
    #[schema(value_type = String, default = "127.0.0.1:8420")]
    pub(crate) listen: Listen,
    /// The directory of everything that the server keeps; made when it is not there. Relative to
    /// where the server is started.
    #[schema(value_type = String, default = "./tidings-data")]
    pub(crate) data: PathBuf,
    /// The origin under which people reach the server, such as `https://chat.example.org`: login
    /// signatures, invites and cookies are bound to it. The listen address when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) public_url: Option<PublicUrl>,
    /// Who may make an account once there is an owner: `invite` or `open`.
    #[schema(inline, default = "invite")]
    pub(crate) registration: Registration,
    /// The server's name for people.
    #[schema(default = "Tidings")]
    pub(crate) name: String,
    /// Proxies whose `X-Forwarded-For` is believed: addresses such as `127.0.0.1`, or networks such as
    /// `10.0.0.0/8`. Limits then count the address that the last of them was dialed from.
    #[schema(value_type = Vec<String>)]
    pub(crate) trusted_proxies: Vec<Network>,
    /// How many seconds changes of who is there are collected before those who watch are told. At
    /// half, people see it sooner and the server says it twice as often. Direct conversations are
    /// told within five seconds all the same.
    #[schema(default = 60)]
    pub(crate) presence_batch_s: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen(([127, 0, 0, 1], 8420).into()),
            data: PathBuf::from("./tidings-data"),
            public_url: None,
            registration: Registration::Invite,
            name: "Tidings".to_owned(),
            trusted_proxies: Vec::new(),
            presence_batch_s: 60,
        }
    }
}

/// Who may make an account once there is an owner.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Registration {
    /// Whoever has an invite
    #[default]
    Invite,
    /// Everybody
    Open,
}

impl From<Registration> for tidings_server::Registration {
    fn from(registration: Registration) -> Self {
        match registration {
            Registration::Invite => Self::Invite,
            Registration::Open => Self::Open,
        }
    }
}

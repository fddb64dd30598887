//! `/.well-known/tidings` and the operational endpoints.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A way to sign in through somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OauthProvider {
    /// Its id in paths.
    pub id: String,
    /// Its name on buttons.
    pub name: String,
}

/// What a request may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Limits {
    /// Characters of a message body, as sent.
    pub body_chars: u64,
    /// Bytes of an attachment.
    pub attachment_bytes: u64,
    /// Bytes of any other request body.
    pub request_bytes: u64,
    /// Characters of a channel's name.
    pub channel_name_chars: u64,
    /// Characters of a username.
    pub username_chars: u64,
    /// Characters of a display name.
    pub display_name_chars: u64,
    /// Different emoji on one message.
    pub reaction_kinds: u64,
}

impl Limits {
    /// The limits of this version.
    pub const V1: Self = Self {
        body_chars: tidings_domain::message::BODY_MAX as u64,
        attachment_bytes: 100 << 20,
        request_bytes: 1 << 20,
        channel_name_chars: tidings_domain::name::CHANNEL_NAME_MAX as u64,
        username_chars: tidings_domain::name::USERNAME_MAX as u64,
        display_name_chars: tidings_domain::name::DISPLAY_NAME_MAX as u64,
        reaction_kinds: tidings_domain::message::REACTION_KINDS_MAX as u64,
    };
}

/// `GET /.well-known/tidings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Discovery {
    /// The server's name for people.
    pub name: String,
    /// The version of the software.
    pub version: String,
    /// The gateway's id: the home of the conversations that it sequences.
    pub gateway_id: Uuid,
    /// The public origin, `scheme://host[:port]`; what signatures are bound to.
    pub origin: String,
    /// Where the API begins.
    pub api: String,
    /// `setup`, `invite` or `open`.
    pub registration: String,
    /// Ways to sign in through somebody else.
    pub oauth: Vec<OauthProvider>,
    /// What a request may be at most.
    pub limits: Limits,
    /// Optional features that this server has.
    pub features: Vec<String>,
    /// The key with which this server signs exports, as `ed25519:…`; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_key: Option<String>,
}

/// `GET /readyz`: each part the server needs, and whether it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Readiness {
    /// Whether every part answers.
    pub ready: bool,
    /// `ok`, or what is wrong with the database.
    pub store: String,
    /// `ok`, or what is wrong with the bus.
    pub bus: String,
    /// `ok`, or what is wrong with the place for files.
    pub blobs: String,
}

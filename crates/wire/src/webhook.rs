//! Incoming webhooks.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Secret;
use crate::time::Time;

/// An address at which other programs post into a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Webhook {
    /// Its id; the author of what it posts.
    pub id: Uuid,
    /// What it is called, and posts under.
    pub name: String,
    /// Where it posts.
    pub channel_id: Uuid,
    /// Whether requests must be signed.
    pub signed: bool,
    /// Who made it.
    pub created_by: Uuid,
    /// When.
    pub created_at: Time,
    /// The address, a secret; in the answer that makes it and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Secret>,
    /// The secret to sign with, when requests must be signed; in the answer that makes it and never
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

/// `POST /v1/channels/{id}/webhooks`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateWebhook {
    /// What to call it, 1 to 64 characters.
    pub name: String,
    /// Whether requests must carry `X-Hub-Signature-256` (GitHub, Gitea) or `X-Gitlab-Token`.
    #[serde(default)]
    pub signed: bool,
}

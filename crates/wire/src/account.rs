//! Accounts, sessions and devices.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::problem::Problem;
use crate::signin::SignInProof;
use crate::time::Time;

/// A secret that is sent once: a session or API token. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// `POST /v1/auth/challenge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateChallenge {
    /// `ed25519:<64 lowercase hex>`.
    pub identity: String,
}

/// The answer to `POST /v1/auth/challenge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Challenge {
    /// What to sign; works once.
    pub challenge: String,
    /// Until when.
    pub expires_at: Time,
}

/// A device as its owner names it; its public keys stand in the sigchain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceInfo {
    /// A `UUIDv7` that the client draws.
    pub id: Uuid,
    /// What its owner calls it, 1 to 64 characters.
    pub name: String,
    /// Such as `linux` or `browser`, 1 to 32 characters.
    pub platform: String,
}

/// `POST /v1/accounts`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Register {
    /// 1 to 32 of `[a-z0-9._-]`, beginning and ending with a letter or digit.
    pub username: String,
    /// 1 to 64 characters; the username when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `ed25519:<64 lowercase hex>`.
    pub identity: String,
    /// The origin that the client dialed, `scheme://host[:port]`.
    pub origin: String,
    /// The device that registers.
    pub device: DeviceInfo,
    /// The identity's whole sigchain; it must certify the device.
    #[schema(value_type = Vec<Object>)]
    pub chain: Vec<Box<RawValue>>,
    /// From `POST /v1/auth/challenge`.
    pub challenge: String,
    /// Ed25519 by the identity key, base64url without padding.
    pub signature: String,
    /// For the first account: the code that the server printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_code: Option<String>,
    /// For later accounts, unless registration is open; also the code of a reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    /// A sign-in through a provider, with which the account will be linked; in place of an invite where
    /// the provider lets everybody make an account whom it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInProof>,
    /// Whether to set a cookie and leave the token out of the answer.
    #[serde(default)]
    pub cookie: bool,
}

/// `POST /v1/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateSession {
    /// `ed25519:<64 lowercase hex>`.
    pub identity: String,
    /// The origin that the client dialed, `scheme://host[:port]`.
    pub origin: String,
    /// The device that logs in.
    pub device_id: Uuid,
    /// From `POST /v1/auth/challenge`.
    pub challenge: String,
    /// Ed25519 by the device's login key, base64url without padding.
    pub signature: String,
    /// Whether to set a cookie and leave the token out of the answer.
    #[serde(default)]
    pub cookie: bool,
}

/// A new session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewSession {
    /// Its id; not a secret.
    pub id: Uuid,
    /// The bearer token; absent when a cookie was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// When it ends, unless it is used before.
    pub expires_at: Time,
}

/// The answer to `POST /v1/accounts` and `POST /v1/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LoggedIn {
    /// The account.
    pub user: Me,
    /// The device.
    pub device: DeviceInfo,
    /// The session.
    pub session: NewSession,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// The device that logged in.
    pub device_id: Uuid,
    /// That device's name.
    pub device_name: String,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, to the hour.
    pub last_used_at: Time,
    /// When it ends, unless it is used before.
    pub expires_at: Time,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// One's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Me {
    /// Its id.
    pub id: Uuid,
    /// The unique name.
    pub username: String,
    /// The name that people read.
    pub display_name: String,
    /// The avatar's media id; null when there is none.
    #[serde(default)]
    pub avatar: Option<Uuid>,
    /// The key that owns the account.
    #[serde(default)]
    pub identity: Option<String>,
    /// Whether strangers may find it by handle.
    pub discoverable: bool,
    /// The status text; may be empty.
    pub status: String,
    /// When it was made.
    pub created_at: Time,
    /// `owner` or `user`.
    pub server_role: String,
}

/// `PATCH /v1/me`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UpdateMe {
    /// 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether strangers may find the account by handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discoverable: Option<bool>,
    /// At most 140 characters; empty clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Somebody's public profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Profile {
    /// Their id.
    pub id: Uuid,
    /// The unique name.
    pub username: String,
    /// The name that people read.
    pub display_name: String,
    /// The avatar's media id; null when there is none.
    #[serde(default)]
    pub avatar: Option<Uuid>,
    /// The key that owns the account; null for ghosts and bots.
    #[serde(default)]
    pub identity: Option<String>,
    /// Whether it is a program.
    pub bot: bool,
    /// The status text; may be empty.
    pub status: String,
}

/// A device that a sigchain certifies now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Device {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Such as `linux`.
    pub platform: String,
    /// Its login key, `ed25519:<64 lowercase hex>`.
    pub login_key: String,
    /// When the chain added it.
    pub added_at: Time,
}

/// `GET /v1/identities/{identity}/chain`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChainPage {
    /// Envelopes in order.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<Box<RawValue>>,
    /// The chain's head.
    pub head: ChainHead,
    /// What to pass as `after`; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Where a sigchain ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChainHead {
    /// The last envelope's `seq`.
    pub seq: u64,
    /// `sha256:<hex>` of the last envelope.
    pub hash: String,
}

/// The problem document of an append that does not follow the head: the problem, and the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChainConflict {
    /// What went wrong.
    #[serde(flatten)]
    pub problem: Problem,
    /// Where the chain ends.
    pub head: ChainHead,
}

/// `POST /v1/identities/{identity}/chain`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AppendChain {
    /// Envelopes to append, in order.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<Box<RawValue>>,
}

/// The answer to `POST /v1/admin/users/{id}/reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ResetCode {
    /// Works once, as `invite` of a registration under the same username.
    pub code: Secret,
    /// Until when.
    pub expires_at: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug() {
        assert_eq!(format!("{:?}", Secret("abc".to_owned())), "[redacted]");
    }
}

//! Bots, and the API tokens of bots and people.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Secret;
use crate::time::Time;

/// The account of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bot {
    /// Its account's id.
    pub id: Uuid,
    /// Its unique name.
    pub username: String,
    /// The name that people read.
    pub display_name: String,
    /// The community that it was made for.
    pub community_id: Uuid,
    /// What its tokens may be used for at most.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: Uuid,
    /// When.
    pub created_at: Time,
}

/// `POST /v1/communities/{id}/bots`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateBot {
    /// Its username: 1 to 32 of `[a-z0-9._-]`, beginning and ending with a letter or digit.
    pub name: String,
    /// The name that people read, 1 to 64 characters; the username when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What its tokens may be used for at most; at least one.
    pub scopes: Vec<String>,
}

/// A secret with which a program acts as a bot or a person, as far as its scopes go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Token {
    /// Its id; not a secret.
    pub id: Uuid,
    /// What its maker calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, to the hour; absent before the first use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,
    /// When it ends; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The secret, `tdg_pat_` and 43 characters; in the answer that makes it and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

/// `POST /v1/bots/{id}/tokens` and `POST /v1/tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateToken {
    /// What to call it, 1 to 64 characters.
    pub name: String,
    /// What it may be used for, at least one; for a bot's token all of the bot's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Seconds until it ends; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
}

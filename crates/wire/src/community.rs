//! Communities, their members and invites.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::Author;
use crate::time::Time;

/// A community as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Community)]
pub struct Community {
    /// Its id.
    pub id: Uuid,
    /// The name that people read.
    pub name: String,
    /// The name in addresses, unique on the server.
    pub slug: String,
    /// The icon's media id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Uuid>,
    /// Whether everybody who comes by an invite waits until an admin lets them in.
    #[serde(default)]
    pub approval: bool,
    /// When it was made.
    pub created_at: Time,
    /// What the reader is in it.
    pub my_role: String,
}

/// `POST /v1/communities`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateCommunity {
    /// The name that people read, 1 to 80 characters.
    pub name: String,
    /// `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most 80 characters.
    pub slug: String,
}

/// `PATCH /v1/communities/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UpdateCommunity {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Whether everybody who comes by an invite waits until an admin lets them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<bool>,
}

/// A member of a community or channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Member {
    /// Who.
    pub user: Author,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// What they are called here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Since when.
    pub joined_at: Time,
}

/// `PATCH /v1/communities/{id}/members/{user_id}`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UpdateMember {
    /// `owner`, `admin` or `member`; needs an owner.
    #[schema(pattern = "^(owner|admin|member)$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What they are called here, at most 64 characters; empty for like everywhere. Everybody
    /// changes their own, admins those of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
}

/// An invite link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Invite {
    /// The secret in the link.
    pub code: String,
    /// The link.
    pub url: String,
    /// Where it leads.
    pub community_id: Uuid,
    /// Who made it.
    pub created_by: Uuid,
    /// How often it may be used; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// How often it was used.
    pub uses: u32,
    /// When it stops working; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The role that it gives.
    pub role: String,
    /// Whether those who use it wait until an admin lets them in.
    #[serde(default)]
    pub approval: bool,
    /// The ghost of an import that whoever uses it takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Uuid>,
}

/// `POST /v1/communities/{id}/invites`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateInvite {
    /// How often it may be used, at least 1; absent for no limit.
    #[schema(minimum = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// Seconds until it stops working; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
    /// The role that it gives; `member` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether those who use it wait until an admin lets them in.
    #[serde(default)]
    pub approval: bool,
    /// A ghost of an import that the newcomer takes over; needs the server's owner, and the
    /// invite works once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Uuid>,
}

/// `GET /v1/invites/{code}`: what a stranger with the link may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvitePreview {
    /// The community's name.
    pub community: String,
    /// Its slug.
    pub slug: String,
    /// Who invites.
    pub inviter: String,
    /// Whether whoever uses the link waits until an admin lets them in.
    #[serde(default)]
    pub approval: bool,
    /// When the link stops working; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// Somebody asks to be let into a community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JoinRequest {
    /// Where to.
    pub community_id: Uuid,
    /// That community's name.
    pub community: String,
    /// Who asks.
    pub user: Author,
    /// Who made their invite.
    pub invited_by: Uuid,
    /// The role that the invite gives.
    pub role: String,
    /// `waiting` or `refused`.
    pub state: String,
    /// When they asked.
    pub created_at: Time,
    /// Until when they cannot ask again; absent while they wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_until: Option<Time>,
}

/// The answer to `POST /v1/invites/{code}/accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Accepted {
    /// 200: they are in.
    Joined(Community),
    /// 202: an admin has to let them in.
    Waiting(JoinRequest),
}

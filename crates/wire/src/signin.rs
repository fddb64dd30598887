//! Sign-in through others, terminals that are logged in from elsewhere, signed tokens, `WebFinger`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{Me, NewSession, Secret};
use crate::time::Time;

/// What members of a provider's group are in a community.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
pub struct GroupRole {
    /// The group, as the provider writes it; at GitHub and Gitea an organization.
    pub group: String,
    /// The community.
    pub community_id: Uuid,
    /// `member` or `admin`.
    pub role: String,
}

/// A provider of sign-in, as the server's owner sees it. Its secret is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Provider {
    /// Its id in paths.
    pub id: String,
    /// `oidc`, `github` or `gitea`.
    pub kind: String,
    /// Its name on buttons.
    pub name: String,
    /// The issuer, or where the forge is.
    pub url: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The claim that lists groups.
    pub groups_claim: String,
    /// What members of groups are here.
    pub groups: Vec<GroupRole>,
    /// Whom the provider lets make an account: `open` for everybody whom it knows, `invite` for
    /// those whom the server's own policy admits.
    pub registration: String,
    /// The redirect URI to give to the provider.
    pub redirect_uri: String,
    /// When it was first configured.
    pub created_at: Time,
}

/// `PUT /v1/admin/providers/{id}`: the whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PutProvider {
    /// `oidc`, `github` or `gitea`.
    pub kind: String,
    /// Its name on buttons, 1 to 64 characters; the id when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The issuer of an `oidc` provider, exactly as it writes itself; where a forge is
    /// (`https://github.com` when absent for `github`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the provider calls this server.
    pub client_id: String,
    /// The secret that the provider gave; may be absent when a provider is changed whose `kind`,
    /// `url` and `client_id` stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// What is asked for; what each kind needs when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The claim that lists groups; `groups` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// What members of groups are here; needs an owner of each community.
    #[serde(default)]
    pub groups: Vec<GroupRole>,
    /// `open` or `invite`; `invite` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
}

/// Shows that a sign-in was one's own: its outcome, and the verifier of the challenge that it began
/// with. Browsers have a cookie instead of the verifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignInProof {
    /// What the sign-in ended with; works once, for 15 minutes.
    pub ticket: Secret,
    /// The PKCE verifier (RFC 7636).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<Secret>,
}

/// `POST /v1/auth/oauth/ticket`: whom a ticket is about. Looking uses nothing up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TicketInfo {
    /// The provider's id.
    pub provider: String,
    /// The provider's name.
    pub provider_name: String,
    /// What the provider calls the person.
    pub label: String,
    /// A username that could be had here, made from that.
    pub username: String,
    /// Whether somebody here is linked with it.
    pub linked: bool,
    /// What making an account by it takes: `open` for nothing else, `invite` for an invite.
    pub registration: String,
}

/// `POST /v1/auth/oauth/session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignIn {
    /// The outcome of the sign-in.
    #[serde(flatten)]
    pub proof: SignInProof,
    /// What to call the session in lists, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// Whether to set a cookie and leave the token out of the answer.
    #[serde(default)]
    pub cookie: bool,
}

/// A session without a device of the identity: whoever has it is logged in, and has no keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignedIn {
    /// The account.
    pub user: Me,
    /// The session.
    pub session: NewSession,
}

/// That a provider knows one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Link {
    /// The provider's id.
    pub provider: String,
    /// The provider's name.
    pub provider_name: String,
    /// What the provider calls one.
    pub label: String,
    /// Since when.
    pub created_at: Time,
    /// When it was last used.
    pub last_used_at: Time,
}

/// `POST /v1/oauth/device` as a form (RFC 8628, section 3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceAuthorizationRequest {
    /// Which program asks; what people are shown unless `device_name` is given.
    pub client_id: String,
    /// What to call the session in lists, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// The answer (RFC 8628, section 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceAuthorization {
    /// What the terminal polls with.
    pub device_code: Secret,
    /// What a person types elsewhere: `XXXX-XXXX`.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// Seconds until both codes end.
    pub expires_in: u64,
    /// Seconds between two polls.
    pub interval: u32,
}

/// `POST /v1/oauth/token` as a form (RFC 8628, section 3.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenRequest {
    /// `urn:ietf:params:oauth:grant-type:device_code`
    pub grant_type: String,
    /// From `POST /v1/oauth/device`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_code: Option<String>,
    /// As in that request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// A session's token as OAuth writes it (RFC 6749, section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenAnswer {
    /// The session's token.
    pub access_token: Secret,
    /// `Bearer`
    pub token_type: String,
    /// Seconds until it ends, unless it is used before.
    pub expires_in: u64,
    /// The session.
    pub session_id: Uuid,
    /// The account.
    pub user: Me,
}

/// A refusal as OAuth writes it (RFC 6749, section 5.2; RFC 8628, section 3.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OauthError {
    /// The stable word.
    pub error: String,
    /// What it means.
    pub error_description: String,
}

/// `GET /v1/auth/device/{user_code}`: what wants to be logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceRequest {
    /// The code that it shows: compare it.
    pub user_code: String,
    /// What it calls itself.
    pub device_name: String,
    /// When it asked.
    pub created_at: Time,
    /// Until when it may be answered.
    pub expires_at: Time,
}

/// `POST /v1/auth/token`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateAccessToken {
    /// Whom the token is for; this server when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// What it allows; everything that the session does when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// A short-lived signed token for the caller's session (RFC 9068).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccessToken {
    /// A JWT, to be checked with the keys of `/.well-known/jwks.json`.
    pub access_token: Secret,
    /// `Bearer`
    pub token_type: String,
    /// Seconds until it ends.
    pub expires_in: u64,
}

/// A public key (RFC 7517, RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwk {
    /// `OKP`
    pub kty: String,
    /// `Ed25519`
    pub crv: String,
    /// `EdDSA`
    pub alg: String,
    /// `sig`
    #[serde(rename = "use")]
    pub usage: String,
    /// What tokens call it.
    pub kid: String,
    /// The key, base64url without padding.
    pub x: String,
}

/// `GET /.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwks {
    /// Keys whose tokens may still be believed.
    pub keys: Vec<Jwk>,
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuthorizationServer {
    /// The public origin.
    pub issuer: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where terminals begin.
    pub device_authorization_endpoint: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// None: there is no authorization endpoint.
    pub response_types_supported: Vec<String>,
    /// The device grant.
    pub grant_types_supported: Vec<String>,
    /// `none`: programs have no secrets.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// What tokens may be made for.
    pub scopes_supported: Vec<String>,
    /// Where this API is described.
    pub service_documentation: String,
}

/// A JSON Resource Descriptor (RFC 7033, section 4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jrd {
    /// Whom it is about.
    pub subject: String,
    /// Other names of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What is known of them, by URI.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Where more is.
    pub links: Vec<JrdLink>,
}

/// A link of a JSON Resource Descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JrdLink {
    /// What is there.
    pub rel: String,
    /// Of which type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where.
    pub href: String,
}

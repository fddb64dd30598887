//! GitHub and Gitea: OAuth 2.0 whose access token asks the forge's API who somebody is.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::provider::{Expected, Kind, Provider, SigninError, Somebody, get};
use crate::outward::Outward;

/// Where GitHub itself is; its API has an address of its own. Elsewhere it is GitHub Enterprise.
const GITHUB: &str = "https://github.com";

/// What the token endpoint answers: GitHub says 200 for refusals too.
#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    error: Option<String>,
}

/// The user of the token; both forges have these.
#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    /// GitHub's.
    name: Option<String>,
    /// Gitea's.
    full_name: Option<String>,
}

/// An organization: `login` at GitHub, `username` at Gitea.
#[derive(Deserialize)]
struct Organization {
    login: Option<String>,
    username: Option<String>,
}

pub(super) fn check(provider: &Provider, outward: &Outward) -> Result<(), SigninError> {
    Ok(outward.address(&provider.url).map(drop)?)
}

pub(super) fn authorization_endpoint(provider: &Provider) -> String {
    format!("{}/login/oauth/authorize", provider.url)
}

fn api(provider: &Provider) -> String {
    match provider.kind {
        Kind::Github if provider.url == GITHUB => "https://api.github.com".to_owned(),
        Kind::Github => format!("{}/api/v3", provider.url),
        Kind::Gitea | Kind::Oidc => format!("{}/api/v1", provider.url),
    }
}

pub(super) async fn exchange(
    provider: &Provider,
    outward: &Outward,
    code: &str,
    expected: Expected<'_>,
) -> Result<Somebody, SigninError> {
    let endpoint = format!("{}/login/oauth/access_token", provider.url);
    let tokens: Tokens = provider.token(outward, &endpoint, true, code, expected).await?;
    let Some(token) = tokens.access_token else {
        let word = tokens.error.unwrap_or_else(|| "no token".to_owned());
        return Err(SigninError::Refused(word.chars().take(64).collect()));
    };
    let api = api(provider);
    let user: User = get(outward, &format!("{api}/user"), Some(&token)).await?;
    // Without the scope for it the forge refuses, and the person has no groups.
    let organizations: Vec<Organization> =
        get(outward, &format!("{api}/user/orgs?per_page=100&limit=100"), Some(&token))
            .await
            .unwrap_or_default();
    let groups: BTreeSet<String> =
        organizations.into_iter().filter_map(|it| it.login.or(it.username)).collect();
    let display_name = user.name.or(user.full_name).unwrap_or_default();
    Ok(Somebody { subject: user.id.to_string(), username: user.login, display_name, groups })
}

//! `OpenID Connect Core 1.0` with discovery.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;
use std::time::Duration;

use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AdditionalClaims, ClientId, IdToken, IdTokenClaims, IdTokenVerifier, IssuerUrl, Nonce,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::Timestamp;

use super::provider::{Expected, Provider, SigninError, Somebody, get};
use crate::outward::Outward;

/// How far the provider's clock may be from ours, in milliseconds.
const SKEW_MS: i64 = 60_000;
/// How old an ID token may be, in seconds: it is fetched right after it was made.
const AGE_MAX_S: i64 = 600;

/// Signatures that are believed: by keys that the provider publishes and only it can use. None of
/// those that need a shared secret, and never none at all.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The parts that are used of what a provider says of itself (`OpenID Connect Discovery 1.0`).
#[derive(Debug, Deserialize)]
pub(super) struct Description {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Claims beyond the standard ones: groups are found among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Extra {
    #[serde(flatten)]
    all: BTreeMap<String, Value>,
}

impl AdditionalClaims for Extra {}

type Token =
    IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// What the token endpoint answers.
#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    id_token: String,
}

/// Fetches what the provider says of itself, anew each time: sign-ins are rare, and what it says
/// then is never old.
pub(super) async fn discover(
    provider: &Provider,
    outward: &Outward,
) -> Result<Description, SigninError> {
    let base = provider.url.trim_end_matches('/');
    let url = format!("{base}/.well-known/openid-configuration");
    let found: Description = get(outward, &url, None).await?;
    // Discovery 1.0, section 4.3: or somebody else's users would be this one's.
    if found.issuer != provider.url {
        return Err(SigninError::Discovery("it names another issuer"));
    }
    for endpoint in [&found.token_endpoint, &found.jwks_uri] {
        outward.address(endpoint)?;
    }
    Ok(found)
}

/// Trades the code for an ID token and checks it (Core 1.0, section 3.1.3.7).
pub(super) async fn exchange(
    provider: &Provider,
    outward: &Outward,
    code: &str,
    expected: Expected<'_>,
) -> Result<Somebody, SigninError> {
    let about = discover(provider, outward).await?;
    // Basic is what every provider takes that does not say otherwise.
    let in_body = about
        .token_endpoint_auth_methods_supported
        .is_some_and(|methods| !methods.iter().any(|method| method == "client_secret_basic"));
    let tokens: Tokens =
        provider.token(outward, &about.token_endpoint, in_body, code, expected).await?;
    let keys: CoreJsonWebKeySet = get(outward, &about.jwks_uri, None).await?;
    let claims = verify(provider, keys, &tokens.id_token, expected)?;

    let localized = |claim: Option<&openidconnect::LocalizedClaim<_>>| {
        let claim = claim.and_then(|claim| claim.get(None));
        claim.map(|name: &openidconnect::EndUserName| name.as_str().to_owned())
    };
    let mut somebody = Somebody {
        subject: claims.subject().as_str().to_owned(),
        username: claims.preferred_username().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        display_name: localized(claims.name()).unwrap_or_default(),
        groups: groups(claims.additional_claims().all.get(&provider.groups_claim)),
    };
    if let Some(endpoint) = about.userinfo_endpoint
        && (somebody.username.is_empty() || somebody.groups.is_empty())
    {
        // Section 5.3.2: what it says counts only for the same subject. It adds; a provider
        // without it, or one that refuses, has said enough in the ID token.
        let info: Result<BTreeMap<String, Value>, _> =
            get(outward, &endpoint, Some(&tokens.access_token)).await;
        let info = info.unwrap_or_default();
        let text = |name: &str| info.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("sub") == somebody.subject {
            if somebody.username.is_empty() {
                text("preferred_username").clone_into(&mut somebody.username);
            }
            if somebody.display_name.is_empty() {
                text("name").clone_into(&mut somebody.display_name);
            }
            if somebody.groups.is_empty() {
                somebody.groups = groups(info.get(&provider.groups_claim));
            }
        }
    }
    Ok(somebody)
}

fn verify(
    provider: &Provider,
    keys: CoreJsonWebKeySet,
    token: &str,
    expected: Expected<'_>,
) -> Result<IdTokenClaims<Extra, CoreGenderClaim>, SigninError> {
    let bad = |error: String| {
        // The words of the checks name what was expected and found, which is for the operator.
        tracing::warn!(provider = %provider.id, %error, "an ID token was refused");
        SigninError::Token(error.chars().take(200).collect())
    };
    let token: Token = token.parse().map_err(|_| SigninError::Answer("no ID token"))?;
    let issuer = IssuerUrl::new(provider.url.clone()).map_err(|error| bad(error.to_string()))?;
    let client = ClientId::new(provider.client_id.clone());
    let now = expected.now;
    // A public client's verifier knows no secret, so no shared one is ever a key.
    let verifier: IdTokenVerifier<'_, CoreJsonWebKey> =
        IdTokenVerifier::new_public_client(client, issuer, keys)
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || time(Timestamp(now.0 - SKEW_MS)))
            .set_issue_time_verifier_fn(move |at| {
                let age_s = now.0 / 1000 - at.timestamp();
                if (-SKEW_MS / 1000..=AGE_MAX_S).contains(&age_s) {
                    Ok(())
                } else {
                    Err("it was not issued just now".to_owned())
                }
            });
    let nonce = Nonce::new(expected.nonce.to_owned());
    let claims = token.claims(&verifier, &nonce).map_err(|error| bad(error.to_string()))?.clone();
    if claims.authorized_party().is_some_and(|party| party.as_str() != provider.client_id) {
        return Err(bad("it was made for another party".to_owned()));
    }
    Ok(claims)
}

/// A point in time as the checks want it, whose type they do not export.
fn time<T: Default + Add<Duration, Output = T>>(at: Timestamp) -> T {
    T::default() + Duration::from_millis(u64::try_from(at.0).unwrap_or_default())
}

/// Groups as providers write them: a list of names, or one name.
fn groups(claim: Option<&Value>) -> BTreeSet<String> {
    match claim {
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(Value::String(name)) => BTreeSet::from([name.clone()]),
        _ => BTreeSet::new(),
    }
}

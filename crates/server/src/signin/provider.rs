//! Providers: who they are, and the two steps that all of them have.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, header};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tidings_domain::Timestamp;
use zeroize::Zeroizing;

use super::{forge, oidc};
use crate::outward::{Answer, Bounds, Excess, Outward, OutwardError};

/// What an answer of a provider may cost. Documents and key sets have some kilobytes.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(10),
    bytes: 256 << 10,
    excess: Excess::Refuse,
    redirects: 0,
    kinds: &[],
};

/// Longest name by which a provider may know somebody, in bytes; `OpenID Connect` allows 255.
const SUBJECT_MAX: usize = 255;
/// Most groups that are looked at, and the longest name of one.
const GROUPS_MAX: usize = 500;

/// How to speak to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By `OpenID Connect`, found by discovery.
    Oidc,
    /// As to GitHub.
    Github,
    /// As to Gitea and Forgejo.
    Gitea,
}

impl Kind {
    /// The stable word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Github => "github",
            Self::Gitea => "gitea",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Oidc, Self::Github, Self::Gitea].into_iter().find(|kind| kind.as_str() == word)
    }

    /// What is asked for unless the operator says otherwise.
    pub const fn default_scopes(self) -> &'static [&'static str] {
        match self {
            Self::Oidc => &["openid", "profile"],
            Self::Github => &["read:user", "read:org"],
            Self::Gitea => &["read:user", "read:organization"],
        }
    }
}

/// A provider with its secret.
#[derive(Clone)]
pub struct Provider {
    /// Its id in paths.
    pub id: String,
    /// How to speak to it.
    pub kind: Kind,
    /// The issuer, or where the forge is; without a slash at its end for forges.
    pub url: String,
    /// What it calls this server.
    pub client_id: String,
    /// The secret that proves it.
    pub client_secret: Zeroizing<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The claim of the ID token that lists groups.
    pub groups_claim: String,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Whom a provider knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Somebody {
    /// The provider's own name for the person; never given to somebody else.
    pub subject: String,
    /// What they are called there, for people.
    pub username: String,
    /// Their full name; may be empty.
    pub display_name: String,
    /// Their groups there.
    pub groups: BTreeSet<String>,
}

/// Why a provider's word is not taken. Safe to show to whoever signs in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigninError {
    /// It cannot be reached.
    #[error("the provider cannot be reached: {0}")]
    Outward(#[from] OutwardError),
    /// It answers with something else than its protocol says.
    #[error("the provider does not answer as it should: {0}")]
    Answer(&'static str),
    /// It does not accept the code.
    #[error("the provider did not accept the sign-in ({0})")]
    Refused(String),
    /// What it says of itself does not fit.
    #[error("the provider's description does not fit: {0}")]
    Discovery(&'static str),
    /// Its ID token does not hold.
    #[error("the provider's ID token does not hold: {0}")]
    Token(String),
}

/// What the provider's answer must fit to.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// Where the provider sends the browser; exactly this.
    pub redirect_uri: &'a str,
    /// What must stand in the ID token.
    pub nonce: &'a str,
    /// The PKCE verifier.
    pub verifier: &'a str,
    /// The time.
    pub now: Timestamp,
}

impl fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Provider {
    /// Checks that there is such a provider, as far as that shows before somebody signs in.
    pub async fn check(&self, outward: &Outward) -> Result<(), SigninError> {
        match self.kind {
            Kind::Oidc => oidc::discover(self, outward).await.map(drop),
            Kind::Github | Kind::Gitea => forge::check(self, outward),
        }
    }

    /// The address at the provider where the browser goes.
    pub async fn authorize_url(
        &self,
        outward: &Outward,
        state: &str,
        expected: Expected<'_>,
    ) -> Result<Url, SigninError> {
        let endpoint = match self.kind {
            Kind::Oidc => oidc::discover(self, outward).await?.authorization_endpoint,
            Kind::Github | Kind::Gitea => forge::authorization_endpoint(self),
        };
        // The browser goes there, not the server; it must be an address for browsers all the same.
        let mut url =
            Url::parse(&endpoint).map_err(|_| SigninError::Discovery("no address to go to"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SigninError::Discovery("no address to go to"));
        }
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", expected.redirect_uri)
            .append_pair("scope", &self.scopes.join(" "))
            .append_pair("state", state)
            .append_pair("code_challenge", &challenge(expected.verifier))
            .append_pair("code_challenge_method", "S256");
        if self.kind == Kind::Oidc {
            url.query_pairs_mut().append_pair("nonce", expected.nonce);
        }
        Ok(url)
    }

    /// Who has signed in, by the code that the browser brought.
    pub async fn exchange(
        &self,
        outward: &Outward,
        code: &str,
        expected: Expected<'_>,
    ) -> Result<Somebody, SigninError> {
        let mut somebody = match self.kind {
            Kind::Oidc => oidc::exchange(self, outward, code, expected).await?,
            Kind::Github | Kind::Gitea => forge::exchange(self, outward, code, expected).await?,
        };
        let fine = 1..=SUBJECT_MAX;
        if !fine.contains(&somebody.subject.len()) || somebody.subject.chars().any(char::is_control)
        {
            return Err(SigninError::Answer("it names nobody"));
        }
        somebody.groups = somebody.groups.into_iter().take(GROUPS_MAX).collect();
        somebody.groups.retain(|group| group.len() <= SUBJECT_MAX);
        for text in [&mut somebody.username, &mut somebody.display_name] {
            *text = text.chars().filter(|c| !c.is_control()).take(64).collect();
        }
        Ok(somebody)
    }

    /// Trades the code for tokens (RFC 6749, section 4.1.3, with RFC 7636).
    pub(super) async fn token<T: serde::de::DeserializeOwned>(
        &self,
        outward: &Outward,
        endpoint: &str,
        in_body: bool,
        code: &str,
        expected: Expected<'_>,
    ) -> Result<T, SigninError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", expected.redirect_uri),
            ("code_verifier", expected.verifier),
        ];
        let mut request = Request::post(endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        if in_body {
            form.push(("client_id", &self.client_id));
            form.push(("client_secret", self.client_secret.as_str()));
        } else {
            request = request.header(header::AUTHORIZATION, self.basic());
        }
        let request = request
            .body(Bytes::from(encode(&form)))
            .map_err(|_| SigninError::Discovery("no address for codes"))?;
        let answer = outward.send(request, &BOUNDS).await?;
        if !answer.status.is_success() {
            #[derive(Deserialize)]
            struct Refusal {
                error: String,
            }
            let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
            let word = refusal.map_or_else(|| answer.status.as_u16().to_string(), |it| it.error);
            return Err(SigninError::Refused(word.chars().take(64).collect()));
        }
        read(&answer)
    }

    /// Client authentication of RFC 6749, section 2.3.1: both halves are form-encoded first.
    fn basic(&self) -> String {
        let half = |text: &str| encode(&[("", text)]).get(1..).unwrap_or_default().to_owned();
        let secret = Zeroizing::new(half(&self.client_secret));
        let pair = Zeroizing::new(format!("{}:{}", half(&self.client_id), *secret));
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(&*pair))
    }
}

/// Asks for a JSON document, as a bearer of a token when there is one.
pub(super) async fn get<T: serde::de::DeserializeOwned>(
    outward: &Outward,
    url: &str,
    token: Option<&str>,
) -> Result<T, SigninError> {
    let mut request = Request::get(url).header(header::ACCEPT, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request
        .body(Bytes::new())
        .map_err(|_| SigninError::Discovery("one of its addresses is none"))?;
    let answer = outward.send(request, &BOUNDS).await?;
    if !answer.status.is_success() {
        return Err(SigninError::Refused(answer.status.as_u16().to_string()));
    }
    read(&answer)
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, SigninError> {
    serde_json::from_slice(&answer.body).map_err(|_| SigninError::Answer("it cannot be read"))
}

/// Writes pairs as a form.
fn encode(pairs: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse("http://form") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// The S256 challenge of a PKCE verifier (RFC 7636, section 4.2).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        // Appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}

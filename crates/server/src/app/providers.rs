//! Providers of sign-in: configured by the server's owner while the server runs.

use serde::{Deserialize, Serialize};
use tidings_domain::{CommunityId, Role, name};
use tidings_storage::signin::StoredProvider;
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::Code;
use tidings_wire::discovery::OauthProvider;
use tidings_wire::signin::{GroupRole, Provider as ProviderView, PutProvider};
use zeroize::Zeroizing;

use super::App;
use crate::access::ServerOwner;
use crate::error::ApiError;
use crate::signin::{Kind, Provider, SigninError};

/// Most providers of a server: a page of buttons.
const PROVIDERS_MAX: usize = 20;
/// Longest text of a provider's configuration, in characters.
const TEXT_MAX: usize = 512;
/// Most groups that mean something.
const GROUPS_MAX: usize = 200;

/// From [`App::providers`].
#[derive(Debug, Clone, Copy)]
pub struct Providers<'a>(pub(super) &'a App);

/// What is kept of a provider as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Options {
    scopes: Vec<String>,
    groups_claim: String,
    pub(super) groups: Vec<GroupRole>,
    /// Whether everybody whom the provider knows may make an account.
    pub(super) open: bool,
}

/// A provider, ready to be spoken to.
pub(super) struct Ready {
    pub(super) provider: Provider,
    pub(super) name: String,
    pub(super) options: Options,
}

impl Providers<'_> {
    /// Ids and names, for everybody.
    pub async fn public(&self) -> Result<Vec<OauthProvider>, ApiError> {
        let mut providers = self.0.store().providers().await?;
        providers.sort_by(|one, other| one.id.cmp(&other.id));
        let shown = providers.into_iter();
        Ok(shown.map(|stored| OauthProvider { id: stored.id, name: stored.name }).collect())
    }

    /// All providers with their configuration, by their ids.
    pub async fn list(&self, _: &ServerOwner) -> Result<Vec<ProviderView>, ApiError> {
        let mut providers = self.0.store().providers().await?;
        providers.sort_by(|one, other| one.id.cmp(&other.id));
        providers.iter().map(|stored| self.view(stored)).collect()
    }

    /// Configures a provider; `true` when it is new. It is asked who it is before it is kept.
    pub async fn put(
        &self,
        right: &ServerOwner,
        id: &str,
        request: &PutProvider,
    ) -> Result<(ProviderView, bool), ApiError> {
        let app = self.0;
        let id = name::slug(id).map_err(|error| ApiError::name("id", error))?;
        if RESERVED.contains(&id) {
            return Err(ApiError::field("id", "reserved", "this id is a word of the API"));
        }
        let known = app.store().provider(id).await?;
        if known.is_none() && app.store().providers().await?.len() >= PROVIDERS_MAX {
            let detail = format!("There are {PROVIDERS_MAX} providers already. Remove one first.");
            return Err(ApiError::conflict(detail));
        }
        let (provider, shown, options, mut preconditions) = self.read(id, right, request).await?;
        let same = known.as_ref().filter(|known| {
            known.kind == request.kind
                && known.url == provider.url
                && known.client_id == provider.client_id
        });
        if let Some(known) = &known
            && (known.kind != request.kind || known.url != provider.url)
            && app.store().has_links(id).await?
        {
            // Whoever has the same subject there would be somebody else's account here.
            return Err(ApiError::conflict(
                "People are linked with this provider. Remove it, and their links with it, before \
                 the id means another one.",
            ));
        }
        let sealed_secret = match (&request.client_secret, same) {
            (Some(secret), _) => {
                let secret = text("client_secret", &secret.0)?;
                app.seal(&purpose(id, &provider.url), secret.as_bytes())?
            }
            (None, Some(known)) => known.sealed_secret.clone(),
            (None, None) => {
                let detail = "give the secret that the provider gave you";
                return Err(ApiError::field("client_secret", "missing", detail));
            }
        };
        provider.check(app.outward()).await.map_err(|error| refused("url", &error))?;
        let stored = StoredProvider {
            id: id.to_owned(),
            kind: request.kind.clone(),
            name: shown,
            url: provider.url,
            client_id: provider.client_id,
            sealed_secret,
            options: serde_json::to_string(&options).map_err(ApiError::internal)?,
            created_at: known.as_ref().map_or(app.now(), |known| known.created_at),
        };
        let answer = self.view(&stored)?;
        preconditions.push(Precondition::UserActive(right.user()));
        let act = app
            .act(right.actor(), None, "provider.put")
            .with("provider", id)
            .with("url", stored.url.as_str());
        let records = vec![Record::PutProvider(stored), act.record()];
        app.commit(Change { preconditions, records, ..Change::default() }).await?;
        tracing::warn!(provider = id, "the server's owner configured a provider of sign-in");
        Ok((answer, known.is_none()))
    }

    /// Reads a configuration, with what must hold for it.
    async fn read(
        self,
        id: &str,
        right: &ServerOwner,
        request: &PutProvider,
    ) -> Result<(Provider, String, Options, Vec<Precondition>), ApiError> {
        let app = self.0;
        let kind = Kind::parse(&request.kind)
            .ok_or_else(|| ApiError::field("kind", "unknown", "one of: oidc, github, gitea"))?;
        let shown = request.name.as_deref().unwrap_or(id);
        let shown = name::display(shown, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("name", error))?;
        let url = match (&request.url, kind) {
            (Some(url), _) => text("url", url)?,
            (None, Kind::Github) => "https://github.com",
            (None, _) => return Err(ApiError::field("url", "missing", "say where it is")),
        };
        // An issuer is compared letter by letter; a forge is where it is.
        let url = if kind == Kind::Oidc { url } else { url.trim_end_matches('/') };
        app.outward().address(url).map_err(|error| refused("url", &error.into()))?;
        let scopes = match &request.scopes {
            Some(scopes) => scopes.clone(),
            None => kind.default_scopes().iter().map(|&scope| scope.to_owned()).collect(),
        };
        if scopes.len() > 50 || scopes.iter().any(|scope| !is_scope(scope)) {
            return Err(ApiError::field("scopes", "invalid", "at most 50, of printable ASCII"));
        }
        if kind == Kind::Oidc && !scopes.iter().any(|scope| scope == "openid") {
            let detail = "without openid the provider says nothing of who somebody is";
            return Err(ApiError::field("scopes", "missing", detail));
        }
        let open = match request.registration.as_deref() {
            None | Some("invite") => false,
            Some("open") => true,
            Some(_) => {
                return Err(ApiError::field("registration", "unknown", "one of: open, invite"));
            }
        };
        if request.groups.len() > GROUPS_MAX {
            return Err(ApiError::field("groups", "too_many", format!("at most {GROUPS_MAX}")));
        }
        let mut preconditions = Vec::new();
        for group in &request.groups {
            text("groups", &group.group)?;
            if !matches!(group.role.as_str(), "member" | "admin") {
                let detail = "groups make members and admins; owners are made by owners";
                return Err(ApiError::field("groups", "role", detail));
            }
            let community = CommunityId(group.community_id);
            if app.role(community, right.user()).await? != Some(Role::Owner) {
                let detail = format!("you are no owner of the community {community}");
                return Err(ApiError::field("groups", "community", detail));
            }
            let owner = Precondition::CommunityRole(community, right.user(), Role::Owner);
            if !preconditions.contains(&owner) {
                preconditions.push(owner);
            }
        }
        let groups_claim =
            text("groups_claim", request.groups_claim.as_deref().unwrap_or("groups"))?;
        let provider = Provider {
            id: id.to_owned(),
            kind,
            url: url.to_owned(),
            client_id: text("client_id", &request.client_id)?.to_owned(),
            client_secret: Zeroizing::new(String::new()),
            scopes: scopes.clone(),
            groups_claim: groups_claim.to_owned(),
        };
        let groups_claim = groups_claim.to_owned();
        let groups = request.groups.clone();
        Ok((
            provider,
            shown.to_owned(),
            Options { scopes, groups_claim, groups, open },
            preconditions,
        ))
    }

    /// Removes a provider, and every link with it. Sessions that began by it go on.
    pub async fn delete(&self, right: &ServerOwner, id: &str) -> Result<(), ApiError> {
        let gone = Change {
            preconditions: vec![Precondition::ProviderThere(id.to_owned())],
            records: vec![
                Record::DeleteProvider(id.to_owned()),
                self.0.act(right.actor(), None, "provider.delete").with("provider", id).record(),
            ],
            ..Change::default()
        };
        match self.0.commit(gone).await {
            Ok(_) => {
                tracing::warn!(provider = id, "the server's owner removed a provider of sign-in");
                Ok(())
            }
            Err(ChangeError::Refused(Refusal::Precondition(_))) => Err(ApiError::not_found()),
            Err(other) => Err(other.into()),
        }
    }

    /// A provider with its secret.
    pub(super) async fn ready(&self, id: &str) -> Result<Ready, ApiError> {
        let app = self.0;
        let stored = app.store().provider(id).await?.ok_or_else(ApiError::not_found)?;
        let options = options(&stored)?;
        let secret = app.open_sealed(&purpose(&stored.id, &stored.url), &stored.sealed_secret);
        let secret = secret.and_then(|secret| String::from_utf8(secret.to_vec()).ok());
        let (Some(secret), Some(kind)) = (secret, Kind::parse(&stored.kind)) else {
            tracing::error!(
                provider = id,
                "the secret of this provider was sealed under another key: configure it again"
            );
            return Err(ApiError::new(
                Code::Unavailable,
                "This way to sign in does not work now. The server's owner finds out why in the log.",
            ));
        };
        let provider = Provider {
            id: stored.id,
            kind,
            url: stored.url,
            client_id: stored.client_id,
            client_secret: Zeroizing::new(secret),
            scopes: options.scopes.clone(),
            groups_claim: options.groups_claim.clone(),
        };
        Ok(Ready { provider, name: stored.name, options })
    }

    /// Where a provider sends browsers back to; exactly this, to the letter.
    pub(super) fn redirect_uri(self, id: &str) -> String {
        format!("{}/v1/auth/oauth/{id}/callback", self.0.settings().public_url)
    }

    fn view(self, stored: &StoredProvider) -> Result<ProviderView, ApiError> {
        let options = options(stored)?;
        Ok(ProviderView {
            id: stored.id.clone(),
            kind: stored.kind.clone(),
            name: stored.name.clone(),
            url: stored.url.clone(),
            client_id: stored.client_id.clone(),
            scopes: options.scopes,
            groups_claim: options.groups_claim,
            groups: options.groups,
            registration: if options.open { "open" } else { "invite" }.to_owned(),
            redirect_uri: self.redirect_uri(&stored.id),
            created_at: stored.created_at.into(),
        })
    }
}

/// Words that stand where ids of providers do.
const RESERVED: [&str; 2] = ["ticket", "session"];

/// What a provider's secret is sealed for: a row that was moved opens nothing.
fn purpose(id: &str, url: &str) -> String {
    format!("tidings/v1/provider\n{id}\n{url}")
}

fn options(stored: &StoredProvider) -> Result<Options, ApiError> {
    serde_json::from_str(&stored.options).map_err(|error| {
        let detail = error.to_string();
        tidings_storage::StorageError::Corrupt { place: "providers.options", detail }.into()
    })
}

fn text<'a>(field: &'static str, text: &'a str) -> Result<&'a str, ApiError> {
    let text = text.trim();
    let fine =
        !text.is_empty() && text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control);
    let detail = || format!("must have 1 to {TEXT_MAX} characters, all of them printable");
    if fine { Ok(text) } else { Err(ApiError::field(field, "invalid", detail())) }
}

/// A scope as RFC 6749, section 3.3 has it.
fn is_scope(scope: &str) -> bool {
    let fine = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=128).contains(&scope.len()) && scope.bytes().all(fine)
}

/// What a provider's failure means for whoever configures it.
fn refused(field: &'static str, error: &SigninError) -> ApiError {
    ApiError::field(field, "provider", error.to_string())
}

//! Signing in through a provider: there, back, and what comes of it.
//!
//! A provider never gives an identity, only a session of the account that it was linked with, and
//! that session has no device: what needs a key goes on needing one.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tidings_domain::{CommunityId, DeviceId, Fact, LogId, Role, Timestamp, User, UserId, name};
use tidings_storage::signin::StoredLink;
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::Code;
use tidings_wire::signin::{Link, SignInProof, SignedIn, TicketInfo};

use super::App;
use super::accounts::me;
use super::change::author;
use crate::access::Caller;
use crate::auth::token;
use crate::error::ApiError;
use crate::limit::Key;
use crate::settings::Registration;
use crate::signin::flow::{self, Bind, Flow, Intent, Return, Ticket};
use crate::signin::provider::{Expected, challenge};
use crate::signin::{SigninError, Somebody};

/// What is sealed for a browser on its way, and after it.
const FLOW: &str = "tidings/v1/sign-in/flow";
const TICKET: &str = "tidings/v1/sign-in/ticket";
/// Longest `state` of a program, and of a provider's `code`, in bytes.
const TEXT_MAX: usize = 2048;

/// From [`App::signin`].
#[derive(Debug, Clone, Copy)]
pub struct SignIns<'a>(pub(super) &'a App);

/// What a browser asks for when it begins.
#[derive(Debug, Clone, Default)]
pub struct Beginning {
    /// What it wants at the end.
    pub intent: Intent,
    /// A program on the same machine that it goes back to.
    pub redirect_uri: Option<String>,
    /// What that program wants to see again.
    pub state: Option<String>,
    /// The S256 challenge of that program.
    pub challenge: Option<String>,
    /// The path of a page of ours that it goes back to.
    pub back: Option<String>,
}

/// A browser on its way to a provider.
pub struct Begun {
    /// Where it goes.
    pub url: String,
    /// What it carries, sealed.
    pub cookie: String,
}

/// What a provider sends back with the browser.
#[derive(Debug, Clone, Default)]
pub struct Callback {
    /// The code.
    pub code: Option<String>,
    /// What was sent along.
    pub state: Option<String>,
    /// Who says so (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// Where a browser goes after a provider. It has secrets in it.
pub enum Outcome {
    /// To a program on the same machine, or to a page, with what is in the address.
    Go {
        /// The address.
        url: String,
        /// What the browser keeps to use the ticket in it.
        cookie: Option<String>,
    },
    /// It is logged in.
    LoggedIn {
        /// The session's token.
        token: String,
        /// Where it goes.
        url: String,
    },
    /// Nobody here is linked.
    Unknown {
        /// The provider's name.
        provider: String,
        /// What the provider calls the person.
        label: String,
    },
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begun([redacted])")
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Go { .. } => "Go([redacted])",
            Self::LoggedIn { .. } => "LoggedIn([redacted])",
            Self::Unknown { .. } => "Unknown",
        })
    }
}

/// A ticket that is one's own and may be used.
pub(super) struct Shown {
    pub(super) ticket: Ticket,
    /// What the writer remembers of it.
    digest: [u8; 32],
}

/// A role that a provider's groups have given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Granted {
    community_id: uuid::Uuid,
    role: String,
}

impl SignIns<'_> {
    /// Sends a browser to a provider.
    pub async fn begin(
        &self,
        id: &str,
        beginning: Beginning,
        address: Option<IpAddr>,
    ) -> Result<Begun, ApiError> {
        let app = self.0;
        app.limit(Key::Logins(address), app.settings().limits.logins)?;
        let ready = app.providers().ready(id).await?;
        let back = read_return(&beginning)?;
        let now = app.now();
        let draw = || token::Token::new(&app.random::<32>()).reveal().to_owned();
        let flow = Flow {
            id: draw(),
            provider: ready.provider.id.clone(),
            state: draw(),
            nonce: draw(),
            verifier: draw(),
            intent: beginning.intent,
            back,
            expires_at: now.plus_seconds(flow::LIFETIME_S).0,
        };
        let redirect_uri = app.providers().redirect_uri(id);
        let expected = Expected {
            redirect_uri: &redirect_uri,
            nonce: &flow.nonce,
            verifier: &flow.verifier,
            now,
        };
        let url = ready.provider.authorize_url(app.outward(), &flow.state, expected).await;
        let url = url.map_err(|error| unavailable(&error))?;
        Ok(Begun { url: url.into(), cookie: app.seal_text(FLOW, &flow)? })
    }

    /// Takes a browser that comes back. `cookie` is what it carried.
    pub async fn finish(
        &self,
        id: &str,
        callback: &Callback,
        cookie: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Outcome, ApiError> {
        let app = self.0;
        app.limit(Key::Logins(address), app.settings().limits.logins)?;
        let now = app.now();
        let flow: Option<Flow> = cookie.and_then(|cookie| app.open_text(FLOW, cookie));
        let flow = flow.filter(|flow| flow.is_alive(now) && flow.provider == id);
        let flow = flow.ok_or_else(not_begun)?;
        let state = callback.state.as_deref().unwrap_or_default();
        // Of one length each, so that the time tells nothing.
        if !bool::from(token::hash(state).ct_eq(&token::hash(&flow.state))) {
            return Err(not_begun());
        }
        // From here on it is spent, however it ends: the same answer works no second time.
        self.spend(token::hash(&flow.id), Timestamp(flow.expires_at), not_begun).await?;
        let ready = app.providers().ready(id).await?;
        if callback.iss.as_ref().is_some_and(|issuer| *issuer != ready.provider.url) {
            return Err(refused(&SigninError::Answer("another provider answered")));
        }
        if let Some(word) = &callback.error {
            let word = word.chars().filter(|c| !c.is_control()).take(64).collect();
            return Err(refused(&SigninError::Refused(word)));
        }
        let code = callback.code.as_deref().filter(|code| code.len() <= TEXT_MAX);
        let code = code.ok_or_else(|| refused(&SigninError::Answer("no code")))?;
        let redirect_uri = app.providers().redirect_uri(id);
        let expected = Expected {
            redirect_uri: &redirect_uri,
            nonce: &flow.nonce,
            verifier: &flow.verifier,
            now,
        };
        let somebody = ready.provider.exchange(app.outward(), code, expected).await;
        let somebody = somebody.map_err(|error| refused(&error))?;
        self.outcome(flow, ready.name, somebody, now).await
    }

    async fn outcome(
        self,
        flow: Flow,
        provider_name: String,
        somebody: Somebody,
        now: Timestamp,
    ) -> Result<Outcome, ApiError> {
        let app = self.0;
        let binder = token::Token::new(&app.random::<32>()).reveal().to_owned();
        let ticket = |bind| -> Result<String, ApiError> {
            let ticket = Ticket {
                id: token::Token::new(&app.random::<32>()).reveal().to_owned(),
                provider: flow.provider.clone(),
                somebody: somebody.clone(),
                bind,
                expires_at: now.plus_seconds(flow::TICKET_S).0,
            };
            app.seal_text(TICKET, &ticket)
        };
        let page = match &flow.back {
            Return::Loopback { uri, state, challenge } => {
                let ticket = ticket(Bind::Challenge(challenge.clone()))?;
                let mut url = reqwest::Url::parse(uri).map_err(|_| not_begun())?;
                url.query_pairs_mut().append_pair("ticket", &ticket).append_pair("state", state);
                return Ok(Outcome::Go { url: url.into(), cookie: None });
            }
            Return::Path(path) => Some(path),
            Return::Here => None,
        };
        let public_url = &app.settings().public_url;
        let link = app.store().link(&flow.provider, &somebody.subject).await?;
        if flow.intent == Intent::SignIn
            && let Some(link) = link
        {
            let opened = self.enter(&link, &somebody, &provider_name, Vec::new()).await?;
            let url =
                page.map_or_else(|| format!("{public_url}/"), |path| format!("{public_url}{path}"));
            return Ok(Outcome::LoggedIn { token: opened.1, url });
        }
        match page {
            Some(path) => {
                let ticket = ticket(Bind::Browser(hex::encode(token::hash(&binder))))?;
                // Behind the # it stays in the browser: no server and no log sees it.
                let url = format!("{public_url}{path}#sign_in={ticket}");
                Ok(Outcome::Go { url, cookie: Some(binder) })
            }
            None => Ok(Outcome::Unknown { provider: provider_name, label: somebody.username }),
        }
    }

    /// Opens a session for whoever is linked, gives what their groups give, and notes the use.
    async fn enter(
        self,
        link: &StoredLink,
        somebody: &Somebody,
        device_name: &str,
        spent: Vec<([u8; 32], Timestamp)>,
    ) -> Result<(SignedIn, String), ApiError> {
        let app = self.0;
        let user = app.store().user(link.user_id).await?.filter(|user| !user.disabled);
        let user = user.ok_or_else(ApiError::unauthorized)?;
        let mut opening = app.sessions().open(user.id, DeviceId::NIL, device_name);
        let granted = self.grant(&link.provider, &user, somebody, &link.granted).await?;
        let mut change = Change {
            preconditions: vec![
                Precondition::UserActive(user.id),
                Precondition::ProviderThere(link.provider.clone()),
            ],
            records: vec![
                opening.record,
                Record::PutLink(StoredLink {
                    label: somebody.username.clone(),
                    granted,
                    last_used_at: app.now(),
                    ..link.clone()
                }),
            ],
            ..Change::default()
        };
        for (digest, end) in spent {
            change.preconditions.push(Precondition::ChallengeUnused(digest));
            change.records.push(Record::UseChallenge(digest, end));
        }
        match app.commit(change).await {
            Ok(_) => {}
            Err(ChangeError::Refused(Refusal::Precondition(_))) => {
                return Err(ApiError::unauthorized());
            }
            Err(other) => return Err(other.into()),
        }
        let secret = opening.new.token.clone().map_or_else(String::new, |token| token.0);
        opening.new.token.get_or_insert_with(|| tidings_wire::account::Secret(secret.clone()));
        Ok((SignedIn { user: me(&user), session: opening.new }, secret))
    }

    /// Whom a ticket is about; uses nothing up.
    pub async fn look(
        &self,
        proof: &SignInProof,
        binder: Option<&str>,
    ) -> Result<TicketInfo, ApiError> {
        let app = self.0;
        let Shown { ticket, .. } = self.show(proof, binder)?;
        let ready = app.providers().ready(&ticket.provider).await?;
        let linked = app.store().link(&ticket.provider, &ticket.somebody.subject).await?.is_some();
        let open = ready.options.open || app.settings().registration == Registration::Open;
        Ok(TicketInfo {
            username: username_of(&ticket.somebody),
            provider: ticket.provider,
            provider_name: ready.name,
            label: ticket.somebody.username,
            linked,
            registration: if open { "open" } else { "invite" }.to_owned(),
        })
    }

    /// Logs in by a ticket, without a device.
    pub async fn session(
        &self,
        proof: &SignInProof,
        binder: Option<&str>,
        device_name: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<SignedIn, ApiError> {
        let app = self.0;
        app.limit(Key::Logins(address), app.settings().limits.logins)?;
        let Shown { ticket, digest } = self.show(proof, binder)?;
        let link = app.store().link(&ticket.provider, &ticket.somebody.subject).await?;
        let link = link.ok_or_else(|| {
            ApiError::new(
                Code::NotFound,
                "Nobody here is linked with this. Register with it, or link it while logged in.",
            )
        })?;
        let device_name = device_name.unwrap_or(&ticket.provider);
        let device_name = name::display(device_name, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("device_name", error))?;
        let spent = vec![(digest, Timestamp(ticket.expires_at))];
        Ok(self.enter(&link, &ticket.somebody, device_name, spent).await?.0)
    }

    /// Links the caller's account with whom a ticket is about.
    pub async fn link(
        &self,
        caller: &Caller,
        proof: &SignInProof,
        binder: Option<&str>,
    ) -> Result<Link, ApiError> {
        let app = self.0;
        let shown = self.show(proof, binder)?;
        let user = app.user(caller.user_id()).await?.ok_or_else(ApiError::unauthorized)?;
        let ready = app.providers().ready(&shown.ticket.provider).await?;
        let mut change = Change::default();
        change.preconditions.push(Precondition::UserActive(user.id));
        Self::add_link(&mut change, &shown, user.id, app.now());
        app.commit(change).await.map_err(|error| match error {
            ChangeError::Refused(Refusal::Precondition(Precondition::LinkFree(..))) => {
                ApiError::conflict(
                    "This account of the provider is linked here already, or yours with another one \
                     of it. Remove that link first.",
                )
            }
            other => other.into(),
        })?;
        self.apply_groups(&shown.ticket, &user).await?;
        let link = app.store().link(&shown.ticket.provider, &shown.ticket.somebody.subject).await?;
        Ok(view(link.ok_or_else(ApiError::not_found)?, ready.name))
    }

    /// With whom the caller is linked.
    pub async fn links(&self, caller: &Caller) -> Result<Vec<Link>, ApiError> {
        let app = self.0;
        let providers = app.providers().public().await?;
        let name = |id: &str| {
            let found = providers.iter().find(|provider| provider.id == id);
            found.map_or_else(|| id.to_owned(), |provider| provider.name.clone())
        };
        let links = app.store().links_of(caller.user_id()).await?;
        Ok(links
            .into_iter()
            .map(|link| {
                let name = name(&link.provider);
                view(link, name)
            })
            .collect())
    }

    /// Ends a link of the caller's.
    pub async fn unlink(&self, caller: &Caller, provider: &str) -> Result<(), ApiError> {
        let app = self.0;
        let links = app.store().links_of(caller.user_id()).await?;
        if !links.iter().any(|link| link.provider == provider) {
            return Err(ApiError::not_found());
        }
        let records = vec![Record::DeleteLinks(caller.user_id(), Some(provider.to_owned()))];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// A ticket that its holder may use.
    ///
    /// # Errors
    /// `unauthorized`, whatever is wrong with it.
    pub(super) fn show(self, proof: &SignInProof, binder: Option<&str>) -> Result<Shown, ApiError> {
        let app = self.0;
        let ticket: Option<Ticket> = app.open_text(TICKET, &proof.ticket.0);
        let ticket = ticket.filter(|ticket| ticket.is_alive(app.now()));
        let ticket = ticket.ok_or_else(ApiError::unauthorized)?;
        let own = match &ticket.bind {
            Bind::Challenge(wanted) => proof.verifier.as_ref().is_some_and(|verifier| {
                challenge(&verifier.0).as_bytes().ct_eq(wanted.as_bytes()).into()
            }),
            Bind::Browser(wanted) => binder.is_some_and(|binder| {
                hex::encode(token::hash(binder)).as_bytes().ct_eq(wanted.as_bytes()).into()
            }),
        };
        if !own {
            return Err(ApiError::unauthorized());
        }
        let digest = token::hash(&ticket.id);
        Ok(Shown { ticket, digest })
    }

    /// Whether everybody whom the ticket's provider knows may make an account.
    pub(super) async fn admits(self, shown: &Shown) -> Result<bool, ApiError> {
        Ok(self.0.providers().ready(&shown.ticket.provider).await?.options.open)
    }

    /// Adds the use of a ticket and the link that comes of it to a change.
    pub(super) fn add_link(change: &mut Change, shown: &Shown, user: UserId, now: Timestamp) {
        let Shown { ticket, digest } = shown;
        let (provider, subject) = (&ticket.provider, &ticket.somebody.subject);
        change.preconditions.extend([
            Precondition::ProviderThere(provider.clone()),
            Precondition::ChallengeUnused(*digest),
            Precondition::LinkFree(provider.clone(), subject.clone(), user),
        ]);
        change.records.extend([
            Record::UseChallenge(*digest, Timestamp(ticket.expires_at)),
            Record::PutLink(StoredLink {
                provider: provider.clone(),
                subject: subject.clone(),
                user_id: user,
                label: ticket.somebody.username.clone(),
                granted: "[]".to_owned(),
                created_at: now,
                last_used_at: now,
            }),
        ]);
    }

    /// Gives what a ticket's groups give to an account that was just linked.
    pub(super) async fn apply_groups(self, ticket: &Ticket, user: &User) -> Result<(), ApiError> {
        let app = self.0;
        let subject = &ticket.somebody.subject;
        let Some(link) = app.store().link(&ticket.provider, subject).await? else {
            return Ok(());
        };
        let granted = self.grant(&ticket.provider, user, &ticket.somebody, &link.granted).await?;
        let records = vec![Record::PutLink(StoredLink { granted, ..link })];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// Makes somebody in each community what their groups say, and takes back what groups had given
    /// that they are not in any more. Owners stay owners. Gives what is granted now.
    async fn grant(
        self,
        provider: &str,
        user: &User,
        somebody: &Somebody,
        before: &str,
    ) -> Result<String, ApiError> {
        let app = self.0;
        let groups = app.providers().ready(provider).await?.options.groups;
        let before: BTreeSet<Granted> = serde_json::from_str(before).unwrap_or_default();
        let mut granted = BTreeSet::new();
        let communities: BTreeSet<_> = groups.iter().map(|group| group.community_id).collect();
        for id in communities {
            let own = groups
                .iter()
                .filter(|group| group.community_id == id && somebody.groups.contains(&group.group));
            let wanted = own.filter_map(|group| group.role.parse::<Role>().ok()).max();
            let community = CommunityId(id);
            let had_admin = before
                .contains(&Granted { community_id: id, role: Role::Admin.as_str().to_owned() });
            self.set_role(community, user, wanted, had_admin).await?;
            granted.extend(
                wanted.map(|role| Granted { community_id: id, role: role.as_str().to_owned() }),
            );
        }
        serde_json::to_string(&granted).map_err(ApiError::internal)
    }

    async fn set_role(
        self,
        id: CommunityId,
        user: &User,
        wanted: Option<Role>,
        had_admin: bool,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let now = app.now();
        let mut change = Change::default();
        // Read past the cache: what is written rests on it.
        match (app.store().community_role(id, user.id).await?, wanted) {
            (None, Some(role)) => {
                app.communities().enter(&mut change, id, user, role, user.id, now).await?;
            }
            (Some(Role::Member), Some(Role::Admin)) => {
                self.change_role(&mut change, id, user, (Role::Member, Role::Admin), now);
            }
            (Some(Role::Admin), Some(Role::Member) | None) if had_admin => {
                self.change_role(&mut change, id, user, (Role::Admin, Role::Member), now);
            }
            _ => return Ok(()),
        }
        match app.commit(change).await {
            // Somebody changed it in the same moment; what they did stands, and the next sign-in
            // looks again.
            Ok(_) | Err(ChangeError::Refused(_)) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    fn change_role(
        self,
        change: &mut Change,
        id: CommunityId,
        user: &User,
        (from, to): (Role, Role),
        now: Timestamp,
    ) {
        change.preconditions.push(Precondition::RoleIs(id, user.id, from));
        let fact = Fact::MemberRoleChanged { user: author(user), role: to };
        // Nobody did it but the server, as its owner told it to.
        let log = LogId::Community(id);
        change.entries.push(self.0.entry(log, Some(id), UserId::NIL, now, fact));
    }

    /// Uses something up that works once.
    async fn spend(
        self,
        digest: [u8; 32],
        end: Timestamp,
        otherwise: fn() -> ApiError,
    ) -> Result<(), ApiError> {
        let change = Change {
            preconditions: vec![Precondition::ChallengeUnused(digest)],
            records: vec![Record::UseChallenge(digest, end)],
            ..Change::default()
        };
        match self.0.commit(change).await {
            Ok(_) => Ok(()),
            Err(ChangeError::Refused(Refusal::Precondition(_))) => Err(otherwise()),
            Err(other) => Err(other.into()),
        }
    }
}

/// Where a browser wants to go at the end, if it may.
fn read_return(beginning: &Beginning) -> Result<Return, ApiError> {
    if let Some(uri) = &beginning.redirect_uri {
        if !flow::is_loopback(uri) {
            let detail = "must be http://127.0.0.1:PORT/… or http://[::1]:PORT/…, without a query";
            return Err(ApiError::field("redirect_uri", "not_loopback", detail));
        }
        let state = beginning.state.clone().unwrap_or_default();
        let state = Some(state).filter(|state| !state.is_empty() && state.len() <= TEXT_MAX);
        let state = state.ok_or_else(|| ApiError::field("state", "missing", "send one"))?;
        // 43 characters: SHA-256 as base64url.
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let challenge = beginning.challenge.clone();
        let challenge = challenge.filter(|text| text.len() == 43 && text.bytes().all(fine));
        let challenge = challenge.ok_or_else(|| {
            ApiError::field("code_challenge", "missing", "send the S256 challenge of a verifier")
        })?;
        return Ok(Return::Loopback { uri: uri.clone(), state, challenge });
    }
    match &beginning.back {
        None => Ok(Return::Here),
        Some(path) if flow::is_own_path(path) && path.len() <= TEXT_MAX => {
            Ok(Return::Path(path.clone()))
        }
        Some(_) => Err(ApiError::field("return", "not_ours", "must be a path of this server")),
    }
}

/// A username here, made from what the provider calls somebody: what is allowed of it.
fn username_of(somebody: &Somebody) -> String {
    let source = somebody.username.split('@').next().unwrap_or_default().to_lowercase();
    let fine = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(*c);
    let text: String = source.chars().filter(fine).take(name::USERNAME_MAX).collect();
    let text = text.trim_matches(['.', '_', '-']);
    name::username(text).map_or_else(|_| String::new(), str::to_owned)
}

fn view(link: StoredLink, provider_name: String) -> Link {
    Link {
        provider: link.provider,
        provider_name,
        label: link.label,
        created_at: link.created_at.into(),
        last_used_at: link.last_used_at.into(),
    }
}

fn not_begun() -> ApiError {
    ApiError::new(
        Code::Unauthorized,
        "This sign-in was not begun in this browser, took too long, or was used already. Begin again.",
    )
}

fn refused(error: &SigninError) -> ApiError {
    ApiError::new(Code::Unauthorized, format!("The sign-in did not work: {error}."))
}

fn unavailable(error: &SigninError) -> ApiError {
    ApiError::new(Code::Unavailable, format!("This way to sign in does not work now: {error}."))
}

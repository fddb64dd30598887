//! `tidings admin provider add|list|remove` and `tidings admin keys rotate`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tidings_client::Client;
use tidings_client::error::ClientError;
use tidings_domain::Role;
use tidings_wire::Code;
use tidings_wire::account::Secret;
use tidings_wire::signin::{GroupRole, PutProvider};

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    Add(Box<Add>),
    List(List),
    Remove(Remove),
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    Rotate(Rotate),
}

/// Add a provider of sign-in, or change one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings admin provider add github --kind github --client-id ID --secret-file secret
  tidings admin provider add acme --kind oidc --url https://id.example.org --client-id tidings \
--registration open --secret-file secret
  tidings admin provider add acme --kind oidc --url https://id.example.org --client-id tidings \
--group ops=acme:admin --group staff=acme:member

Give the provider the redirect URI that this prints, or that you know beforehand:
https://YOUR.SERVER/v1/auth/oauth/ID/callback. Without --secret-file the secret of before stays.")]
pub(crate) struct Add {
    /// What to call it in commands and addresses: a-z 0-9 -
    id: String,
    /// How to speak to it.
    #[arg(long, value_name = "KIND")]
    kind: Kind,
    /// The issuer, exactly as it writes itself; where the forge is.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Its name on buttons; the id if absent.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What the provider calls this server.
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Read the secret that the provider gave from this file, or from standard input for -.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// What to ask for; may be given more than once.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The claim that lists groups; "groups" if absent.
    #[arg(long, value_name = "CLAIM")]
    groups_claim: Option<String>,
    /// What members of a group are in a community of yours; may be given more than once.
    #[arg(long = "group", value_name = "GROUP=COMMUNITY:ROLE")]
    groups: Vec<String>,
    /// Whom it lets make an account: `open` everybody whom it knows, `invite` who has an invite.
    #[arg(long, value_name = "WHO", default_value = "invite")]
    registration: Registration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Oidc,
    Github,
    Gitea,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Registration {
    Open,
    Invite,
}

/// List the providers of sign-in.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings admin provider list")]
pub(crate) struct List {}

/// Remove a provider, and every link with it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings admin provider remove acme

Sessions that began by it go on. People log in with their keys, as ever.")]
pub(crate) struct Remove {
    /// The provider's id.
    id: String,
}

/// Sign tokens with a new key from now on.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings admin keys rotate

The server does it by itself every 30 days. Tokens of the key before work until they end, within ten
minutes.")]
pub(crate) struct Rotate {}

impl ProviderCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Remove(command) => command.run(ctx).await,
        }
    }
}

impl KeysCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Rotate(command) => command.run(ctx).await,
        }
    }
}

impl Add {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "configure the provider";
        let client = ctx.session().await?.client;
        let mut groups = Vec::new();
        for text in &self.groups {
            groups.push(group(&client, text).await?);
        }
        let request = PutProvider {
            kind: match self.kind {
                Kind::Oidc => "oidc",
                Kind::Github => "github",
                Kind::Gitea => "gitea",
            }
            .to_owned(),
            name: self.name,
            url: self.url,
            client_id: self.client_id,
            client_secret: self.secret_file.as_deref().map(|path| secret(ctx, path)).transpose()?,
            scopes: Some(self.scopes).filter(|scopes| !scopes.is_empty()),
            groups_claim: self.groups_claim,
            groups,
            registration: Some(match self.registration {
                Registration::Open => "open".to_owned(),
                Registration::Invite => "invite".to_owned(),
            }),
        };
        let made = client.put_provider(&self.id, &request).await;
        let provider = made.map_err(|error| explain(&error, WHAT))?;
        if ctx.json {
            return ctx.out.json(&provider);
        }
        ctx.out.note(&format!("people log in with: tidings login --provider {}", provider.id));
        ctx.out.note("the provider must know this redirect URI:");
        ctx.out.line(&sanitize::line(&provider.redirect_uri))
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let client = ctx.session().await?.client;
        let listed = client.providers().await;
        let providers = listed.map_err(|error| explain(&error, "list the providers"))?;
        if ctx.json {
            return providers.iter().try_for_each(|provider| ctx.out.json(provider));
        }
        let mut table = Table::new(["ID", "KIND", "NAME", "REGISTRATION", "URL"]);
        for provider in providers {
            let registration = provider.registration;
            table.row([provider.id, provider.kind, provider.name, registration, provider.url]);
        }
        table.print(&ctx.out, "There is none: tidings admin provider add")
    }
}

impl Remove {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "remove the provider";
        let client = ctx.session().await?.client;
        client.delete_provider(&self.id).await.map_err(|error| explain(&error, WHAT))?;
        if ctx.json {
            return ctx.out.json(&json!({"provider": self.id, "removed": true}));
        }
        ctx.out.note(&format!("{} is no way to log in any more", self.id));
        Ok(())
    }
}

impl Rotate {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "change the key";
        let client = ctx.session().await?.client;
        let keys = client.rotate_keys().await.map_err(|error| explain(&error, WHAT))?;
        if ctx.json {
            return keys.keys.iter().try_for_each(|key| ctx.out.json(key));
        }
        ctx.out.note("tokens are signed with a new key from now on");
        keys.keys.last().map_or(Ok(()), |key| ctx.out.line(&sanitize::line(&key.kid)))
    }
}

/// Reads `GROUP=COMMUNITY:ROLE`; groups may have `=` and `:` in their names.
async fn group(client: &Client, text: &str) -> Result<GroupRole, Failure> {
    let wrong = || {
        Failure::usage(format!("\"{text}\" says nothing of a group"))
            .next("write GROUP=COMMUNITY:ROLE, such as --group ops=acme:admin")
    };
    let (group, rest) = text.rsplit_once('=').ok_or_else(wrong)?;
    let (community, role) = rest.split_once(':').ok_or_else(wrong)?;
    let role: Role = role.parse().map_err(|_| wrong())?;
    let community = client.resolve_community(Some(community)).await;
    let community = community.cannot("configure the provider")?;
    Ok(GroupRole {
        group: group.to_owned(),
        community_id: community.id,
        role: role.as_str().to_owned(),
    })
}

fn secret(ctx: &Ctx, path: &Path) -> Result<Secret, Failure> {
    let text = if path == Path::new("-") {
        ctx.read_input()?
    } else {
        std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("cannot read the secret from {}: {error}", path.display()))
                .next("check the name given with --secret-file")
        })?
    };
    Ok(Secret(text.trim_end_matches(['\n', '\r']).to_owned()))
}

fn explain(error: &ClientError, what: &str) -> Failure {
    let failure = error.why(what);
    match error.code() {
        Some(Code::Forbidden) => {
            failure.next("only the owner of the server can: the person with its first account")
        }
        Some(Code::NotFound) => failure.next("tidings admin provider list"),
        _ => failure,
    }
}

//! `tidings token create|list|revoke`.

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_domain::{Scope, TokenId, UserId};
use tidings_wire::bot::CreateToken;

use super::bot;
use super::invite::seconds;
use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a token with which a program acts as you, or as a bot. It is printed once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings token create backup --scope messages:read --scope channels:read --expires-in 90d
  tidings token create laptop --bot deploy

Scopes: messages:read messages:write channels:read channels:write members:read members:write
reactions:write media:write commands:run presence:read admin")]
pub(crate) struct Create {
    /// What to call it.
    name: String,
    /// What it may be used for; give it several times. A bot's token has all of the bot's if absent.
    #[arg(long = "scope", value_name = "SCOPE", required_unless_present = "bot")]
    scopes: Vec<Scope>,
    /// Act as this bot instead of as yourself.
    #[arg(long, value_name = "NAME")]
    bot: Option<String>,
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG", requires = "bot")]
    community: Option<String>,
    /// How long it works: 90s, 30m, 12h, 7d, 4w; for ever if absent.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires_in: Option<u64>,
}

/// List your tokens, or those of a bot.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings token list
  tidings token list --bot deploy")]
pub(crate) struct List {
    /// Those of this bot.
    #[arg(long, value_name = "NAME")]
    bot: Option<String>,
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG", requires = "bot")]
    community: Option<String>,
}

/// Revoke a token; whoever uses it is cut off at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings token revoke 01a1f8a5-e964-7266-b234-6c6bdecbfc33")]
pub(crate) struct Revoke {
    /// The token's id, from `tidings token list`.
    #[arg(value_name = "ID")]
    token: TokenId,
}

impl TokenCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Revoke(command) => command.run(ctx).await,
        }
    }
}

impl Create {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "make the token";
        let session = ctx.session().await?;
        let scopes = (!self.scopes.is_empty()).then(|| bot::words(&self.scopes));
        let request = CreateToken { name: self.name, scopes, expires_in_s: self.expires_in };
        let token = match &self.bot {
            None => session.client.create_token(&request).await.cannot(WHAT)?,
            Some(name) => {
                let bot = bot::find(&session.client, self.community.as_deref(), name).await?;
                session.client.create_bot_token(UserId(bot.id), &request).await.cannot(WHAT)?
            }
        };
        if ctx.json {
            return ctx.out.json(&token);
        }
        ctx.out.note("this is the token, shown once; keep it as you would a password");
        let secret = token.token.map(|secret| secret.0).unwrap_or_default();
        ctx.out.line(&sanitize::line(&secret))
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list the tokens";
        let session = ctx.session().await?;
        let tokens = match &self.bot {
            None => session.client.tokens().await.cannot(WHAT)?,
            Some(name) => {
                let bot = bot::find(&session.client, self.community.as_deref(), name).await?;
                session.client.bot_tokens(UserId(bot.id)).await.cannot(WHAT)?
            }
        };
        if ctx.json {
            return tokens.iter().try_for_each(|token| ctx.out.json(token));
        }
        let mut table = Table::new(["ID", "NAME", "LAST USED", "ENDS", "SCOPES"]);
        for token in tokens {
            table.row([
                token.id.to_string(),
                token.name,
                token.last_used_at.map(|at| ctx.cell_time(at)).unwrap_or_default(),
                token.expires_at.map(|at| ctx.cell_day(at)).unwrap_or_default(),
                token.scopes.join(" "),
            ]);
        }
        table.print(&ctx.out, "There is no token.")
    }
}

impl Revoke {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        session.client.delete_token(self.token).await.cannot("revoke the token")?;
        if ctx.json {
            return ctx.out.json(&json!({"token_id": self.token.0, "revoked": true}));
        }
        ctx.out.note("revoked the token; it is refused from now on");
        Ok(())
    }
}

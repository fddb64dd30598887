//! `tidings links list|add|remove`.

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_wire::Code;

use super::login::elsewhere;
use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum LinksCommand {
    List(List),
    Add(Add),
    Remove(Remove),
}

/// List the providers that you can log in with.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings links list")]
pub(crate) struct List {}

/// Link your account with one of a provider, to log in with it later.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings links add github

A browser opens and asks there who you are. Then, on any machine: tidings login --provider github")]
pub(crate) struct Add {
    /// The provider's id.
    #[arg(value_name = "PROVIDER")]
    provider: String,
}

/// End a link; the provider logs you in no more.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings links remove github

Sessions that began by it go on until they end or are ended: tidings sessions revoke")]
pub(crate) struct Remove {
    /// The provider's id.
    #[arg(value_name = "PROVIDER")]
    provider: String,
}

impl LinksCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(ctx).await,
            Self::Add(command) => command.run(ctx).await,
            Self::Remove(command) => command.run(ctx).await,
        }
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let client = ctx.session().await?.client;
        let links = client.links().await.cannot("list the links")?;
        if ctx.json {
            return links.iter().try_for_each(|link| ctx.out.json(link));
        }
        let mut table = Table::new(["PROVIDER", "AS", "SINCE", "LAST USED"]);
        for link in links {
            let (since, used) = (ctx.cell_day(link.created_at), ctx.cell_day(link.last_used_at));
            table.row([link.provider, link.label, since, used]);
        }
        table.print(&ctx.out, "You are linked with nobody: tidings links add PROVIDER")
    }
}

impl Add {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "link the account";
        let client = ctx.session().await?.client;
        let proof = elsewhere::in_browser(ctx, &client, &self.provider, WHAT).await?;
        let link = client.create_link(&proof).await.map_err(|error| {
            let failure = error.why(WHAT);
            match error.code() {
                Some(Code::Conflict) => {
                    failure.next(format!("tidings links remove {}", self.provider))
                }
                _ => failure,
            }
        })?;
        if ctx.json {
            return ctx.out.json(&link);
        }
        ctx.out.note(&format!("linked with {} at {}", link.label, link.provider_name));
        ctx.out.line(&sanitize::line(&link.provider))
    }
}

impl Remove {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "end the link";
        let client = ctx.session().await?.client;
        client.delete_link(&self.provider).await.map_err(|error| {
            let failure = error.why(WHAT);
            match error.code() {
                Some(Code::NotFound) => failure.next("tidings links list"),
                _ => failure,
            }
        })?;
        if ctx.json {
            return ctx.out.json(&json!({"provider": self.provider, "linked": false}));
        }
        ctx.out.note(&format!("{} logs you in no more", self.provider));
        Ok(())
    }
}

//! `tidings block add|remove|list`.

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_client::PersonRef;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum BlockCommand {
    Add(Add),
    Remove(Remove),
    List(List),
}

/// Block somebody: no direct messages between you, no mentions, and neither sees who is online.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings block add @eve")]
pub(crate) struct Add {
    /// Whom, @name or an id.
    person: PersonRef,
}

/// Unblock somebody.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings block remove @eve")]
pub(crate) struct Remove {
    /// Whom, @name or an id.
    person: PersonRef,
}

/// List whom you have blocked.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings block list")]
pub(crate) struct List;

impl BlockCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(ctx).await,
            Self::Remove(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
        }
    }
}

impl Add {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "block them";
        let session = ctx.session().await?;
        let id = session.client.resolve_person(&self.person).await.cannot(WHAT)?;
        session.client.block(id).await.cannot(WHAT)?;
        if ctx.json {
            return ctx.out.json(&json!({"user_id": id.0, "blocked": true}));
        }
        ctx.out.note("blocked");
        Ok(())
    }
}

impl Remove {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "unblock them";
        let session = ctx.session().await?;
        let id = session.client.resolve_person(&self.person).await.cannot(WHAT)?;
        session.client.unblock(id).await.cannot(WHAT)?;
        if ctx.json {
            return ctx.out.json(&json!({"user_id": id.0, "blocked": false}));
        }
        ctx.out.note("unblocked");
        Ok(())
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let blocks = session.client.blocks().await.cannot("list whom you have blocked")?;
        if ctx.json {
            return blocks.iter().try_for_each(|block| ctx.out.json(block));
        }
        let mut table = Table::new(["NAME", "SINCE", "ID"]);
        for block in blocks {
            table.row([
                format!("@{}", block.user.username),
                ctx.cell_time(block.created_at),
                block.user.id.to_string(),
            ]);
        }
        table.print(&ctx.out, "You have blocked nobody.")
    }
}

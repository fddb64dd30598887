//! `tidings report message|list|resolve`.

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_domain::{CommunityId, MessageId, ReportId};
use tidings_wire::report::Report;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    Message(Add),
    List(List),
    Resolve(Resolve),
}

/// Report a message to the admins of its community, or one of a DM to the server's owner.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings report message 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01 'spam, the third time'

They see the message, your name and the reason. Its author is not told.")]
pub(crate) struct Add {
    /// The message's id.
    message: MessageId,
    /// Why, at most 500 characters.
    reason: String,
}

/// List reported messages, newest first (admins).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings report list acme
  tidings report list --direct")]
pub(crate) struct List {
    /// The community's slug; needed when you are in several.
    community: Option<String>,
    /// Those of DMs (the server's owner).
    #[arg(long, conflicts_with = "community")]
    direct: bool,
    /// Those too that somebody has dealt with.
    #[arg(long)]
    all: bool,
}

/// Mark a report as dealt with (admins).
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings report resolve 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01")]
pub(crate) struct Resolve {
    /// The report's id.
    report: ReportId,
}

impl ReportCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Message(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Resolve(command) => command.run(ctx).await,
        }
    }
}

impl Add {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let client = ctx.session().await?.client;
        client.report(self.message, &self.reason).await.cannot("report the message")?;
        if ctx.json {
            return ctx.out.json(&json!({"message_id": self.message.0, "reported": true}));
        }
        ctx.out.note("reported");
        Ok(())
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list reports";
        let client = ctx.session().await?.client;
        let community = if self.direct {
            None
        } else {
            let found = client.resolve_community(self.community.as_deref()).await.cannot(WHAT)?;
            Some(CommunityId(found.id))
        };
        let mut table = Table::new(["WHEN", "BY", "REASON", "MESSAGE", "STATE", "ID"]);
        let mut after: Option<String> = None;
        loop {
            let page = client.reports_page(community, self.all, after.as_deref()).await;
            let page = page.cannot(WHAT)?;
            for report in &page.items {
                if ctx.json {
                    ctx.out.json(report)?;
                } else {
                    table.row(row(ctx, report));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if ctx.json { Ok(()) } else { table.print(&ctx.out, "Nothing is reported.") }
    }
}

fn row(ctx: &Ctx, report: &Report) -> [String; 6] {
    let said = match &report.message {
        Some(message) if message.deleted => "(deleted)".to_owned(),
        Some(message) => {
            let line = message.body.lines().next().unwrap_or_default();
            format!("@{}: {line}", message.author.username)
        }
        None => "(gone)".to_owned(),
    };
    [
        ctx.cell_time(report.created_at),
        format!("@{}", report.reporter.username),
        report.reason.clone(),
        said,
        report.resolved_at.map_or("open", |_| "done").to_owned(),
        report.id.to_string(),
    ]
}

impl Resolve {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let client = ctx.session().await?.client;
        client.resolve_report(self.report).await.cannot("mark the report")?;
        if ctx.json {
            return ctx.out.json(&json!({"report_id": self.report.0, "resolved": true}));
        }
        ctx.out.note("done");
        Ok(())
    }
}

//! `tidings audit`.

use clap::Args;
use tidings_domain::CommunityId;
use tidings_wire::Code;
use tidings_wire::moderation::AuditEntry;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::table::Table;

/// Most entries of one page.
const PAGE: u16 = 200;

/// Show what administrators did, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings audit acme
  tidings audit acme --limit 1000 --json | jq 'select(.action == \"member.ban\")'
  tidings audit --server

Admins see what was done in their community, the server's owner what was done to the server. What
was done in a private channel is shown to those who are in it.")]
pub(crate) struct Audit {
    /// The community's slug; needed when you are in several.
    community: Option<String>,
    /// What was done to the whole server.
    #[arg(long, conflicts_with = "community")]
    server: bool,
    /// At most this many.
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl Audit {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "show what was done";
        let client = ctx.session().await?.client;
        let community = if self.server {
            None
        } else {
            let found = client.resolve_community(self.community.as_deref()).await.cannot(WHAT)?;
            Some(CommunityId(found.id))
        };
        let mut table = Table::new(["WHEN", "WHO", "WHAT", "TO", "DETAIL"]);
        let mut left = self.limit;
        let mut after: Option<String> = None;
        while left > 0 {
            let limit = u16::try_from(left).unwrap_or(PAGE).min(PAGE);
            let page = match community {
                Some(id) => client.audit_page(id, after.as_deref(), limit).await,
                None => client.server_audit_page(after.as_deref(), limit).await,
            };
            let page = page.map_err(|error| {
                let failure = error.why(WHAT);
                match (error.code(), community) {
                    (Some(Code::Forbidden), Some(_)) => failure.next("only admins and owners can"),
                    (Some(Code::Forbidden), None) => failure.next("only the server's owner can"),
                    _ => failure,
                }
            })?;
            for entry in &page.items {
                if ctx.json {
                    ctx.out.json(entry)?;
                } else {
                    table.row(row(ctx, entry));
                }
            }
            left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if ctx.json { Ok(()) } else { table.print(&ctx.out, "Nothing yet.") }
    }
}

fn row(ctx: &Ctx, entry: &AuditEntry) -> [String; 5] {
    let actor =
        entry.actor.as_ref().map_or_else(|| "-".to_owned(), |it| format!("@{}", it.username));
    let target = entry.target.as_ref().map_or_else(String::new, |target| {
        let mark = match target.kind.as_str() {
            "user" => "@",
            "channel" => "#",
            _ => "",
        };
        match &target.name {
            Some(name) => format!("{mark}{name}"),
            None => format!("{} {}", target.kind, target.id),
        }
    });
    let detail: Vec<String> = entry
        .detail
        .iter()
        .map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key}={text}"),
            None => format!("{key}={value}"),
        })
        .collect();
    [ctx.cell_time(entry.at), actor, entry.action.clone(), target, detail.join(" ")]
}

//! `tidings whoami`.

use clap::Args;
use serde_json::json;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::table::Table;

/// Show which account this is, as the server sees it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings whoami
  tidings --profile work whoami --json")]
pub(crate) struct Whoami {}

impl Whoami {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let me = session.client.me().await.cannot("ask the server")?;
        let account = &session.account;
        let waiting = session.outbox.pending().map_or(0, |waiting| waiting.len());
        if ctx.json {
            return ctx.out.json(&json!({
                "user": me,
                "server": account.server,
                "device_id": account.device_id,
                "profile": ctx.profile.name(),
                "waiting": waiting,
            }));
        }
        let mut table = Table::new(["", ""]);
        let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
        row("username", me.username);
        row("name", me.display_name);
        row("role", me.server_role);
        row("server", account.server.clone());
        row("id", me.id.to_string());
        row("identity", me.identity.unwrap_or_default());
        row("device", format!("{} ({})", account.device_name, account.device_id));
        row("profile", ctx.profile.name().to_owned());
        if waiting > 0 {
            row("waiting", format!("{waiting} messages in the send queue"));
        }
        table.print(&ctx.out, "")
    }
}

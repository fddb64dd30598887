//! `tidings admin`; providers and keys stand in [`provider`].
//!
//! `tidings admin reset`.

mod provider;

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_client::PersonRef;
use tidings_wire::Code;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::sanitize;

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    Reset(Reset),
    /// Configure the providers with which people log in.
    #[command(subcommand, alias = "providers")]
    Provider(provider::ProviderCommand),
    /// Change the key that signs tokens.
    #[command(subcommand)]
    Keys(provider::KeysCommand),
}

/// Let a person who lost phrase and devices have their account again; only the server's owner can.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings admin reset @bob

It prints a code. With it the person registers a new identity under the old username and keeps the
memberships and messages of open rooms; everybody is told that the identity changed. The code works
once, for a day. Be sure whom you give it to: whoever has it becomes that person here.")]
pub(crate) struct Reset {
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
}

impl AdminCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Reset(command) => command.run(ctx).await,
            Self::Provider(command) => command.run(ctx).await,
            Self::Keys(command) => command.run(ctx).await,
        }
    }
}

impl Reset {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "reset the account";
        let client = ctx.session().await?.client;
        let id = client.resolve_person(&self.person).await.cannot(WHAT)?;
        let username = client.user(id).await.cannot(WHAT)?.username;
        let reset = client.reset_user(id).await.map_err(|error| {
            let failure = error.why(WHAT);
            match error.code() {
                Some(Code::Forbidden | Code::NotFound) => failure
                    .next("only the owner of the server can: the person with its first account"),
                _ => failure,
            }
        })?;
        let server = client.discover().await.cannot(WHAT)?.origin;
        let code = &reset.code.0;
        let command =
            format!("tidings register --server {server} --username {username} --reset-code {code}");
        if ctx.json {
            return ctx.out.json(&json!({
                "user_id": id.0, "username": username, "code": code,
                "expires_at": reset.expires_at, "command": command,
            }));
        }
        ctx.out.note(&format!(
            "a code for {username}; it works once, until {}. The person runs:",
            ctx.show_time(reset.expires_at)
        ));
        ctx.out.note(&format!("  {command}"));
        ctx.out.line(&sanitize::line(code))
    }
}

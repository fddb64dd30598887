//! `tidings sessions list|revoke`; who asks to be logged in stands in [`asking`].

mod asking;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use tidings_domain::SessionId;
use tidings_wire::Code;
use tidings_wire::account::Session;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    List(List),
    Revoke(Revoke),
    Approve(asking::Approve),
    Deny(asking::Deny),
}

/// List where you are logged in.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings sessions list")]
pub(crate) struct List {}

/// End sessions; their devices can log in again with their own key.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("which").args(["session", "others"]).required(true)),
    after_help = "\
Examples:
  tidings sessions revoke 01a1f8a5-e964-7266-b234-6c6bdecbfc33
  tidings sessions revoke --others

A session that has ended is refused within two seconds. Whoever has the device can log in again:
for one that is lost, use `tidings devices revoke`."
)]
pub(crate) struct Revoke {
    /// The session's id, from `tidings sessions list`.
    #[arg(value_name = "ID")]
    session: Option<SessionId>,
    /// All but the one that you are using.
    #[arg(long)]
    others: bool,
}

impl SessionsCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(ctx).await,
            Self::Revoke(command) => command.run(ctx).await,
            Self::Approve(command) => command.run(ctx).await,
            Self::Deny(command) => command.run(ctx).await,
        }
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let sessions = session.client.sessions().await.cannot("list the sessions")?;
        if ctx.json {
            return sessions.iter().try_for_each(|session| ctx.out.json(session));
        }
        let mut table = Table::new(["ID", "LAST USED", "ENDS", "DEVICE", ""]);
        for session in sessions {
            table.row([
                session.id.to_string(),
                ctx.cell_time(session.last_used_at),
                ctx.cell_day(session.expires_at),
                session.device_name,
                if session.current { "here" } else { "" }.to_owned(),
            ]);
        }
        table.print(&ctx.out, "There is no session.")
    }
}

impl Revoke {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "end the session";
        let using = ctx.session().await?;
        let sessions = using.client.sessions().await.cannot(WHAT)?;
        let chosen: Vec<&Session> = match self.session {
            None => sessions.iter().filter(|session| !session.current).collect(),
            Some(id) => {
                let found = sessions.iter().find(|session| session.id == id.0);
                let found = found.ok_or_else(|| {
                    Failure::new(format!("you have no session {id}"))
                        .next("`tidings sessions list` shows those that you have")
                })?;
                if found.current {
                    return Err(Failure::usage("this is the session that you are using")
                        .next("tidings logout"));
                }
                vec![found]
            }
        };
        if chosen.is_empty() && !ctx.json {
            ctx.out.note("there is no other session");
        }
        for session in chosen {
            match using.client.delete_session(SessionId(session.id)).await {
                // It ended by itself a moment ago.
                Err(error) if error.code() == Some(Code::NotFound) => {}
                Err(error) => return Err(error.why(WHAT)),
                Ok(()) => {}
            }
            if ctx.json {
                ctx.out.json(&json!({"session_id": session.id, "revoked": true}))?;
            } else {
                ctx.out.note(&format!("ended the session of {}", session.device_name));
            }
        }
        Ok(())
    }
}

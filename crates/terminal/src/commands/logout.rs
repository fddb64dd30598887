//! `tidings logout`.

use clap::Args;
use serde_json::json;

use crate::ctx::Ctx;
use crate::failure::{Exit, Explain, Failure};

/// End this session; the keys stay, so `tidings login` needs no phrase.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings logout")]
pub(crate) struct Logout {}

impl Logout {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session_as_it_is()?;
        let ended = session.client.log_out().await.cannot("end the session at the server");
        // Locally it ends in any case: somebody wants to leave this machine.
        ctx.profile.delete_session()?;
        match ended {
            Err(failure) if failure.exit != Exit::NotLoggedIn => {
                return Err(failure.next(
                    "this machine has forgotten the session; the server ends it when it expires",
                ));
            }
            _ => {}
        }
        let waiting = session.outbox.pending().map_or(0, |waiting| waiting.len());
        if waiting > 0 {
            ctx.out
                .note(&format!("{waiting} messages still wait; they go out after `tidings login`"));
        }
        if ctx.json {
            return ctx.out.json(&json!({"logged_out": true, "waiting": waiting}));
        }
        ctx.out.note(&format!("logged out {}", session.account.username));
        Ok(())
    }
}

//! `tidings sessions approve|deny`: other machines that want to be logged in.

use clap::Args;
use serde_json::json;
use tidings_client::ClientError;
use tidings_wire::Code;

use crate::ctx::Ctx;
use crate::failure::{Failure, Why as _};
use crate::output::sanitize;

/// Log another machine in as you, by the code that it shows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings sessions approve BCDF-GHJK
  tidings sessions approve BCDF-GHJK --yes

The other machine runs `tidings login --device-code`. Say yes only to what is in front of you: whoever
it belongs to reads and writes everything that you can.")]
pub(crate) struct Approve {
    /// The code.
    code: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Turn a machine away that shows a code.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings sessions deny BCDF-GHJK")]
pub(crate) struct Deny {
    /// The code.
    code: String,
}

impl Approve {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "log the other machine in";
        let client = ctx.session().await?.client;
        let asking = client.device_request(&self.code).await;
        let asking = asking.map_err(|error| no_code(&error, WHAT))?;
        let name = sanitize::line(&asking.device_name);
        if ctx.typed && !self.yes {
            ctx.out.note(&format!(
                "\"{name}\" shows {} and wants to be logged in as you. Is it yours, and in front of \
                 you? [y/N]",
                asking.user_code
            ));
            let answer = ctx.read_line()?.unwrap_or_default().trim().to_lowercase();
            if !matches!(&*answer, "y" | "yes") {
                return Err(Failure::new("nothing was done")
                    .next(format!("to turn it away: tidings sessions deny {}", asking.user_code)));
            }
        }
        client.answer_device(&self.code, true).await.map_err(|error| no_code(&error, WHAT))?;
        if ctx.json {
            return ctx.out.json(&json!({"user_code": asking.user_code, "approved": true}));
        }
        ctx.out.note(&format!("{name} is logged in"));
        Ok(())
    }
}

impl Deny {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "turn the other machine away";
        let client = ctx.session().await?.client;
        client.answer_device(&self.code, false).await.map_err(|error| no_code(&error, WHAT))?;
        if ctx.json {
            return ctx.out.json(&json!({"user_code": self.code, "approved": false}));
        }
        ctx.out.note("it was turned away");
        Ok(())
    }
}

fn no_code(error: &ClientError, what: &str) -> Failure {
    let failure = error.why(what);
    match error.code() {
        Some(Code::NotFound) => {
            let line = format!("cannot {what}: no machine waits under this code");
            let failure = Failure { line, ..failure };
            failure.next("compare it, or run `tidings login --device-code` there again")
        }
        _ => failure,
    }
}

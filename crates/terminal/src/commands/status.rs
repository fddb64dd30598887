//! `tidings status set|clear`.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum StatusCommand {
    Set(Set),
    Clear(Clear),
}

/// Say what others read beside your name.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings status set 'at lunch until 13:30'")]
pub(crate) struct Set {
    /// At most 140 characters.
    text: String,
}

/// Take your status back.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings status clear")]
pub(crate) struct Clear;

impl StatusCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let text = match self {
            Self::Set(Set { text }) => text,
            Self::Clear(Clear) => String::new(),
        };
        let session = ctx.session().await?;
        session.client.set_status(&text).await.cannot("set your status")?;
        if ctx.json {
            return ctx.out.json(&json!({"status": text.trim()}));
        }
        ctx.out.note(if text.trim().is_empty() { "status cleared" } else { "status set" });
        Ok(())
    }
}

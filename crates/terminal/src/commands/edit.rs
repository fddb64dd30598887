//! `tidings edit`.

use clap::Args;
use tidings_domain::MessageId;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::text;

/// Replace the text of a message of yours.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings edit 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01 'what I meant to say'
  tidings edit 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01 - < better.md")]
pub(crate) struct Edit {
    /// The message's id.
    message: MessageId,
    /// The new text, in Markdown; - or nothing reads standard input.
    text: Option<String>,
}

impl Edit {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let body = text::from_args(ctx, self.text)?;
        let message = session.client.edit(self.message, &body).await.cannot("edit the message")?;
        if ctx.json {
            return ctx.out.json(&message);
        }
        ctx.out.note("edited");
        Ok(())
    }
}

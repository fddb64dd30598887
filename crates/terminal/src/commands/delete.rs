//! `tidings delete`.

use clap::Args;
use serde_json::json;
use tidings_domain::MessageId;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};

/// Delete a message: its text is erased for everyone, a tombstone stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings delete 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01")]
pub(crate) struct Delete {
    /// The message's id.
    message: MessageId,
}

impl Delete {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        session.client.delete_message(self.message).await.cannot("delete the message")?;
        if ctx.json {
            return ctx.out.json(&json!({"message_id": self.message.0, "deleted": true}));
        }
        ctx.out.note("deleted");
        Ok(())
    }
}

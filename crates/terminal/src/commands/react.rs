//! `tidings react`.

use clap::Args;
use serde_json::json;
use tidings_domain::{MessageId, message::Emoji};

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};

/// React to a message, or take a reaction back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings react 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01 👍
  tidings react 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01 :shipit: --remove")]
pub(crate) struct React {
    /// The message's id.
    message: MessageId,
    /// A Unicode emoji, or :name:.
    emoji: Emoji,
    /// Take your reaction back.
    #[arg(long)]
    remove: bool,
}

impl React {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let emoji = self.emoji.as_str();
        if self.remove {
            session.client.unreact(self.message, emoji).await.cannot("take the reaction back")?;
        } else {
            session.client.react(self.message, emoji).await.cannot("react")?;
        }
        if ctx.json {
            let line =
                json!({"message_id": self.message.0, "emoji": emoji, "reacted": !self.remove});
            return ctx.out.json(&line);
        }
        ctx.out.note(if self.remove { "taken back" } else { "reacted" });
        Ok(())
    }
}

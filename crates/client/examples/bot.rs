//! A bot that answers whoever mentions it, and goes on where it stopped.
#![expect(clippy::disallowed_methods, reason = "a program of its own reads its environment")]
use std::env::var;

use tidings_client::bot::{Bot, BotError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BotError> {
    let server = var("TIDINGS_SERVER").unwrap_or_default();
    let token = var("TIDINGS_TOKEN").unwrap_or_default();
    Bot::new(&server, &token)?
        .remember_in("bot.cursor")
        .on_mention(|message| async move {
            message.reply(&format!("You said: {}", message.text())).await
        })
        .run()
        .await
}

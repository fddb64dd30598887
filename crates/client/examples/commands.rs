//! A bot that offers a command, and goes on where it stopped.
#![expect(clippy::disallowed_methods, reason = "a program of its own reads its environment")]
use std::env::var;

use tidings_client::bot::{Bot, BotError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BotError> {
    let server = var("TIDINGS_SERVER").unwrap_or_default();
    Bot::new(&server, &var("TIDINGS_TOKEN").unwrap_or_default())?
        .remember_in("bot.cursor")
        .command("/deploy <env> [version]", "Put a version into service", |run| async move {
            run.reply("On its way.").await?;
            let (env, version) = (run.arg("env").unwrap_or_default(), run.arg("version"));
            run.say(&format!("{} is on {env} now.", version.unwrap_or("The newest version"))).await
        })
        .run()
        .await
}

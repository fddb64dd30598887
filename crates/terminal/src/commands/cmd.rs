//! `tidings cmd`.

use clap::Args;
use tidings_client::ChannelRef;
use tidings_domain::ChannelId;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::sanitize;

/// Run a slash command in a channel, as in the other clients.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings cmd '#general' /help
  tidings cmd '#general' '/topic Who is on call'
  tidings cmd '#general' '/poll \"Lunch?\" \"Pizza\" \"Soup\"'
  tidings cmd '@ana' '/me waves'")]
pub(crate) struct Cmd {
    /// [community/]#name, @name or an id.
    channel: ChannelRef,
    /// The command with its arguments, such as '/topic Who is on call'.
    #[arg(value_name = "COMMAND", required = true, num_args = 1.., trailing_var_arg = true)]
    text: Vec<String>,
}

impl Cmd {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "run the command";
        let text = self.text.join(" ");
        let text = if text.starts_with('/') { text } else { format!("/{text}") };
        let session = ctx.session().await?;
        let channel = session.client.resolve_channel(&self.channel).await.cannot(WHAT)?;
        let done = session.client.run_command(ChannelId(channel.id), &text).await.cannot(WHAT)?;
        if ctx.json {
            return ctx.out.json(&done);
        }
        if let Some(message) = &done.message
            && done.text.is_empty()
        {
            return ctx.out.line(&message.id.to_string());
        }
        done.text.lines().try_for_each(|line| ctx.out.line(&sanitize::line(line)))
    }
}

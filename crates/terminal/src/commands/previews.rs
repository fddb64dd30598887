//! `tidings previews [on|off]`.

use clap::{Args, ValueEnum};
use serde_json::json;
use tidings_client::ChannelRef;
use tidings_domain::ChannelId;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};

/// Say whether the server looks up what links lead to, or decide it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings previews
  tidings previews off
  tidings previews off --channel '#ops'

Without a channel it is about the links in your own messages. A link is looked up only when its channel
and its author allow it; links in code never are.")]
pub(crate) struct Previews {
    /// Decide it.
    to: Option<Switch>,
    /// The channel: [community/]#name, or an id. Its admins decide; in a direct conversation
    /// everybody.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<ChannelRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Links are looked up
    On,
    /// They are not
    Off,
}

impl Previews {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "see to previews";
        let session = ctx.session().await?;
        let client = &session.client;
        let channel = match &self.channel {
            Some(channel) => {
                Some(ChannelId(client.resolve_channel(channel).await.cannot(WHAT)?.id))
            }
            None => None,
        };
        let on = match self.to {
            Some(to) => {
                let on = to == Switch::On;
                client.set_previews(channel, on).await.cannot(WHAT)?;
                on
            }
            None => client.previews(channel).await.cannot(WHAT)?,
        };
        if ctx.json {
            return ctx.out.json(&json!({"enabled": on}));
        }
        ctx.out.line(if on { "Links are looked up." } else { "Links are not looked up." })
    }
}

//! `tidings webhook create|list|revoke`; those that tell others stand in [`outgoing`].

mod outgoing;

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_client::ChannelRef;
use tidings_domain::{ChannelId, WebhookId};
use tidings_wire::webhook::CreateWebhook;

use outgoing::OutgoingCommand;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    Create(Create),
    List(List),
    Revoke(Revoke),
    /// Tell programs of yours what happens.
    #[command(subcommand)]
    Outgoing(OutgoingCommand),
}

/// Make an address at which other programs post into a channel, and print a line that does it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings webhook create '#ops' alerts
  tidings webhook create 'acme/#dev' github --signed

The address takes what Slack's does. Add /github, /gitlab, /gitea, /alertmanager or /raw to it for
programs that send their own format. Whoever has it can post, so keep it as you would a password.")]
pub(crate) struct Create {
    /// The channel: [community/]#name, or an id.
    channel: ChannelRef,
    /// The name to post under.
    name: String,
    /// Demand a signature: GitHub, GitLab and Gitea are given the secret, which is printed too.
    #[arg(long)]
    signed: bool,
}

/// List the webhooks of a channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings webhook list '#ops'")]
pub(crate) struct List {
    /// The channel: [community/]#name, or an id.
    channel: ChannelRef,
}

/// End a webhook; what it posted stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings webhook revoke 01a1f8a5-e964-7266-b234-6c6bdecbfc33")]
pub(crate) struct Revoke {
    /// The webhook's id, from `tidings webhook list`.
    #[arg(value_name = "ID")]
    webhook: WebhookId,
}

impl WebhookCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Revoke(command) => command.run(ctx).await,
            Self::Outgoing(command) => command.run(ctx).await,
        }
    }
}

impl Create {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "make the webhook";
        let session = ctx.session().await?;
        let channel = session.client.resolve_channel(&self.channel).await.cannot(WHAT)?;
        let request = CreateWebhook { name: self.name, signed: self.signed };
        let made = session.client.create_webhook(ChannelId(channel.id), &request).await;
        let webhook = made.cannot(WHAT)?;
        if ctx.json {
            return ctx.out.json(&webhook);
        }
        let url = webhook.url.map(|url| url.0).unwrap_or_default();
        if let Some(secret) = webhook.secret {
            ctx.out.note(&format!("its address and its secret are shown once: {}", secret.0));
            return ctx.out.line(&sanitize::line(&url));
        }
        ctx.out.note("its address is shown once; this posts to it:");
        let line =
            format!("curl -H 'Content-Type: application/json' -d '{{\"text\": \"hello\"}}' {url}");
        ctx.out.line(&sanitize::line(&line))
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list the webhooks";
        let session = ctx.session().await?;
        let channel = session.client.resolve_channel(&self.channel).await.cannot(WHAT)?;
        let webhooks = session.client.webhooks(ChannelId(channel.id)).await.cannot(WHAT)?;
        if ctx.json {
            return webhooks.iter().try_for_each(|webhook| ctx.out.json(webhook));
        }
        let mut table = Table::new(["ID", "NAME", "MADE", ""]);
        for webhook in webhooks {
            table.row([
                webhook.id.to_string(),
                webhook.name,
                ctx.cell_day(webhook.created_at),
                if webhook.signed { "signed" } else { "" }.to_owned(),
            ]);
        }
        table.print(&ctx.out, "There is no webhook.")
    }
}

impl Revoke {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        session.client.delete_webhook(self.webhook).await.cannot("end the webhook")?;
        if ctx.json {
            return ctx.out.json(&json!({"webhook_id": self.webhook.0, "revoked": true}));
        }
        ctx.out.note("ended the webhook; its address is refused from now on");
        Ok(())
    }
}

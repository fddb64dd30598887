//! `tidings webhook outgoing …`.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use tidings_client::{ChannelRef, OutgoingPlace};
use tidings_domain::{ChannelId, CommunityId, WebhookId};
use tidings_wire::outgoing::{CreateOutgoingWebhook, OutgoingWebhook, UpdateOutgoingWebhook};

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum OutgoingCommand {
    Create(Create),
    List(List),
    Change(Change),
    Test(Test),
    Deliveries(Deliveries),
    Rotate(Rotate),
    Revoke(Revoke),
}

/// Whose events.
#[derive(Debug, Args)]
struct Place {
    /// Only those of this channel: [community/]#name, or an id. If absent, those of the community and
    /// all its public channels.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<ChannelRef>,
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG", conflicts_with = "channel")]
    community: Option<String>,
}

/// Tell a program of yours what happens here: one POST for each event, in order, signed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings webhook outgoing create https://ci.example.org/chat --event message.created
  tidings webhook outgoing create https://ci.example.org/ops --channel '#ops' --name ops

The secret that is printed is what the receiver checks signatures with (Standard Webhooks). What the
receiver does not accept is sent again, less and less often, for nearly two days.")]
pub(crate) struct Create {
    /// Where events go.
    url: String,
    #[command(flatten)]
    place: Place,
    /// What to call it [default: the host of the address].
    #[arg(long)]
    name: Option<String>,
    /// A type of event, such as message.created; give it several times. If absent: every type.
    #[arg(long = "event", value_name = "TYPE")]
    events: Vec<String>,
}

/// List the outgoing webhooks of a community or a channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings webhook outgoing list
  tidings webhook outgoing list --channel '#ops'")]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
}

/// Change an outgoing webhook, or turn it off and on.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true), after_help = "\
Examples:
  tidings webhook outgoing change 01a1f8a5-e964-7266-b234-6c6bdecbfc33 --url https://new.example.org/
  tidings webhook outgoing change 01a1f8a5-e964-7266-b234-6c6bdecbfc33 --on

One that nothing was accepted from for long is turned off. When it is turned on again, it goes on with
what was not accepted.")]
pub(crate) struct Change {
    /// Its id, from `tidings webhook outgoing list`.
    #[arg(value_name = "ID")]
    webhook: WebhookId,
    /// What to call it.
    #[arg(long, group = "what")]
    name: Option<String>,
    /// Where events go.
    #[arg(long, group = "what")]
    url: Option<String>,
    /// A type of event; give it several times. They replace those of before.
    #[arg(long = "event", value_name = "TYPE", group = "what")]
    events: Vec<String>,
    /// Turn it on.
    #[arg(long, group = "what", conflicts_with = "off")]
    on: bool,
    /// Turn it off.
    #[arg(long, group = "what")]
    off: bool,
}

/// Send one event now, and say how the receiver answered.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings webhook outgoing test 01a1f8a5-e964-7266-b234-6c6bdecbfc33")]
pub(crate) struct Test {
    /// Its id, from `tidings webhook outgoing list`.
    #[arg(value_name = "ID")]
    webhook: WebhookId,
}

/// List the newest attempts.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings webhook outgoing deliveries 01a1f8a5-e964-7266-b234-6c6bdecbfc33")]
pub(crate) struct Deliveries {
    /// Its id, from `tidings webhook outgoing list`.
    #[arg(value_name = "ID")]
    webhook: WebhookId,
}

/// Replace the secret, and print the new one. The old one signs, too, for a day.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings webhook outgoing rotate 01a1f8a5-e964-7266-b234-6c6bdecbfc33")]
pub(crate) struct Rotate {
    /// Its id, from `tidings webhook outgoing list`.
    #[arg(value_name = "ID")]
    webhook: WebhookId,
}

/// End an outgoing webhook.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings webhook outgoing revoke 01a1f8a5-e964-7266-b234-6c6bdecbfc33")]
pub(crate) struct Revoke {
    /// Its id, from `tidings webhook outgoing list`.
    #[arg(value_name = "ID")]
    webhook: WebhookId,
}

impl OutgoingCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Change(command) => command.run(ctx).await,
            Self::Test(command) => command.run(ctx).await,
            Self::Deliveries(command) => command.run(ctx).await,
            Self::Rotate(command) => command.run(ctx).await,
            Self::Revoke(command) => command.run(ctx).await,
        }
    }
}

impl Place {
    async fn resolve(&self, session: &Session, what: &str) -> Result<OutgoingPlace, Failure> {
        let client = &session.client;
        if let Some(channel) = &self.channel {
            let channel = client.resolve_channel(channel).await.cannot(what)?;
            return Ok(OutgoingPlace::Channel(ChannelId(channel.id)));
        }
        let community = client.resolve_community(self.community.as_deref()).await.cannot(what)?;
        Ok(OutgoingPlace::Community(CommunityId(community.id)))
    }
}

impl Create {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "make the webhook";
        let session = ctx.session().await?;
        let place = self.place.resolve(&session, WHAT).await?;
        let host = self.url.split('/').nth(2).unwrap_or(&self.url).chars().take(64).collect();
        let name = self.name.unwrap_or(host);
        let request = CreateOutgoingWebhook { name, url: self.url, events: self.events };
        let webhook = session.client.create_outgoing(place, &request).await.cannot(WHAT)?;
        show_secret(
            ctx,
            &webhook,
            "its secret is shown once; the receiver checks signatures with it:",
        )
    }
}

fn show_secret(ctx: &Ctx, webhook: &OutgoingWebhook, note: &str) -> Result<(), Failure> {
    if ctx.json {
        return ctx.out.json(webhook);
    }
    ctx.out.note(note);
    let secret = webhook.secret.as_ref().map_or("", |secret| &secret.0);
    ctx.out.line(&sanitize::line(secret))
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list the webhooks";
        let session = ctx.session().await?;
        let place = self.place.resolve(&session, WHAT).await?;
        let webhooks = session.client.outgoing(place).await.cannot(WHAT)?;
        if ctx.json {
            return webhooks.iter().try_for_each(|webhook| ctx.out.json(webhook));
        }
        let mut table = Table::new(["ID", "NAME", "ADDRESS", "EVENTS", "STATE"]);
        for webhook in webhooks {
            let events =
                if webhook.events.is_empty() { "all".to_owned() } else { webhook.events.join(" ") };
            let state = webhook
                .disabled_reason
                .map_or_else(|| "on".to_owned(), |why| format!("off: {why}"));
            table.row([webhook.id.to_string(), webhook.name, webhook.url, events, state]);
        }
        table.print(&ctx.out, "There is no outgoing webhook.")
    }
}

impl Change {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let request = UpdateOutgoingWebhook {
            name: self.name,
            url: self.url,
            events: (!self.events.is_empty()).then_some(self.events),
            enabled: (self.on || self.off).then_some(self.on),
        };
        let changed = session.client.update_outgoing(self.webhook, &request).await;
        let webhook = changed.cannot("change the webhook")?;
        if ctx.json {
            return ctx.out.json(&webhook);
        }
        ctx.out.note(if webhook.disabled_at.is_some() {
            "changed; it is off"
        } else {
            "changed; it is on"
        });
        Ok(())
    }
}

impl Test {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let tested = session.client.test_outgoing(self.webhook).await.cannot("test the webhook")?;
        if ctx.json {
            return ctx.out.json(&tested);
        }
        match tested.error {
            None => ctx.out.line("The receiver accepted it."),
            Some(error) => ctx.out.line(&format!("Not accepted: {}.", sanitize::line(&error))),
        }
    }
}

impl Deliveries {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let deliveries = session.client.deliveries(self.webhook).await;
        let deliveries = deliveries.cannot("list the deliveries")?;
        if ctx.json {
            return deliveries.iter().try_for_each(|delivery| ctx.out.json(delivery));
        }
        let mut table = Table::new(["WHEN", "EVENT", "ATTEMPT", "STATUS", "", "MESSAGE"]);
        for delivery in deliveries {
            table.row([
                ctx.cell_time(delivery.at),
                delivery.event,
                delivery.attempt.to_string(),
                delivery.status.map_or_else(String::new, |status| status.to_string()),
                delivery.error.unwrap_or_else(|| "accepted".to_owned()),
                delivery.message_id,
            ]);
        }
        table.print(&ctx.out, "Nothing was delivered yet.")
    }
}

impl Rotate {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let rotated = session.client.rotate_outgoing(self.webhook).await;
        let webhook = rotated.cannot("replace the secret")?;
        show_secret(ctx, &webhook, "the new secret, shown once; the old one signs, too, for a day:")
    }
}

impl Revoke {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        session.client.delete_outgoing(self.webhook).await.cannot("end the webhook")?;
        if ctx.json {
            return ctx.out.json(&json!({"webhook_id": self.webhook.0, "revoked": true}));
        }
        ctx.out.note("ended the webhook; its receiver is told nothing any more");
        Ok(())
    }
}

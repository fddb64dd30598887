//! `tidings channel add|remove|rename|topic|archive`.

use clap::Args;
use serde_json::json;
use tidings_client::{ChannelRef, PersonRef};
use tidings_domain::{ChannelId, name};
use tidings_wire::channel::{Channel, UpdateChannel};

use super::{done, resolve};
use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure};

/// Add somebody of the community to a channel that you are in.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings channel add '#plans' @bob")]
pub(crate) struct Add {
    /// [community/]#name or an id.
    channel: ChannelRef,
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
}

/// Take somebody out of a channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings channel remove '#plans' @bob")]
pub(crate) struct Remove {
    /// [community/]#name or an id.
    channel: ChannelRef,
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
}

/// Give a channel another name; its messages and links stay.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings channel rename '#ops' '#operations'")]
pub(crate) struct Rename {
    /// [community/]#name or an id.
    channel: ChannelRef,
    /// The new name, with or without #.
    name: String,
}

/// Say what a channel is about.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings channel topic '#ops' 'Who is on call'
  tidings channel topic '#ops' ''                 no topic any more")]
pub(crate) struct Topic {
    /// [community/]#name or an id.
    channel: ChannelRef,
    /// What is talked about, at most 1,000 characters; empty for nothing.
    #[arg(value_name = "TEXT")]
    topic: String,
}

/// Make a channel read-only; what was said in it can still be read and found.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings channel archive '#old-project'

Nobody can post in it any more, until: tidings channel unarchive ID")]
pub(crate) struct Archive {
    /// [community/]#name or an id.
    channel: ChannelRef,
}

impl Add {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "add them to the channel";
        let session = ctx.session().await?;
        let channel = resolve(&session, &self.channel, WHAT).await?;
        let user = session.client.resolve_person(&self.person).await.cannot(WHAT)?;
        session.client.add_channel_member(ChannelId(channel.id), user).await.cannot(WHAT)?;
        if ctx.json {
            return ctx
                .out
                .json(&json!({"channel_id": channel.id, "user_id": user.0, "added": true}));
        }
        ctx.out.note(&format!("{} is in {}", self.person, self.channel));
        Ok(())
    }
}

impl Remove {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "take them out of the channel";
        let session = ctx.session().await?;
        let channel = resolve(&session, &self.channel, WHAT).await?;
        let user = session.client.resolve_person(&self.person).await.cannot(WHAT)?;
        session.client.remove_channel_member(ChannelId(channel.id), user).await.cannot(WHAT)?;
        if ctx.json {
            return ctx
                .out
                .json(&json!({"channel_id": channel.id, "user_id": user.0, "removed": true}));
        }
        ctx.out.note(&format!("{} is out of {}", self.person, self.channel));
        Ok(())
    }
}

impl Rename {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let bare = self.name.strip_prefix('#').unwrap_or(&self.name);
        let bare = name::channel(bare).map_err(|error| {
            Failure::usage(format!("\"{}\" cannot be a channel: it {error}", self.name))
                .next("for example: tidings channel rename '#ops' '#operations'")
        })?;
        let session = ctx.session().await?;
        let change = UpdateChannel { name: Some(bare.to_owned()), ..UpdateChannel::default() };
        let channel = update(&session, &self.channel, &change, "rename the channel").await?;
        if ctx.json {
            return ctx.out.json(&channel);
        }
        ctx.out.note(&format!("{} is now #{bare}", self.channel));
        Ok(())
    }
}

impl Topic {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let change = UpdateChannel { topic: Some(self.topic), ..UpdateChannel::default() };
        let channel = update(&session, &self.channel, &change, "set the topic").await?;
        if ctx.json {
            return ctx.out.json(&channel);
        }
        let told = if channel.topic.is_empty() { "has no topic now" } else { "has a new topic" };
        ctx.out.note(&format!("{} {told}", self.channel));
        Ok(())
    }
}

impl Archive {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "archive the channel";
        let session = ctx.session().await?;
        let channel = resolve(&session, &self.channel, WHAT).await?;
        session.client.archive_channel(ChannelId(channel.id)).await.cannot(WHAT)?;
        done(ctx, "archived", &self.channel, &channel)
    }
}

pub(super) async fn update(
    session: &Session,
    target: &ChannelRef,
    change: &UpdateChannel,
    what: &str,
) -> Result<Channel, Failure> {
    let channel = resolve(session, target, what).await?;
    session.client.update_channel(ChannelId(channel.id), change).await.cannot(what)
}

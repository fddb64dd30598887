//! `tidings channel create|list|join|leave`; what admins do stands in [`manage`] and [`keep`].

mod keep;
mod manage;

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_client::ChannelRef;
use tidings_domain::{ChannelId, CommunityId, name};
use tidings_wire::channel::{Channel, CreateChannel};

use keep::{Purge, Retention, Unarchive};
use manage::{Add, Archive, Remove, Rename, Topic};

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure};
use crate::names::Names;
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    Create(Create),
    List(List),
    Join(Join),
    Leave(Leave),
    Add(Add),
    Remove(Remove),
    Rename(Rename),
    Topic(Topic),
    Archive(Archive),
    Unarchive(Unarchive),
    Retention(Retention),
    Purge(Purge),
}

/// Make a channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings channel create '#ops'
  tidings channel create 'acme/#plans' --private --topic 'What comes next'")]
pub(crate) struct Create {
    /// The name: [community/]#name, or the bare name.
    name: String,
    /// Only those who are in it know that it exists.
    #[arg(long)]
    private: bool,
    /// What is talked about.
    #[arg(long, value_name = "TEXT")]
    topic: Option<String>,
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG")]
    community: Option<String>,
}

/// List the channels that you can see, with what is unread.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings channel list
  tidings channel list --joined --json | jq 'select(.unread > 0)'")]
pub(crate) struct List {
    /// Only those that you are in.
    #[arg(long)]
    joined: bool,
    /// Only those of one community.
    #[arg(long, value_name = "SLUG")]
    community: Option<String>,
}

/// Join a public channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings channel join '#ops'")]
pub(crate) struct Join {
    /// [community/]#name or an id.
    channel: ChannelRef,
}

/// Leave a channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings channel leave '#ops'")]
pub(crate) struct Leave {
    /// [community/]#name or an id.
    channel: ChannelRef,
}

impl ChannelCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Join(command) => command.run(ctx).await,
            Self::Leave(command) => command.run(ctx).await,
            Self::Add(command) => command.run(ctx).await,
            Self::Remove(command) => command.run(ctx).await,
            Self::Rename(command) => command.run(ctx).await,
            Self::Topic(command) => command.run(ctx).await,
            Self::Archive(command) => command.run(ctx).await,
            Self::Unarchive(command) => command.run(ctx).await,
            Self::Retention(command) => command.run(ctx).await,
            Self::Purge(command) => command.run(ctx).await,
        }
    }
}

impl Create {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let (slug, name) = self.name()?;
        let session = ctx.session().await?;
        let community = session.client.resolve_community(slug.as_deref()).await;
        let community = community.cannot("make the channel")?;
        let request = CreateChannel {
            name,
            channel_type: "text".to_owned(),
            visibility: if self.private { "private" } else { "public" }.to_owned(),
            kind: "open".to_owned(),
            topic: self.topic,
            category: None,
        };
        let made = session.client.create_channel(CommunityId(community.id), &request).await;
        let channel = made.cannot("make the channel")?;
        if ctx.json {
            return ctx.out.json(&channel);
        }
        let name = channel.name.as_deref().unwrap_or_default();
        ctx.out.line(&sanitize::line(&format!("{}/#{name}", community.slug)))
    }

    fn name(&self) -> Result<(Option<String>, String), Failure> {
        if !self.name.contains('#') {
            let bare = name::channel(&self.name).map_err(|error| {
                Failure::usage(format!("\"{}\" cannot be a channel: it {error}", self.name))
                    .next("for example: tidings channel create '#ops'")
            })?;
            return Ok((self.community.clone(), bare.to_owned()));
        }
        match self.name.parse()? {
            ChannelRef::Named { community, name } => {
                Ok((community.or_else(|| self.community.clone()), name))
            }
            _ => Err(Failure::usage("an id cannot be the name of a channel")),
        }
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let client = &session.client;
        let mut communities = client.communities().await.cannot("list the channels")?;
        let mut channels = client.channels().await.cannot("list the channels")?;
        let mut names = Names::new(session.account.user_id.unwrap_or_default());
        names.learn(communities.clone(), &channels);
        if let Some(slug) = &self.community {
            let only = client.resolve_community(Some(slug)).await.cannot("list the channels")?;
            channels.retain(|channel| channel.community_id == Some(only.id));
            communities = vec![only];
        }
        if !self.joined {
            for community in &communities {
                let visible = client.channels_of(CommunityId(community.id)).await;
                let visible = visible.cannot("list the channels")?;
                channels.extend(visible.into_iter().filter(|channel| !channel.joined));
            }
        }
        if ctx.json {
            return channels.iter().try_for_each(|channel| ctx.out.json(channel));
        }
        let mut table = Table::new(["CHANNEL", "UNREAD", "MENTIONS", "MEMBERS", "TOPIC"]);
        for channel in &channels {
            table.row(row(&names, channel));
        }
        table.print(&ctx.out, "There is no channel yet: tidings community create NAME")
    }
}

/// What is not joined has no unread messages to count.
fn row(names: &Names, channel: &Channel) -> [String; 5] {
    let count = |number: u64| if channel.joined { number.to_string() } else { "-".to_owned() };
    let lock =
        if channel.visibility == "private" && channel.name.is_some() { " (private)" } else { "" };
    let archived = if channel.archived { " (archived)" } else { "" };
    [
        format!("{}{lock}{archived}", names.name_of(channel)),
        count(channel.unread),
        count(channel.mentions),
        channel.member_count.to_string(),
        channel.topic.lines().next().unwrap_or_default().to_owned(),
    ]
}

impl Join {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let channel = resolve(&session, &self.channel, "join").await?;
        session.client.join_channel(ChannelId(channel.id)).await.cannot("join")?;
        done(ctx, "joined", &self.channel, &channel)
    }
}

impl Leave {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let channel = resolve(&session, &self.channel, "leave").await?;
        session.client.leave_channel(ChannelId(channel.id)).await.cannot("leave")?;
        done(ctx, "left", &self.channel, &channel)
    }
}

async fn resolve(session: &Session, target: &ChannelRef, what: &str) -> Result<Channel, Failure> {
    if matches!(target, ChannelRef::Person(_)) {
        return Err(Failure::usage(format!("cannot {what} the direct messages with a person"))
            .next("`tidings dm @person` opens them"));
    }
    session.client.resolve_channel(target).await.cannot(what)
}

fn done(ctx: &Ctx, what: &str, target: &ChannelRef, channel: &Channel) -> Result<(), Failure> {
    if ctx.json {
        return ctx.out.json(&json!({"channel_id": channel.id, what: true}));
    }
    ctx.out.note(&format!("{what} {target}"));
    Ok(())
}

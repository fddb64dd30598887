//! `tidings channel unarchive|retention|purge`: what a channel keeps.

use clap::Args;
use serde_json::json;
use tidings_client::{ChannelRef, PersonRef};
use tidings_domain::{ChannelId, CommunityId};
use tidings_wire::Time;
use tidings_wire::channel::{Channel, Purged, UpdateChannel};

use super::manage::update;
use super::resolve;
use crate::commands::invite::seconds;
use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure};

/// Open an archived channel again.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings channel unarchive '#old-project'

Its name must be free: another channel may have taken it meanwhile.")]
pub(crate) struct Unarchive {
    /// [community/]#name or an id.
    channel: ChannelRef,
}

/// Say how long a channel keeps its messages; older ones are erased, from the disk too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings channel retention '#alerts' 30d
  tidings channel retention '#alerts' forever

It holds for what is there already: within minutes, everything older is gone for good.")]
pub(crate) struct Retention {
    /// [community/]#name or an id.
    channel: ChannelRef,
    /// How long: 30m, 12h, 7d, 4w, at least 60s; or forever.
    #[arg(value_name = "TIME", value_parser = kept)]
    time: u64,
}

/// Delete many messages for everybody; they cannot be brought back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings channel purge '#general' --last 20
  tidings channel purge '#general' --by @mallory
  tidings channel purge '#general' --by @mallory --within 2h

Without --last all that is meant goes, 500 at a time.")]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["by", "last", "within"]))]
pub(crate) struct Purge {
    /// [community/]#name or an id.
    channel: ChannelRef,
    /// Only messages of this person: @name or an id.
    #[arg(long, value_name = "@PERSON")]
    by: Option<PersonRef>,
    /// Only the last this many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    last: Option<u32>,
    /// Only messages that are younger: 90s, 30m, 12h, 7d, 4w.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    within: Option<u64>,
}

fn kept(text: &str) -> Result<u64, String> {
    if text == "forever" { Ok(0) } else { seconds(text) }
}

impl Unarchive {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "open the channel";
        let session = ctx.session().await?;
        let id = match archived(&session, &self.channel, WHAT).await? {
            Some(channel) => channel.id,
            None => resolve(&session, &self.channel, WHAT).await?.id,
        };
        let change = UpdateChannel { archived: Some(false), ..UpdateChannel::default() };
        let channel = session.client.update_channel(ChannelId(id), &change).await.cannot(WHAT)?;
        if ctx.json {
            return ctx.out.json(&channel);
        }
        ctx.out.note(&format!("{} is open", self.channel));
        Ok(())
    }
}

/// The newest archived channel of that name: names mean open channels otherwise.
async fn archived(
    session: &Session,
    target: &ChannelRef,
    what: &str,
) -> Result<Option<Channel>, Failure> {
    let ChannelRef::Named { community, name } = target else { return Ok(None) };
    let community = session.client.resolve_community(community.as_deref()).await.cannot(what)?;
    let channels = session.client.channels_of(CommunityId(community.id)).await.cannot(what)?;
    let called = |channel: &Channel| channel.archived && channel.name.as_ref() == Some(name);
    Ok(channels.into_iter().rfind(called))
}

impl Retention {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "set how long the channel keeps messages";
        let session = ctx.session().await?;
        let change = UpdateChannel { retention_s: Some(self.time), ..UpdateChannel::default() };
        let channel = update(&session, &self.channel, &change, WHAT).await?;
        if ctx.json {
            return ctx.out.json(&channel);
        }
        let told = match channel.retention_s {
            None => "keeps its messages".to_owned(),
            Some(seconds) => format!("erases its messages after {seconds} s"),
        };
        ctx.out.note(&format!("{} {told}", self.channel));
        Ok(())
    }
}

impl Purge {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "delete the messages";
        let session = ctx.session().await?;
        let channel = resolve(&session, &self.channel, WHAT).await?;
        let user = match &self.by {
            Some(person) => Some(session.client.resolve_person(person).await.cannot(WHAT)?.0),
            None => None,
        };
        let since = self.within.map(|seconds| {
            Time(ctx.now().plus_seconds(i64::try_from(seconds).map_or(i64::MIN, |it| -it)))
        });
        let request = tidings_wire::channel::Purge { user_id: user, last: self.last, since };
        let mut deleted = 0;
        loop {
            let purged = session.client.purge(ChannelId(channel.id), &request).await;
            let Purged { deleted: now, more } = purged.cannot(WHAT)?;
            deleted += now;
            if !more || now == 0 {
                break;
            }
        }
        if ctx.json {
            return ctx.out.json(&json!({"channel_id": channel.id, "deleted": deleted}));
        }
        ctx.out.note(&format!("{deleted} messages of {} are gone", self.channel));
        Ok(())
    }
}

//! `tidings attention show|set|channel`.

use clap::{Args, Subcommand, ValueEnum};
use tidings_client::ChannelRef;
use tidings_domain::ChannelId;
use tidings_wire::attention::{Attention, QuietHours, SetNotify};

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::when::When;

#[derive(Debug, Subcommand)]
pub(crate) enum AttentionCommand {
    Show(Show),
    Set(Set),
    Channel(OfChannel),
}

/// Show what you have chosen to be told, and when.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings attention show")]
pub(crate) struct Show;

/// Choose what calls you everywhere, and when not to. What you do not name stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings attention set --keyword deploy --keyword 'release train'
  tidings attention set --quiet 22:00-07:00
  tidings attention set --dnd 2h
  tidings attention set --no-dnd --no-quiet --hide-typing yes")]
pub(crate) struct Set {
    /// A word or phrase that calls you like your name; these replace those you had.
    #[arg(long = "keyword", value_name = "WORDS")]
    keywords: Vec<String>,
    /// No keywords any more.
    #[arg(long, conflicts_with = "keywords")]
    no_keywords: bool,
    /// Hours of each day, by the clock of this machine, in which you are not disturbed.
    #[arg(long, value_name = "HH:MM-HH:MM")]
    quiet: Option<String>,
    /// No quiet hours any more.
    #[arg(long, conflicts_with = "quiet")]
    no_quiet: bool,
    /// Do not disturb for a while such as 2h, or until a time.
    #[arg(long, value_name = "WHEN")]
    dnd: Option<When>,
    /// Disturb again.
    #[arg(long, conflicts_with = "dnd")]
    no_dnd: bool,
    /// Whether others are not told that you type.
    #[arg(long, value_enum)]
    hide_typing: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answer {
    Yes,
    No,
}

/// Choose how much of one channel calls you, or mute it for a while.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings attention channel '#random' --level nothing
  tidings attention channel '#ops' --level all
  tidings attention channel '#general' --mute 8h
  tidings attention channel '#general' --unmute")]
pub(crate) struct OfChannel {
    /// [community/]#channel, @person or an id.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelRef,
    /// How much of it.
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// Mute it for a while such as 8h, or until a time.
    #[arg(long, value_name = "WHEN")]
    mute: Option<When>,
    /// End the mute.
    #[arg(long, conflicts_with = "mute")]
    unmute: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    /// Every message.
    All,
    /// What names you, your keywords, and threads that you follow.
    Mentions,
    /// Nothing.
    Nothing,
}

impl AttentionCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Show(Show) => {
                let client = ctx.session().await?.client;
                tell(ctx, &client.attention().await.cannot("show what you have chosen")?)
            }
            Self::Set(command) => command.run(ctx).await,
            Self::Channel(command) => command.run(ctx).await,
        }
    }
}

impl Set {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "choose what calls you";
        let client = ctx.session().await?.client;
        let mut chosen = client.attention().await.cannot(WHAT)?;
        if self.no_keywords || !self.keywords.is_empty() {
            chosen.keywords = self.keywords;
        }
        if let Some(hours) = &self.quiet {
            chosen.quiet_hours = Some(hours_of(ctx, hours)?);
        } else if self.no_quiet {
            chosen.quiet_hours = None;
        }
        if let Some(until) = self.dnd {
            chosen.dnd_until = Some(until.from(ctx.now()));
        } else if self.no_dnd {
            chosen.dnd_until = None;
        }
        if let Some(answer) = self.hide_typing {
            chosen.hide_typing = answer == Answer::Yes;
        }
        tell(ctx, &client.set_attention(&chosen).await.cannot(WHAT)?)
    }
}

fn hours_of(ctx: &Ctx, text: &str) -> Result<QuietHours, Failure> {
    let (from, to) = text
        .split_once('-')
        .ok_or_else(|| Failure::usage("--quiet wants hours such as 22:00-07:00"))?;
    Ok(QuietHours {
        from: from.trim().to_owned(),
        to: to.trim().to_owned(),
        utc_offset_min: ctx.utc_offset_min(),
    })
}

impl OfChannel {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "choose what the channel tells you";
        let client = ctx.session().await?.client;
        let channel = client.resolve_channel(&self.channel).await.cannot(WHAT)?;
        let level = self.level.map(|level| match level {
            Level::All => "all".to_owned(),
            Level::Mentions => "mentions".to_owned(),
            Level::Nothing => "nothing".to_owned(),
        });
        let muted_until = match self.mute {
            Some(until) => Some(Some(until.from(ctx.now()))),
            None => self.unmute.then_some(None),
        };
        let request = SetNotify { level, muted_until };
        let chosen = client.set_notify(ChannelId(channel.id), &request).await.cannot(WHAT)?;
        if ctx.json {
            return ctx.out.json(&chosen);
        }
        ctx.out.line(&match chosen.muted_until {
            Some(until) => format!("{}, muted until {}", chosen.level, ctx.show_time(until)),
            None => chosen.level,
        })
    }
}

fn tell(ctx: &Ctx, chosen: &Attention) -> Result<(), Failure> {
    if ctx.json {
        return ctx.out.json(chosen);
    }
    let keywords =
        if chosen.keywords.is_empty() { "none".to_owned() } else { chosen.keywords.join(", ") };
    ctx.out.line(&format!("keywords        {keywords}"))?;
    let hours = chosen.quiet_hours.as_ref();
    let hours = hours.map_or_else(|| "none".to_owned(), |it| format!("{} to {}", it.from, it.to));
    ctx.out.line(&format!("quiet hours     {hours}"))?;
    let until = chosen
        .dnd_until
        .map_or_else(|| "no".to_owned(), |time| format!("until {}", ctx.show_time(time)));
    ctx.out.line(&format!("do not disturb  {until}"))?;
    let typing = if chosen.hide_typing { "hidden" } else { "shown" };
    ctx.out.line(&format!("typing          {typing}"))
}

//! `tidings draft list|show|set|clear`.

use clap::{Args, Subcommand};
use tidings_client::ChannelRef;
use tidings_domain::{ChannelId, MessageId};
use tidings_wire::draft::Draft;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::names::Names;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum DraftCommand {
    List(List),
    Show(Show),
    Set(Set),
    Clear(Clear),
}

/// List what you have begun to write, the latest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings draft list")]
pub(crate) struct List;

/// Where a draft stands.
#[derive(Debug, Args)]
struct Place {
    /// [community/]#channel, @person or an id.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelRef,
    /// The thread of this message instead of the channel.
    #[arg(long, value_name = "ID")]
    thread: Option<MessageId>,
}

/// Show what you have begun to write in a channel, DM or thread.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings draft show '#general'")]
pub(crate) struct Show {
    #[command(flatten)]
    place: Place,
}

/// Keep a text for later; your other devices show it at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings draft set '#general' 'about the release: '")]
pub(crate) struct Set {
    #[command(flatten)]
    place: Place,
    /// The text; - reads standard input.
    text: String,
}

/// Throw a draft away.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings draft clear '#general'")]
pub(crate) struct Clear {
    #[command(flatten)]
    place: Place,
}

impl DraftCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::List(List) => list(ctx).await,
            Self::Show(Show { place }) => show(ctx, place).await,
            Self::Set(Set { place, text }) => {
                let text = if text == "-" { ctx.read_input()? } else { text };
                put(ctx, place, &text).await
            }
            Self::Clear(Clear { place }) => put(ctx, place, "").await,
        }
    }
}

async fn list(ctx: &Ctx) -> Result<(), Failure> {
    const WHAT: &str = "list your drafts";
    let session = ctx.session().await?;
    let drafts = session.client.drafts().await.cannot(WHAT)?;
    if ctx.json {
        return drafts.iter().try_for_each(|draft| ctx.out.json(draft));
    }
    let mut names = Names::new(session.account.user_id.unwrap_or_default());
    names.load(&session.client).await.cannot(WHAT)?;
    let mut table = Table::new(["WHERE", "THREAD", "CHANGED", "TEXT"]);
    for draft in drafts {
        table.row([
            names.channel(&session.client, draft.channel_id).await,
            draft.parent_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            draft.updated_at.map_or_else(|| "-".to_owned(), |time| ctx.cell_time(time)),
            draft.body.lines().next().unwrap_or_default().to_owned(),
        ]);
    }
    table.print(&ctx.out, "You have begun nothing.")
}

async fn show(ctx: &Ctx, place: Place) -> Result<(), Failure> {
    const WHAT: &str = "show the draft";
    let client = ctx.session().await?.client;
    let channel = client.resolve_channel(&place.channel).await.cannot(WHAT)?;
    let draft = client.draft(ChannelId(channel.id), place.thread).await.cannot(WHAT)?;
    tell(ctx, &draft)
}

async fn put(ctx: &Ctx, place: Place, text: &str) -> Result<(), Failure> {
    const WHAT: &str = "keep the draft";
    let client = ctx.session().await?.client;
    let channel = client.resolve_channel(&place.channel).await.cannot(WHAT)?;
    let draft = client.put_draft(ChannelId(channel.id), place.thread, text).await.cannot(WHAT)?;
    if ctx.json {
        return ctx.out.json(&draft);
    }
    ctx.out.note(if draft.body.is_empty() { "no draft any more" } else { "kept" });
    Ok(())
}

fn tell(ctx: &Ctx, draft: &Draft) -> Result<(), Failure> {
    if ctx.json {
        return ctx.out.json(draft);
    }
    if draft.body.is_empty() {
        ctx.out.note("You have begun nothing there.");
        return Ok(());
    }
    ctx.out.line(&draft.body)
}

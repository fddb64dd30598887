//! `tidings pin` and `tidings saved`.

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_client::{ChannelRef, Client};
use tidings_domain::{ChannelId, MessageId};
use tidings_wire::message::Message;

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure};
use crate::names::Names;
use crate::output::messages;

#[derive(Debug, Subcommand)]
pub(crate) enum PinCommand {
    Add(AddPin),
    Remove(RemovePin),
    List(ListPins),
}

/// Pin a message to its channel, for all who read it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings pin add 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01")]
pub(crate) struct AddPin {
    /// The message's id.
    message: MessageId,
}

/// Take the pin of a message out.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings pin remove 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01")]
pub(crate) struct RemovePin {
    /// The message's id.
    message: MessageId,
}

/// List the pinned messages of a channel, the newest pin first.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings pin list '#general'")]
pub(crate) struct ListPins {
    /// [community/]#channel, @person or an id.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelRef,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SavedCommand {
    Add(Save),
    Remove(Unsave),
    List(ListSaved),
}

/// Save a message for later, for yourself alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings saved add 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01")]
pub(crate) struct Save {
    /// The message's id.
    message: MessageId,
}

/// Let go of a saved message.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings saved remove 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01")]
pub(crate) struct Unsave {
    /// The message's id.
    message: MessageId,
}

/// List what you have saved, the newest message first.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings saved list")]
pub(crate) struct ListSaved;

impl PinCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Add(AddPin { message }) => set_pin(ctx, message, true).await,
            Self::Remove(RemovePin { message }) => set_pin(ctx, message, false).await,
            Self::List(ListPins { channel }) => {
                const WHAT: &str = "list the pins";
                let session = ctx.session().await?;
                let channel = session.client.resolve_channel(&channel).await.cannot(WHAT)?;
                let pins = session.client.pins(ChannelId(channel.id)).await.cannot(WHAT)?.items;
                show(ctx, &session, &pins, "Nothing is pinned.").await
            }
        }
    }
}

impl SavedCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Add(Save { message }) => set_saved(ctx, message, true).await,
            Self::Remove(Unsave { message }) => set_saved(ctx, message, false).await,
            Self::List(ListSaved) => {
                let session = ctx.session().await?;
                let saved = all_saved(&session.client).await?;
                show(ctx, &session, &saved, "You have saved nothing.").await
            }
        }
    }
}

async fn set_pin(ctx: &Ctx, message: MessageId, pinned: bool) -> Result<(), Failure> {
    let what = if pinned { "pin the message" } else { "take the pin out" };
    ctx.session().await?.client.pin(message, pinned).await.cannot(what)?;
    if ctx.json {
        return ctx.out.json(&json!({"message_id": message.0, "pinned": pinned}));
    }
    ctx.out.note(if pinned { "pinned" } else { "not pinned any more" });
    Ok(())
}

async fn set_saved(ctx: &Ctx, message: MessageId, saved: bool) -> Result<(), Failure> {
    let what = if saved { "save the message" } else { "let go of the message" };
    ctx.session().await?.client.save(message, saved).await.cannot(what)?;
    if ctx.json {
        return ctx.out.json(&json!({"message_id": message.0, "saved": saved}));
    }
    ctx.out.note(if saved { "saved" } else { "not saved any more" });
    Ok(())
}

async fn all_saved(client: &Client) -> Result<Vec<Message>, Failure> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = client.saved(after.as_deref()).await.cannot("list what you have saved")?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

async fn show(ctx: &Ctx, session: &Session, found: &[Message], empty: &str) -> Result<(), Failure> {
    if ctx.json {
        return found.iter().try_for_each(|message| ctx.out.json(message));
    }
    let mut names = Names::new(session.account.user_id.unwrap_or_default());
    names.load(&session.client).await.cannot("list messages")?;
    names.look_up(&session.client, found).await;
    for message in found {
        let place = names.channel(&session.client, message.channel_id).await;
        messages::print(ctx, &names, message, Some(&place))?;
    }
    if found.is_empty() && ctx.out.for_people {
        ctx.out.note(empty);
    }
    Ok(())
}

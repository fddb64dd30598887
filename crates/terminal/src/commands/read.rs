//! `tidings read`.

use clap::Args;
use tidings_client::ChannelRef;
use tidings_client::message::Place;
use tidings_domain::{ChannelId, MessageId};
use tidings_wire::message::Message;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::names::Names;
use crate::output::messages;

/// Most messages that the server gives at once.
const PAGE_MAX: u16 = 200;

/// Read a conversation, oldest message first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings read '#general'
  tidings read 'acme/#ops' -n 200 --before 1200
  tidings read '@ana' --json | jq -r .body
  tidings read '#general' --thread 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01

On a terminal, reading the newest messages of a channel marks them as read; elsewhere, and for
threads, only --mark-read does.")]
pub(crate) struct Read {
    /// [community/]#channel, @person or an id.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelRef,
    /// How many messages.
    #[arg(short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Those before this place of the channel, the number that stands by each message.
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
    /// The replies to this message instead of the channel.
    #[arg(long, value_name = "ID")]
    thread: Option<MessageId>,
    /// Mark what was shown as read.
    #[arg(long = "mark-read", conflicts_with = "unmarked")]
    marked: bool,
    /// Leave it unread, on a terminal too.
    #[arg(long = "no-mark-read")]
    unmarked: bool,
}

impl Read {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let client = &session.client;
        let channel = client.resolve_channel(&self.channel).await.cannot("read")?;
        let id = ChannelId(channel.id);
        let shown = self.fetch(client, id).await?;
        if ctx.json {
            shown.iter().try_for_each(|message| ctx.out.json(message))?;
        } else {
            let mut names = Names::new(session.account.user_id.unwrap_or_default());
            names.load(client).await.cannot("read")?;
            names.look_up(client, &shown).await;
            shown.iter().try_for_each(|message| messages::print(ctx, &names, message, None))?;
            if shown.is_empty() && ctx.out.for_people {
                ctx.out.note("Nothing here yet.");
            }
        }
        if self.marks_read(ctx)
            && channel.joined
            && let Some(last) = shown.last()
        {
            match self.thread {
                None => client.mark_read(id, last.seq).await.cannot("mark the channel as read")?,
                Some(root) => client
                    .mark_thread_read(root, last.seq)
                    .await
                    .cannot("mark the thread as read")?,
            };
        }
        Ok(())
    }

    /// Reading with one's eyes marks as read; a pipe or an old page has no say in it. A marker of a
    /// thread says that one follows it, so looking into a thread sets none by itself.
    fn marks_read(&self, ctx: &Ctx) -> bool {
        let seen = ctx.out.for_people && !ctx.json && self.before.is_none();
        self.marked || (seen && !self.unmarked && self.thread.is_none())
    }

    /// The messages, ascending, however many pages they take.
    async fn fetch(
        &self,
        client: &tidings_client::Client,
        id: ChannelId,
    ) -> Result<Vec<Message>, Failure> {
        let mut pages: Vec<Vec<Message>> = Vec::new();
        let mut left = self.count;
        let mut place = self.before.map_or(Place::Newest, Place::Before);
        while left > 0 {
            let limit = u16::try_from(left).map_or(PAGE_MAX, |left| left.min(PAGE_MAX));
            let page = match self.thread {
                Some(thread) => client.replies(id, thread, place, limit).await,
                None => client.messages(id, place, limit).await,
            }
            .cannot("read")?;
            let Some(first) = page.items.first() else { break };
            place = Place::Before(first.seq);
            left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
            let more = page.prev.is_some();
            pages.push(page.items);
            if !more {
                break;
            }
        }
        Ok(pages.into_iter().rev().flatten().collect())
    }
}

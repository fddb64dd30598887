//! `tidings search`.

use clap::Args;
use tidings_client::ChannelRef;
use tidings_client::search::SearchScope;
use tidings_domain::{ChannelId, CommunityId};
use tidings_wire::message::{Message, SearchHit};

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::names::Names;
use crate::output::messages;

/// Most hits that the server gives at once.
const PAGE_MAX: u32 = 200;

/// Search the open rooms that you can read, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings search deploy
  tidings search 'from:ana in:#ops has:link after:2026-05-01 \"blue green\"'
  tidings search -n 5 --channel '#ops' error")]
pub(crate) struct Search {
    /// Words, \"phrases\", from:name, in:#channel, has:file|link|image, before:DATE, after:DATE.
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// How many hits.
    #[arg(short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Only in this conversation.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<ChannelRef>,
    /// Only in this community.
    #[arg(long, value_name = "SLUG")]
    community: Option<String>,
}

impl Search {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let client = &session.client;
        let mut scope = SearchScope::default();
        if let Some(target) = &self.channel {
            let channel = client.resolve_channel(target).await.cannot("search")?;
            scope.channel = Some(ChannelId(channel.id));
        }
        if let Some(slug) = &self.community {
            let community = client.resolve_community(Some(slug)).await.cannot("search")?;
            scope.community = Some(CommunityId(community.id));
        }
        let hits = self.fetch(client, scope).await?;
        if ctx.json {
            return hits.iter().try_for_each(|hit| ctx.out.json(hit));
        }
        if hits.is_empty() && ctx.out.for_people {
            ctx.out.note("Nothing found in the open rooms that you can read.");
            return Ok(());
        }
        let mut names = Names::new(session.account.user_id.unwrap_or_default());
        names.load(client).await.cannot("search")?;
        let found: Vec<Message> = hits.into_iter().map(|hit| hit.message).collect();
        names.look_up(client, &found).await;
        for message in &found {
            let place = names.channel(client, message.channel_id).await;
            messages::print(ctx, &names, message, Some(&place))?;
        }
        Ok(())
    }

    async fn fetch(
        &self,
        client: &tidings_client::Client,
        mut scope: SearchScope,
    ) -> Result<Vec<SearchHit>, Failure> {
        let query = self.query.join(" ");
        let mut hits = Vec::new();
        let mut left = self.count;
        while left > 0 {
            scope.limit = u16::try_from(left.min(PAGE_MAX)).ok();
            let page = client.search(&query, &scope).await.cannot("search")?;
            left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
            let empty = page.items.is_empty();
            hits.extend(page.items);
            scope.cursor = page.next;
            if empty || scope.cursor.is_none() {
                break;
            }
        }
        Ok(hits)
    }
}

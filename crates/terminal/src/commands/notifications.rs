//! `tidings notifications`.

use clap::Args;
use tidings_domain::NotificationId;
use tidings_wire::attention::{Notification, ReadNotifications};

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::names::Names;
use crate::output::messages;

/// Most notifications that the server gives at once.
const PAGE_MAX: u32 = 200;

/// See who called you: by name, in a DM, in a thread, into a channel. Newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings notifications
  tidings notifications --read
  tidings notifications --all -n 50 --json")]
pub(crate) struct Notifications {
    /// Mark all as seen, after they have been shown.
    #[arg(long)]
    read: bool,
    /// Those too that you have seen.
    #[arg(long)]
    all: bool,
    /// How many at most.
    #[arg(short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
}

impl Notifications {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list your notifications";
        let session = ctx.session().await?;
        let client = &session.client;
        let (mut found, mut before) = (Vec::<Notification>::new(), None);
        loop {
            let left = self.count.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            let limit = u16::try_from(left.min(PAGE_MAX)).unwrap_or(1);
            let page = client.notifications(!self.all, before, limit).await.cannot(WHAT)?;
            before = page.items.last().map(|last| NotificationId(last.id));
            found.extend(page.items);
            if page.next.is_none() || found.len() >= self.count as usize {
                break;
            }
        }
        if ctx.json {
            found.iter().try_for_each(|notification| ctx.out.json(notification))?;
        } else {
            let mut names = Names::new(session.account.user_id.unwrap_or_default());
            names.load(client).await.cannot(WHAT)?;
            let said: Vec<_> =
                found.iter().filter_map(|it| it.message.as_deref().cloned()).collect();
            names.look_up(client, &said).await;
            for notification in &found {
                show(ctx, client, &mut names, notification).await?;
            }
            if found.is_empty() && ctx.out.for_people {
                ctx.out.note("Nothing calls for you.");
            }
        }
        if let (true, Some(newest)) = (self.read, found.first()) {
            let request = ReadNotifications { ids: Vec::new(), up_to: Some(newest.id) };
            client.read_notifications(&request).await.cannot("mark your notifications as seen")?;
        }
        Ok(())
    }
}

async fn show(
    ctx: &Ctx,
    client: &tidings_client::Client,
    names: &mut Names,
    notification: &Notification,
) -> Result<(), Failure> {
    let place = match notification.source.channel_id {
        Some(channel) => names.channel(client, channel).await,
        None => "here".to_owned(),
    };
    let place = format!("{} {place}", notification.kind);
    if let Some(message) = &notification.message {
        return messages::print(ctx, names, message, Some(&place));
    }
    let about = ctx.show_time(notification.created_at);
    if ctx.out.for_people {
        ctx.out.line(&format!("{place}  {}", ctx.out.dim(&about)))
    } else {
        ctx.out.line(&format!("{}\t{place}", notification.created_at))
    }
}

//! Deleting many messages at once.

use tidings_domain::{Fact, LogId, MessageId, UserId};
use tidings_storage::moderation::Selection;
use tidings_storage::{Change, ChangeError, Precondition, Refusal};
use tidings_wire::channel::{Purge, Purged};

use super::App;
use super::channels::Channels;
use crate::access::ChannelManager;
use crate::error::ApiError;
use crate::limit::Key;

/// The most messages that one request deletes: they are one transaction, and everybody's messages
/// wait for it.
const PURGE_MAX: usize = 500;
/// How often a purge looks again when somebody deletes the same messages.
const ATTEMPTS: usize = 3;

/// From [`App::purges`].
#[derive(Debug, Clone, Copy)]
pub struct Purges<'a>(pub(super) &'a App);

impl Purges<'_> {
    /// Deletes the newest messages that the request means, at most [`PURGE_MAX`], all or none. Their
    /// tombstones stay, everything said in them goes.
    pub async fn run(&self, right: &ChannelManager, request: &Purge) -> Result<Purged, ApiError> {
        let app = self.0;
        let reader = right.reader();
        let (limit, selection) = parse(request)?;
        app.limit(Key::Writes(reader.user()), app.settings().limits.writes)?;
        for _ in 0..ATTEMPTS {
            let channel = reader.channel().id;
            let mut found = app.store().newest_messages(channel, selection, limit + 1).await?;
            let more = request.last.is_none() && found.len() > limit;
            found.truncate(limit);
            let deleted = found.len() as u64;
            if found.is_empty() {
                return Ok(Purged { deleted, more });
            }
            match app.commit(self.change(right, request, &found)).await {
                Ok(_) => return Ok(Purged { deleted, more }),
                Err(ChangeError::Refused(Refusal::Precondition(Precondition::MessageLive(..)))) => {
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(ApiError::conflict("Somebody else deletes messages here. Look again and repeat."))
    }

    fn change(self, right: &ChannelManager, request: &Purge, messages: &[MessageId]) -> Change {
        let app = self.0;
        let reader = right.reader();
        let (channel, now) = (reader.channel(), app.now());
        let delete = |id: &MessageId| {
            let fact = Fact::MessageDeleted { message_id: *id };
            let log = LogId::Conversation(channel.id);
            app.entry(log, channel.community_id, reader.user(), now, fact)
        };
        let act = app
            .act(reader.actor(), channel.community_id, "channel.purge")
            .on_channel(channel)
            .with("deleted", messages.len())
            .with_some("user_id", request.user_id.map(|id| id.to_string()))
            .with_some("last", request.last)
            .with_some("since", request.since.map(|since| since.to_string()));
        Change {
            preconditions: Channels::managed(reader),
            records: vec![act.record()],
            entries: messages.iter().map(delete).collect(),
            ..Change::default()
        }
    }
}

fn parse(request: &Purge) -> Result<(usize, Selection), ApiError> {
    let Purge { user_id, last, since } = request;
    if user_id.is_none() && last.is_none() && since.is_none() {
        let detail = "say which messages: user_id, last or since";
        return Err(ApiError::field("last", "missing", detail));
    }
    let limit = match last.map(usize::try_from) {
        None => PURGE_MAX,
        Some(Ok(last @ 1..=PURGE_MAX)) => last,
        Some(_) => {
            let detail = format!("must be 1 to {PURGE_MAX}");
            return Err(ApiError::field("last", "out_of_range", detail));
        }
    };
    let author = user_id.map(UserId);
    Ok((limit, Selection { author, since: since.map(Into::into), before: None }))
}

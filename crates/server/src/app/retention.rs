//! Erasing what is older than its channel keeps.

use tidings_domain::{ChannelId, Fact, LogId, UserId};
use tidings_storage::moderation::Selection;
use tidings_storage::{Change, ChangeError, Precondition, Refusal};

use super::App;
use crate::error::ApiError;

/// Messages that one transaction erases: everybody's messages wait for it.
const BATCH: usize = 200;

/// From [`App::retention`].
#[derive(Debug, Clone, Copy)]
pub struct Retention<'a>(pub(super) &'a App);

impl Retention<'_> {
    /// Erases every message that is older than its channel keeps, and says how many there were.
    /// Tombstones stay, bodies go from the log too. To be called about once a minute.
    pub async fn expire(&self) -> Result<u64, ApiError> {
        let mut erased = 0;
        for (channel, seconds) in self.0.store().channels_with_retention().await? {
            erased += self.expire_channel(channel, seconds).await?;
        }
        Ok(erased)
    }

    async fn expire_channel(&self, id: ChannelId, seconds: u64) -> Result<u64, ApiError> {
        let app = self.0;
        let Some(channel) = app.channel(id).await? else { return Ok(0) };
        let kept = i64::try_from(seconds).unwrap_or(i64::MAX);
        let before = Some(app.now().plus_seconds(kept.saturating_neg()));
        let selection = Selection { before, ..Selection::default() };
        let mut erased = 0;
        loop {
            let found = app.store().oldest_messages(id, selection, BATCH).await?;
            if found.is_empty() {
                return Ok(erased);
            }
            let (now, log) = (app.now(), LogId::Conversation(id));
            let entries = found.iter().map(|message| {
                let fact = Fact::MessageDeleted { message_id: *message };
                app.entry(log, channel.community_id, UserId::NIL, now, fact)
            });
            let change = Change {
                preconditions: vec![Precondition::Retains(id, seconds)],
                entries: entries.collect(),
                ..Change::default()
            };
            match app.commit(change).await {
                Ok(_) => erased += found.len() as u64,
                // Somebody deleted one of them meanwhile: look again.
                Err(ChangeError::Refused(Refusal::Precondition(Precondition::MessageLive(..)))) => {
                }
                // The channel keeps its messages longer now; the next run knows how long.
                Err(ChangeError::Refused(Refusal::Precondition(Precondition::Retains(..)))) => {
                    return Ok(erased);
                }
                Err(other) => return Err(other.into()),
            }
        }
    }
}

//! Messages that a channel keeps in sight, and those that somebody keeps for later.

use tidings_domain::attention::PINS_MAX;
use tidings_domain::fact::Pin;
use tidings_domain::{Fact, LogId, MessageId};
use tidings_storage::{Change, ChangeError, Precondition, Refusal};
use tidings_wire::Code;
use tidings_wire::message::Message;

use super::App;
use super::messages::standing;
use crate::access::{Caller, ChannelReader, MessageReader};
use crate::error::ApiError;
use crate::limit::Key;

/// From [`App::pins`].
#[derive(Debug, Clone, Copy)]
pub struct Pins<'a>(pub(super) &'a App);

impl Pins<'_> {
    /// Pins the message to its channel; anybody who may write there may. Again does nothing.
    pub async fn add(&self, right: &MessageReader) -> Result<(), ApiError> {
        let id = right.message().id;
        live(right)?;
        let needed = Precondition::Pinnable(right.reader().channel().id, id, PINS_MAX);
        if self.set(right, needed, Fact::PinAdded).await? {
            return Ok(());
        }
        // Refused for one of two reasons; only one of them is the caller's business.
        let now = self.0.store().message(id, right.reader().user()).await?;
        if now.is_some_and(|message| message.pinned) {
            return Ok(());
        }
        let detail = format!("A channel has at most {PINS_MAX} pins. Take one out first.");
        Err(ApiError::new(Code::Unprocessable, detail))
    }

    /// Takes the pin out. Again does nothing.
    pub async fn remove(&self, right: &MessageReader) -> Result<(), ApiError> {
        self.set(right, Precondition::Pinned(right.message().id), Fact::PinRemoved).await.map(drop)
    }

    /// Whether `needed` held.
    async fn set(
        &self,
        right: &MessageReader,
        needed: Precondition,
        fact: impl FnOnce(Pin) -> Fact,
    ) -> Result<bool, ApiError> {
        let app = self.0;
        let reader = right.reader();
        let (channel, user, message_id) = (reader.channel(), reader.user(), right.message().id);
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        let mut preconditions = standing(reader);
        preconditions.extend([Precondition::ChannelOpen(channel.id), needed.clone()]);
        let fact = fact(Pin { message_id, user_id: user });
        let log = LogId::Conversation(channel.id);
        let entries = vec![app.entry(log, channel.community_id, user, app.now(), fact)];
        match app.commit(Change { preconditions, entries, ..Change::default() }).await {
            Ok(_) => Ok(true),
            Err(ChangeError::Refused(Refusal::Precondition(it))) if it == needed => Ok(false),
            Err(other) => Err(other.into()),
        }
    }

    /// The pinned messages of the channel, the newest pin first.
    pub async fn list(&self, right: &ChannelReader) -> Result<Vec<Message>, ApiError> {
        let app = self.0;
        let mut pins = Vec::new();
        for message in app.store().pins(right.channel().id, right.user()).await? {
            pins.push(app.messages().present(message).await?);
        }
        Ok(pins)
    }

    /// Saves the message for the caller, or lets go of it. Again does nothing.
    pub async fn save(&self, right: &MessageReader, save: bool) -> Result<(), ApiError> {
        let app = self.0;
        let (channel_id, user) = (right.reader().channel().id, right.reader().user());
        let message_id = right.message().id;
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        if save {
            live(right)?;
        }
        let fact = if save {
            Fact::MessageSaved { channel_id, message_id }
        } else {
            Fact::MessageUnsaved { channel_id, message_id }
        };
        let preconditions = vec![Precondition::Saved(user, message_id, !save)];
        let entries = vec![app.entry(LogId::User(user), None, user, app.now(), fact)];
        match app.commit(Change { preconditions, entries, ..Change::default() }).await {
            Ok(_) | Err(ChangeError::Refused(Refusal::Precondition(Precondition::Saved(..)))) => {
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }

    /// What the caller saved, by ids after one: at most `limit` messages that they may still read,
    /// and the id to go on after, when there are more.
    pub async fn saved(
        &self,
        caller: &Caller,
        before: MessageId,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<MessageId>), ApiError> {
        let (app, user) = (self.0, caller.user_id());
        let mut found = app.store().saved(user, before, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.id);
        let mut saved = Vec::with_capacity(found.len());
        for message in found {
            match app.access().reader_of(user, message.channel_id).await {
                Ok(_) => saved.push(app.messages().present(message).await?),
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok((saved, next))
    }
}

pub(super) fn live(right: &MessageReader) -> Result<(), ApiError> {
    if right.message().deleted {
        return Err(ApiError::new(Code::Gone, "The message has been deleted."));
    }
    Ok(())
}

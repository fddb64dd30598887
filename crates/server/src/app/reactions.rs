//! Reactions.

use tidings_domain::fact::Reaction;
use tidings_domain::message::REACTION_KINDS_MAX;
use tidings_domain::{Emoji, Fact, LogId};
use tidings_storage::{Change, ChangeError, Precondition, Refusal};
use tidings_wire::Code;

use super::App;
use super::blocks::unblocked;
use super::messages::standing;
use super::moderation::may_speak;
use crate::access::MessageReader;
use crate::error::ApiError;
use crate::limit::Key;

/// From [`App::reactions`].
#[derive(Debug, Clone, Copy)]
pub struct Reactions<'a>(pub(super) &'a App);

impl Reactions<'_> {
    /// Reacts. Again does nothing.
    pub async fn add(&self, right: &MessageReader, emoji: &str) -> Result<(), ApiError> {
        let emoji = parse(emoji)?;
        let (id, user) = (right.message().id, right.reader().user());
        if right.message().deleted {
            return Err(ApiError::new(Code::Gone, "The message has been deleted."));
        }
        let addable = Precondition::ReactionAddable(id, user, emoji.clone(), REACTION_KINDS_MAX);
        let speak = may_speak(right.reader().channel().community_id, user, self.0.now());
        let refused = self.set(right, &emoji, addable, speak, Fact::ReactionAdded).await?;
        if !refused {
            return Ok(());
        }
        // Refused for one of two reasons; only one of them is the caller's business.
        let message = self.0.store().message(id, user).await?.ok_or_else(ApiError::not_found)?;
        let mine = message.reactions.iter().any(|there| there.me && there.emoji == emoji);
        if mine || message.reactions.len() < REACTION_KINDS_MAX {
            return Ok(());
        }
        let detail = format!("a message carries at most {REACTION_KINDS_MAX} different emoji");
        Err(ApiError::field("emoji", "too_many", detail))
    }

    /// Takes a reaction back. Again does nothing.
    pub async fn remove(&self, right: &MessageReader, emoji: &str) -> Result<(), ApiError> {
        let emoji = parse(emoji)?;
        let (id, user) = (right.message().id, right.reader().user());
        let there = Precondition::ReactionThere(id, user, emoji.clone());
        // Who is muted may still take back what they said.
        self.set(right, &emoji, there, None, Fact::ReactionRemoved).await.map(drop)
    }

    /// Whether `needed` did not hold.
    async fn set(
        &self,
        right: &MessageReader,
        emoji: &Emoji,
        needed: Precondition,
        speak: Option<Precondition>,
        fact: impl FnOnce(Reaction) -> Fact,
    ) -> Result<bool, ApiError> {
        let app = self.0;
        let reader = right.reader();
        let (channel, user, message_id) = (reader.channel(), reader.user(), right.message().id);
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        let mut preconditions = standing(reader);
        preconditions.push(Precondition::ChannelOpen(channel.id));
        preconditions.extend(speak);
        preconditions.push(needed.clone());
        if matches!(needed, Precondition::ReactionAddable(..)) {
            preconditions.extend(unblocked(channel, user));
        }
        let fact = fact(Reaction { message_id, user_id: user, emoji: emoji.clone() });
        let log = LogId::Conversation(channel.id);
        let entries = vec![app.entry(log, channel.community_id, user, app.now(), fact)];
        match app.commit(Change { preconditions, entries, ..Change::default() }).await {
            Ok(_) => Ok(false),
            Err(ChangeError::Refused(Refusal::Precondition(which))) if which == needed => Ok(true),
            Err(other) => Err(app.moderation().explain(other).await),
        }
    }
}

fn parse(text: &str) -> Result<Emoji, ApiError> {
    text.parse().map_err(|error: tidings_domain::message::InvalidEmoji| {
        ApiError::field("emoji", "invalid", error.to_string())
    })
}

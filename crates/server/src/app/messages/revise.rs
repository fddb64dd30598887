//! Editing and deleting.

use tidings_domain::{Fact, LogId, Role};
use tidings_storage::{Change, ChangeError, Precondition, Refusal};
use tidings_wire::Code;
use tidings_wire::message::Message as WireMessage;

use super::view::decode_domain;
use super::{Messages, check_body};
use crate::access::{ChannelReader, MessageAuthor, MessageModerator};
use crate::app::blocks::unblocked;
use crate::app::moderation::may_speak;
use crate::error::ApiError;
use crate::limit::Key;
use crate::render;

impl Messages<'_> {
    /// Replaces the body; earlier versions stay readable until the message is deleted.
    pub async fn edit(&self, right: &MessageAuthor, body: &str) -> Result<WireMessage, ApiError> {
        let app = self.0;
        let (stored, reader) = (right.reader().message(), right.reader().reader());
        app.limit(Key::Writes(reader.user()), app.settings().limits.writes)?;
        let Some(data) = &stored.data else {
            return Err(ApiError::new(Code::Gone, "The message has been deleted."));
        };
        let mut message = decode_domain(data)?;
        check_body(body, !message.attachments.is_empty())?;
        let channel = reader.channel();
        let names = self.names(channel, reader.user(), &render::candidates(body)).await?;
        let prepared = render::prepare(body, &names);
        let now = app.now();
        message.body = prepared.body;
        message.body_html = prepared.body_html;
        message.mentions = prepared.mentions;
        message.edited_at = Some(now);
        let mut preconditions = standing(reader);
        preconditions.push(Precondition::ChannelOpen(channel.id));
        preconditions.extend(may_speak(channel.community_id, reader.user(), now));
        preconditions.push(Precondition::MessageLive(channel.id, stored.id));
        preconditions.extend(unblocked(channel, reader.user()));
        let records = app.previews().job(&message).into_iter().collect();
        let fact = Fact::MessageEdited { message: Box::new(message) };
        let log = LogId::Conversation(channel.id);
        let entries = vec![app.entry(log, channel.community_id, reader.user(), now, fact)];
        match app.commit(Change { preconditions, records, entries, ..Change::default() }).await {
            Ok(_) => self.reread(reader, stored.id).await,
            Err(refused) => Err(app.moderation().explain(refused).await),
        }
    }

    async fn reread(
        &self,
        reader: &ChannelReader,
        id: tidings_domain::MessageId,
    ) -> Result<WireMessage, ApiError> {
        let found = self.0.store().message(id, reader.user()).await?;
        self.present(found.ok_or_else(ApiError::not_found)?).await
    }

    /// Deletes the message: its tombstone stays, everything said in it goes, from the log too.
    /// Again does nothing.
    pub async fn delete(&self, right: &MessageModerator) -> Result<(), ApiError> {
        let app = self.0;
        let (stored, reader) = (right.reader().message(), right.reader().reader());
        app.limit(Key::Writes(reader.user()), app.settings().limits.writes)?;
        let channel = reader.channel();
        let mut preconditions = standing(reader);
        if let (true, Some(community)) = (stored.author_id != reader.user(), channel.community_id) {
            let role = Precondition::CommunityRole(community, reader.user(), Role::Admin);
            preconditions.push(role);
        }
        preconditions.push(Precondition::MessageLive(channel.id, stored.id));
        let fact = Fact::MessageDeleted { message_id: stored.id };
        let log = LogId::Conversation(channel.id);
        let entries = vec![app.entry(log, channel.community_id, reader.user(), app.now(), fact)];
        // Taking back what one said oneself is no administrative act.
        let act = app.act(reader.actor(), channel.community_id, "message.delete").within(channel);
        let act = act
            .on("message", stored.id.0, "")
            .with("channel_id", channel.id.to_string())
            .with("author_id", stored.author_id.to_string());
        let moderated = stored.author_id != reader.user();
        let records = moderated.then(|| act.record()).into_iter().collect();
        match app.commit(Change { preconditions, records, entries, ..Change::default() }).await {
            Ok(_) => Ok(()),
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::MessageLive(..)))) => {
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// What must still hold of somebody who writes into a channel without joining it.
pub(in crate::app) fn standing(reader: &ChannelReader) -> Vec<Precondition> {
    let channel = reader.channel();
    match channel.community_id {
        Some(community) if !reader.joined() => {
            vec![Precondition::CommunityRole(community, reader.user(), Role::Member)]
        }
        _ => vec![Precondition::InChannel(channel.id, reader.user())],
    }
}

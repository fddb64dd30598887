//! Read markers.

use tidings_domain::{Fact, LogId, Seq};
use tidings_storage::{Change, ChangeError, Precondition, Refusal};
use tidings_wire::Code;
use tidings_wire::channel::{ReadState, SetRead};

use super::App;
use crate::access::{ChannelReader, MessageReader};
use crate::error::ApiError;
use crate::limit::Key;

/// From [`App::reads`].
#[derive(Debug, Clone, Copy)]
pub struct Reads<'a>(pub(super) &'a App);

impl Reads<'_> {
    /// Moves the reader's marker: forward only, unless `set` says otherwise. A marker that stands
    /// there already, or further on, stays.
    pub async fn set(&self, right: &ChannelReader, read: &SetRead) -> Result<ReadState, ApiError> {
        let app = self.0;
        let (id, user) = (right.channel().id, right.user());
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        let view = app.store().channel_view(id, user).await?.ok_or_else(ApiError::not_found)?;
        if !view.joined {
            return Err(not_joined());
        }
        let seq = Seq(read.seq);
        if seq > view.head_seq {
            let detail = format!("must be at most {}, the newest place", view.head_seq);
            return Err(ApiError::field("seq", "out_of_range", detail));
        }
        let moves = if read.set { seq != view.read_seq } else { seq > view.read_seq };
        if moves {
            let mut preconditions = vec![Precondition::InChannel(id, user)];
            if !read.set {
                preconditions.push(Precondition::ReadBefore(id, user, seq));
            }
            let fact =
                Fact::ReadUpdated { channel_id: id, thread: None, seq, unread: 0, mentions: 0 };
            let entries = vec![app.entry(LogId::User(user), None, user, app.now(), fact)];
            match app.commit(Change { preconditions, entries, ..Change::default() }).await {
                // Another device may have been faster and read further.
                Ok(_)
                | Err(ChangeError::Refused(Refusal::Precondition(Precondition::ReadBefore(..)))) => {
                }
                Err(other) => return Err(other.into()),
            }
        }
        let view = app.store().channel_view(id, user).await?.ok_or_else(ApiError::not_found)?;
        Ok(ReadState {
            channel_id: id.0,
            thread_id: None,
            seq: view.read_seq.0,
            unread: view.unread,
            mentions: view.mentions,
        })
    }

    /// Moves the reader's marker of the thread of a message, as [`Reads::set`] does that of a channel.
    /// Who has none follows the thread from then on.
    pub async fn set_thread(
        &self,
        right: &MessageReader,
        read: &SetRead,
    ) -> Result<ReadState, ApiError> {
        let app = self.0;
        let (reader, root) = (right.reader(), right.message());
        let (channel, id, user) = (reader.channel().id, root.id, reader.user());
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        if root.parent_id.is_some() {
            return Err(ApiError::new(
                Code::Unprocessable,
                "A reply has no thread of its own; name the message that it replies to.",
            ));
        }
        if !reader.joined() {
            return Err(not_joined());
        }
        let seq = Seq(read.seq);
        let head = app.store().log_head(LogId::Conversation(channel)).await?;
        if seq > head {
            let detail = format!("must be at most {head}, the newest place of the channel");
            return Err(ApiError::field("seq", "out_of_range", detail));
        }
        let marker = app.store().thread_state(id, user).await?.map(|state| state.read_seq);
        let moves = marker.is_none_or(|at| if read.set { seq != at } else { seq > at });
        if moves {
            let mut preconditions = vec![Precondition::InChannel(channel, user)];
            if !read.set {
                preconditions.push(Precondition::ThreadReadBefore(id, user, seq));
            }
            let fact = Fact::ReadUpdated {
                channel_id: channel,
                thread: Some(id),
                seq,
                unread: 0,
                mentions: 0,
            };
            let entries = vec![app.entry(LogId::User(user), None, user, app.now(), fact)];
            match app.commit(Change { preconditions, entries, ..Change::default() }).await {
                // Another device may have been faster and read further.
                Ok(_)
                | Err(ChangeError::Refused(Refusal::Precondition(
                    Precondition::ThreadReadBefore(..),
                ))) => {}
                Err(other) => return Err(other.into()),
            }
        }
        let state = app.store().thread_state(id, user).await?.ok_or_else(not_joined)?;
        Ok(ReadState {
            channel_id: channel.0,
            thread_id: Some(id.0),
            seq: state.read_seq.0,
            unread: state.unread,
            mentions: 0,
        })
    }
}

fn not_joined() -> ApiError {
    ApiError::conflict("Only who is in a channel has a read marker there.")
}

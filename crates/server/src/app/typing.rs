//! Notices that somebody types.

use std::time::Duration;

use serde_json::value::to_raw_value;
use tidings_domain::{ChannelId, UserId};

use super::App;
use super::blocks::counterpart;
use crate::access::ChannelReader;
use crate::error::ApiError;
use crate::limit::Key;

/// How long after one notice the next of its kind is told. A client that types on repeats itself
/// anyway, so what comes sooner is dropped and nobody is told.
const GAP: Duration = Duration::from_secs(3);

/// From [`App::typing`].
#[derive(Debug, Clone, Copy)]
pub struct Typing<'a>(pub(super) &'a App);

#[derive(serde::Serialize)]
struct TypingData {
    channel_id: uuid::Uuid,
    user_id: uuid::Uuid,
}

impl Typing<'_> {
    /// Tells the channel that the caller types (`start`) or does not any more (`stop`).
    pub async fn set(&self, right: &ChannelReader, state: &str) -> Result<(), ApiError> {
        let app = self.0;
        let (channel, user): (ChannelId, UserId) = (right.channel().id, right.user());
        if !right.joined() {
            return Err(ApiError::conflict("Join the channel before you type in it."));
        }
        let kind = match state {
            "start" => "typing.started",
            "stop" => "typing.stopped",
            _ => return Err(ApiError::field("state", "unknown", "expected one of: start, stop")),
        };
        if let Some(other) = counterpart(right.channel(), user)
            && app.store().blocked_between(user, &[other]).await? == [true]
        {
            // Whoever was blocked is not told so by a notice that nobody waits for.
            return Ok(());
        }
        let key = Key::Typing(user, channel, state == "start");
        if let (true, Some(ephemeral)) = (app.spaced(key, GAP), app.ephemeral())
            && !app.store().attention(user).await?.hide_typing
        {
            let data = TypingData { channel_id: channel.0, user_id: user.0 };
            let data = to_raw_value(&data).map_err(ApiError::internal)?;
            ephemeral.publish(channel, kind, data);
        }
        Ok(())
    }
}

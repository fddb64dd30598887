//! Events that are never stored.

use std::fmt;

use serde_json::value::RawValue;
use tidings_domain::{ChannelId, UserId};

/// Whoever delivers ephemeral events to those who are connected now.
pub trait Ephemeral: fmt::Debug + Send + Sync + 'static {
    /// Sends an event such as `typing.started` to the members of a channel. Never waits; when
    /// there is no room the event is dropped.
    fn publish(&self, channel: ChannelId, kind: &'static str, data: Box<RawValue>);

    /// Sends an event such as `command.replied` to one person, wherever they are connected. Never
    /// waits; when there is no room the event is dropped.
    fn tell(&self, user: UserId, kind: &'static str, data: Box<RawValue>);
}

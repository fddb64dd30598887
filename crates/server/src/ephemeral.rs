//! Events that are never stored.

use std::fmt;

use serde_json::value::RawValue;
use tidings_domain::ChannelId;

/// Whoever delivers ephemeral events to those who are connected now.
pub trait Ephemeral: fmt::Debug + Send + Sync + 'static {
    /// Sends an event such as `typing.started` to the members of a channel. Never waits; when
    /// there is no room the event is dropped.
    fn publish(&self, channel: ChannelId, kind: &'static str, data: Box<RawValue>);
}

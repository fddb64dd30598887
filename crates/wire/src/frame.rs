//! WebSocket frames: `{v: 1, t, id?, ts?, body}`, UTF-8 JSON, at most 1 MiB.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::account::Secret;
use crate::time::Time;

/// The version of the frame's shape.
pub const VERSION: u8 = 1;
/// Largest frame, in bytes; what a request body may be elsewhere.
pub const FRAME_MAX: usize = 1 << 20;

/// A frame whose body is read once its type is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Frame<'a> {
    /// Always 1.
    pub v: u8,
    /// The type, such as `conv.send`.
    #[serde(borrow)]
    pub t: std::borrow::Cow<'a, str>,
    /// What the sender calls it; replies echo it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub id: Option<std::borrow::Cow<'a, str>>,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Time>,
    /// What it says.
    #[serde(borrow)]
    pub body: &'a RawValue,
}

/// `session.start`: the first frame of a connection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SessionStart {
    /// The session token, unless the upgrade carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// The cursor to go on from; the head when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// `session.resume`: the first frame of a connection that comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionResume {
    /// From the last `session.ready`.
    pub resume_token: Secret,
    /// The cursor to go on from; the head when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// `session.ready`: the answer to both.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionReady {
    /// Who is logged in.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// For `session.resume`.
    pub resume_token: Secret,
    /// When the resume token stops working.
    pub expires_at: Time,
    /// Which gateway answered.
    pub gateway_id: Uuid,
    /// The cursor from which events follow.
    pub next: String,
}

/// `event`: one event and the cursor after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventBody<'a> {
    /// The cursor after the event; absent for ephemeral events.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub next: Option<std::borrow::Cow<'a, str>>,
    /// The event.
    #[serde(borrow)]
    pub event: &'a RawValue,
}

/// `conv.send`: post a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConvSend {
    /// Where.
    pub channel_id: Uuid,
    /// What the client calls the message.
    pub client_id: String,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The top-level message to reply to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// Whether a reply is shown in the channel too.
    #[serde(default)]
    pub broadcast: bool,
    /// Media ids of files to carry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Uuid>,
    /// A sealed message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
}

/// `conv.acked`: the message is durable.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConvAcked {
    /// Where.
    pub channel_id: Uuid,
    /// What the client called it.
    pub client_id: String,
    /// Its id.
    pub message_id: Uuid,
    /// Its place in the log.
    pub seq: u64,
    /// The gateway that gave the place.
    pub conv_home: Uuid,
    /// The gateway that took the message.
    pub origin_gateway: Uuid,
}

/// `conv.ack`: this device has seen up to here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConvAck {
    /// Where.
    pub channel_id: Uuid,
    /// Up to and including here.
    pub seq: u64,
}

/// `typing`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Typing {
    /// Where.
    pub channel_id: Uuid,
    /// `start` or `stop`.
    pub state: String,
}

/// `error`: why a frame was refused. The connection lives on unless a close follows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A code of `problem`.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Seconds to wait, when waiting helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

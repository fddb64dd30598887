//! Outgoing webhooks.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Secret;
use crate::time::Time;

/// A receiver that is told what happens in a community or a channel: one POST for each event, with
/// the event as body and the headers of Standard Webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutgoingWebhook {
    /// Its id.
    pub id: Uuid,
    /// Whose events.
    pub community_id: Uuid,
    /// Of this channel alone; of the community and all its public channels when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<Uuid>,
    /// What it is called.
    pub name: String,
    /// Where events go.
    pub url: String,
    /// Types of events; every one when empty.
    pub events: Vec<String>,
    /// Who made it.
    pub created_by: Uuid,
    /// When.
    pub created_at: Time,
    /// When the receiver accepted something last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Time>,
    /// Since when it is off; nothing is told then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Time>,
    /// Why it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// What requests are signed with, `whsec_` and base64; in the answers that make it, and never
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

/// `POST /v1/communities/{id}/webhooks/outgoing` and `POST /v1/channels/{id}/webhooks/outgoing`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreateOutgoingWebhook {
    /// What to call it, 1 to 64 characters.
    pub name: String,
    /// Where events go: `https://…`, or `http://…`; at most 2,048 bytes, without a password.
    pub url: String,
    /// Types of events, such as `message.created`; every one when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
}

/// `PATCH /v1/webhooks/outgoing/{id}`. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UpdateOutgoingWebhook {
    /// What to call it, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where events go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Types of events; every one when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// Off, or on again: then it goes on with the first event that the receiver has not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// One attempt to tell a receiver something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Delivery {
    /// What the receiver knows the event by (`webhook-id`): the same for every attempt at it.
    pub message_id: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The event's type.
    pub event: String,
    /// When.
    pub at: Time,
    /// The status of the answer, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong; absent when the receiver accepted the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Time>,
}

//! Reports of messages to those who keep order.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::{Author, Message};
use crate::time::Time;

/// A message that somebody reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Report {
    /// Where the message stands.
    pub channel_id: Uuid,
    /// When it was reported.
    pub created_at: Time,
    /// Its id.
    pub id: Uuid,
    /// The message as it stands now: whoever reports a message shows it to those who read reports.
    /// Absent when it does not exist any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<Message>>,
    /// The message.
    pub message_id: Uuid,
    /// Why, in the words of who reported it.
    pub reason: String,
    /// Who reported it.
    pub reporter: Author,
    /// When somebody dealt with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// Who dealt with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<Uuid>,
}

/// `POST /v1/messages/{id}/report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReportMessage {
    /// Why, 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// The query of lists of reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportsQuery {
    /// Those too that somebody has dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// At most so many, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

//! Slash commands.

use serde::{Deserialize, Serialize};

use crate::message::Message;

/// `POST /v1/channels/{id}/commands`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunCommand {
    /// The line as it was typed, such as `/topic Who is on call`.
    pub text: String,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandResult {
    /// Who sees the outcome: `you` or `channel`.
    pub visible: String,
    /// What to show to whoever ran it, as plain text.
    pub text: String,
    /// The message that it posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

/// A command that one may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandSpec {
    /// Its name, without the slash.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// How it is written, such as `/ban @user [time] [reason]`.
    pub usage: String,
    /// Its arguments, in order.
    pub args: Vec<CommandArg>,
    /// The least role that may run it: `member`, `admin` or `owner`.
    pub role: String,
    /// Whether it also works in direct messages.
    pub direct: bool,
}

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandArg {
    /// What it is called.
    pub name: String,
    /// What it is: `user`, `channel`, `command`, `role`, `duration`, `number`, `text` or `texts`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the command needs it.
    pub required: bool,
}

//! Slash commands.

use serde::{Deserialize, Serialize};
use tidings_domain as domain;
use tidings_domain::{ChannelId, CommunityId};
use uuid::Uuid;

use crate::message::{Author, Message};
use crate::time::Time;

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
    /// What to show to whoever ran it, as plain text; of a bot's answer, as Markdown.
    pub text: String,
    /// The message that it posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The bot whose command it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Author>,
}

/// A command that one may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandSpec {
    /// Its name, without the slash: one word, or two such as `token create`.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// How it is written, such as `/ban @user [time] [reason]`.
    pub usage: String,
    /// Its arguments, in order.
    pub args: Vec<CommandArg>,
    /// The least role that may run it: `member`, `admin` or `owner`.
    pub role: String,
    /// Whether it also works in direct messages; of a bot's command, in those with the bot.
    pub direct: bool,
    /// The bot whose command it is; absent for those of the server itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Author>,
}

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandArg {
    /// What it is called.
    pub name: String,
    /// What it is: `user`, `channel`, `command`, `role`, `duration`, `number`, `word`, `text` (the
    /// rest of the line) or `texts` (several in quotes).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the command needs it.
    pub required: bool,
}

/// `PUT /v1/bots/{id}/commands`: all commands of the bot, in place of those before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetCommands {
    /// At most 50.
    pub commands: Vec<NewCommand>,
}

/// A command that a bot offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewCommand {
    /// Its name, without the slash: 1 to 32 of `a-z`, `0-9`, `-` and `_`, a letter first.
    pub name: String,
    /// What it does, in one line of 1 to 200 characters.
    pub summary: String,
    /// Its arguments, in order, at most 10: those that are needed first, and a `text` last; never
    /// `texts`.
    #[serde(default)]
    pub args: Vec<CommandArg>,
}

/// `POST /v1/invocations/{id}/reply`: what a bot answers to a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandReply {
    /// What to say, as Markdown of 1 to 16,000 characters.
    pub text: String,
    /// Who sees it: `you`, whoever ran the command (also when absent), or `channel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible: Option<String>,
    /// For the channel: the top-level message to reply to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    /// For the channel: what the bot calls the message, 1 to 64 characters, so that it is posted
    /// once however often it is sent; `command-<id of the invocation>` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// `data` of `command.invoked`: somebody ran a command of the bot that receives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandInvoked {
    /// The arguments that were given, in order.
    pub args: Vec<BoundArg>,
    /// Where it was run.
    pub channel_id: Uuid,
    /// The name of the command, without the slash.
    pub command: String,
    /// The community of the channel; none in direct messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<Uuid>,
    /// Until when the bot may answer.
    pub expires_at: Time,
    /// Where to answer: `POST /v1/invocations/{id}/reply`.
    pub id: Uuid,
    /// What stands behind the name, as it was typed.
    pub text: String,
    /// Who ran it.
    pub user: Author,
}

/// An argument with what was given for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BoundArg {
    /// What it is called.
    pub name: String,
    /// What was given: names without `@` and `#`, times in seconds.
    pub value: String,
}

/// `data` of `command.replied`: a bot's answer to the command of whoever receives it, which came
/// after they had ceased to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandReplied {
    /// The bot.
    pub bot: Author,
    /// Where the command was run.
    pub channel_id: Uuid,
    /// Which run of the command it answers.
    pub invocation_id: Uuid,
    /// What it says, as Markdown.
    pub text: String,
}

impl From<&domain::fact::Invocation> for CommandInvoked {
    fn from(from: &domain::fact::Invocation) -> Self {
        let args = from.args.iter();
        let args = args.map(|(name, value)| BoundArg { name: name.clone(), value: value.clone() });
        Self {
            args: args.collect(),
            channel_id: from.channel_id.0,
            command: from.command.clone(),
            community_id: from.community_id.map(|id| id.0),
            expires_at: Time(from.expires_at),
            id: from.id,
            text: from.text.clone(),
            user: Author::from(&from.user),
        }
    }
}

impl From<CommandInvoked> for domain::fact::Invocation {
    fn from(from: CommandInvoked) -> Self {
        Self {
            id: from.id,
            channel_id: ChannelId(from.channel_id),
            community_id: from.community_id.map(CommunityId),
            command: from.command,
            text: from.text,
            args: from.args.into_iter().map(|arg| (arg.name, arg.value)).collect(),
            user: from.user.into(),
            expires_at: from.expires_at.0,
        }
    }
}

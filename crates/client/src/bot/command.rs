//! Commands that a bot offers: how they are written, and what running one brings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tidings_domain::ChannelId;
use tidings_wire::Code;
use tidings_wire::command::{CommandArg, CommandInvoked, CommandReply, NewCommand};
use tidings_wire::message::Author;
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;

/// Reads how a command is written: a name behind a slash, then `<needed>` and `[optional]`
/// arguments. Before a name `@` means a person and `#` a channel, behind it `…` the rest of the
/// line, and `:number` or `:duration` what its type says.
pub(super) fn read(usage: &str, summary: &str) -> Result<NewCommand, String> {
    let mut words = usage.split_whitespace();
    let name = words.next().and_then(|word| word.strip_prefix('/'));
    let name = name.ok_or("a command begins with / and its name")?.to_owned();
    let args = words.map(arg).collect::<Result<_, _>>()?;
    Ok(NewCommand { name, summary: summary.to_owned(), args })
}

fn arg(word: &str) -> Result<CommandArg, String> {
    let inner = |open, close| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let (name, required) = match (inner('<', '>'), inner('[', ']')) {
        (Some(name), _) => (name, true),
        (None, Some(name)) => (name, false),
        (None, None) => return Err(format!("{word} is neither <needed> nor [optional]")),
    };
    let (name, kind) = if let Some((name, kind)) = name.split_once(':') {
        (name, kind)
    } else if let Some(name) = name.strip_prefix('@') {
        (name, "user")
    } else if let Some(name) = name.strip_prefix('#') {
        (name, "channel")
    } else if let Some(name) = name.strip_suffix('…').or_else(|| name.strip_suffix("...")) {
        (name, "text")
    } else {
        (name, "word")
    };
    Ok(CommandArg { name: name.to_owned(), kind: kind.to_owned(), required })
}

/// Somebody ran a command of the bot.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub(super) client: Client,
    pub(super) invoked: Arc<CommandInvoked>,
    /// How many messages there were, so that each has a name of its own.
    pub(super) said: Arc<AtomicU32>,
}

impl Invocation {
    /// What was given for an argument; `None` when it was left out.
    pub fn arg(&self, name: &str) -> Option<&str> {
        let found = self.invoked.args.iter().find(|arg| arg.name == name);
        found.map(|arg| arg.value.as_str())
    }

    /// What stands behind the name of the command, as it was typed.
    pub fn text(&self) -> &str {
        &self.invoked.text
    }

    /// Who ran it.
    pub fn user(&self) -> &Author {
        &self.invoked.user
    }

    /// Where it was run.
    pub fn channel_id(&self) -> ChannelId {
        ChannelId(self.invoked.channel_id)
    }

    /// Everything that is known of it.
    pub fn invoked(&self) -> &CommandInvoked {
        &self.invoked
    }

    /// The client behind the bot, for everything but answers.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Answers whoever ran the command, and nobody else. Who still waits for the first answer gets
    /// it in place of the command; what comes later is shown to them where they are connected.
    ///
    /// # Errors
    /// When the server refuses the answer, or cannot be reached.
    pub async fn reply(&self, text: &str) -> Result<(), ClientError> {
        self.answer(CommandReply { text: text.to_owned(), ..CommandReply::default() }).await
    }

    /// Answers in the channel, where everybody sees it. As with replies to messages, the first
    /// answer has the same name whenever it is given, so that a command that is handled again is
    /// answered once.
    ///
    /// # Errors
    /// When the server refuses the message, or cannot be reached.
    pub async fn say(&self, text: &str) -> Result<(), ClientError> {
        let number = self.said.fetch_add(1, Ordering::Relaxed);
        let reply = CommandReply {
            text: text.to_owned(),
            visible: Some("channel".to_owned()),
            client_id: Some(format!("command-{}-{number}", self.invoked.id)),
            parent_id: None,
        };
        match self.answer(reply).await {
            // It was answered before, in other words.
            Err(error) if error.code() == Some(Code::IdempotencyMismatch) => Ok(()),
            other => other,
        }
    }

    async fn answer(&self, reply: CommandReply) -> Result<(), ClientError> {
        match self.client.answer_command(self.id(), &reply).await {
            Ok(_) => Ok(()),
            // Whoever ran it has long gone on; so does the bot.
            Err(error) if error.code() == Some(Code::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn id(&self) -> Uuid {
        self.invoked.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_line_becomes_a_schema() {
        let command =
            read("/deploy <env> [times:number] [@who] [#where] [why…]", "Deploy").unwrap();
        assert_eq!((command.name.as_str(), command.summary.as_str()), ("deploy", "Deploy"));
        let args: Vec<_> = command
            .args
            .iter()
            .map(|arg| (arg.name.as_str(), arg.kind.as_str(), arg.required))
            .collect();
        assert_eq!(
            args,
            [
                ("env", "word", true),
                ("times", "number", false),
                ("who", "user", false),
                ("where", "channel", false),
                ("why", "text", false),
            ]
        );
        assert!(read("/ping", "Pong").unwrap().args.is_empty());
        for bad in ["", "deploy", "/deploy env", "/deploy <env"] {
            assert!(read(bad, "x").is_err(), "{bad}");
        }
    }
}

//! Slash commands: what there is, and how a line becomes one of them.
//!
//! The line decides nothing: names of people and channels are looked up, and rights are checked,
//! by whoever runs the command.

mod custom;
mod line;
mod table;

use std::str::FromStr;

use crate::community::{Role, UnknownWord};

pub use custom::{CommandNameError, CustomArg, bind, command_name};
use line::Line;
pub use table::COMMANDS;

/// What an argument is, for whoever completes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// `@name`.
    User,
    /// `#name`.
    Channel,
    /// The name of a command.
    Command,
    /// `owner`, `admin` or `member`.
    Role,
    /// A length of time with a unit: `90s`, `30m`, `12h`, `7d`, `4w`.
    Duration,
    /// A whole number.
    Number,
    /// One word.
    Word,
    /// The rest of the line.
    Text,
    /// Several texts in quotes.
    Texts,
}

impl ArgKind {
    /// The stable word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Channel => "channel",
            Self::Command => "command",
            Self::Role => "role",
            Self::Duration => "duration",
            Self::Number => "number",
            Self::Word => "word",
            Self::Text => "text",
            Self::Texts => "texts",
        }
    }
}

impl FromStr for ArgKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [
            Self::User,
            Self::Channel,
            Self::Command,
            Self::Role,
            Self::Duration,
            Self::Number,
            Self::Word,
            Self::Text,
            Self::Texts,
        ];
        all.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownWord {
            expected: "user, channel, command, role, duration, number, word, text, texts",
        })
    }
}

/// One argument of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// What it is called in the usage line.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// Whether the command needs it.
    pub required: bool,
}

/// What everybody may know of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Its name, without the slash: one word, or two such as `token create`.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Its arguments, in order.
    pub args: &'static [Arg],
    /// The least role in the community that may run it.
    pub role: Role,
    /// Whether it also works in direct messages.
    pub direct: bool,
}

impl Spec {
    /// How it is written: `/ban @user [time] [reason]`.
    pub fn usage(&self) -> String {
        usage(self.name, self.args.iter().map(|arg| (arg.name, arg.kind, arg.required)))
    }
}

/// How a command is written, from its name and its arguments.
fn usage<'a>(name: &str, args: impl Iterator<Item = (&'a str, ArgKind, bool)>) -> String {
    let args = args.map(|(name, kind, required)| {
        let mark = match kind {
            ArgKind::User => "@",
            ArgKind::Channel => "#",
            _ => "",
        };
        let (open, close) = if required { ("", "") } else { ("[", "]") };
        format!(" {open}{mark}{name}{close}")
    });
    format!("/{name}{}", args.collect::<String>())
}

/// A line that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// What there is, or more about the command of this name.
    Help(Option<String>),
    /// Join the channel of this name.
    Join(String),
    /// Leave the channel.
    Leave,
    /// Another topic; empty for none.
    Topic(String),
    /// Another name.
    Rename(String),
    /// A direct message: to whom, what.
    Msg(String, String),
    /// What one does, in the third person.
    Me(String),
    /// Another nickname; empty for none.
    Nick(String),
    /// Another status; empty for none.
    Status(String),
    /// Add somebody to the channel.
    Invite(String),
    /// Mute somebody.
    Mute(Sentence),
    /// Let somebody speak.
    Unmute(String),
    /// Take somebody out.
    Kick(String),
    /// Shut somebody out.
    Ban(Sentence),
    /// Let somebody come back.
    Unban(String),
    /// Another role for somebody.
    Role(String, Role),
    /// Delete the newest messages: whose, how many.
    Purge(Option<String>, Option<u32>),
    /// Make the channel read-only.
    Archive,
    /// A question, and 2 to 10 answers to choose from.
    Poll(String, Vec<String>),
    /// A shrug after what may be said with it.
    Shrug(String),
    /// A reminder: in how many seconds, of what.
    Remind(u64, String),
    /// What one will be reminded of.
    RemindList,
    /// A reminder to forget, by its place in the list, from 1.
    RemindCancel(usize),
    /// A new token of one's own: its name, its scopes, for how many seconds.
    TokenCreate(String, Vec<String>, Option<u64>),
    /// One's tokens.
    TokenList,
    /// A token to end, by its id.
    TokenRevoke(String),
    /// A new webhook: in which channel (where the command is run when absent), and its name.
    WebhookCreate(Option<String>, String),
    /// The webhooks of a channel; of where the command is run when absent.
    WebhookList(Option<String>),
    /// A webhook to end, by its id.
    WebhookRevoke(String),
}

/// Against whom, for how many seconds, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// The username.
    pub user: String,
    /// How long; until it is lifted when absent.
    pub seconds: Option<u64>,
    /// Why; may be empty.
    pub reason: String,
}

/// Most characters of a name, as they are echoed.
pub const NAME_MAX: usize = 32;

/// Why a line is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It does not begin with a slash and a name.
    #[error("a command begins with / and its name, such as /help")]
    NotACommand,
    /// There is no command of this name.
    #[error("there is no command /{name}{}", suggest(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names that are near to it, the nearest first; at most three.
        nearest: Vec<String>,
    },
    /// The arguments do not fit.
    #[error("{what}. Usage: {usage}")]
    Usage {
        /// What is wrong.
        what: String,
        /// How the command is written.
        usage: String,
    },
}

fn suggest(nearest: &[String]) -> String {
    match nearest {
        [] => ". /help shows what there is".to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("/{name}")).collect();
            format!(". Did you mean {}?", names.join(" or "))
        }
    }
}

/// The commands of this name: the one that is called so, and those of two words that begin with it.
pub fn named(name: &str) -> impl Iterator<Item = &'static Spec> {
    let wanted = clean(name);
    COMMANDS.iter().filter(move |spec| {
        let rest = spec.name.strip_prefix(&wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

fn clean(name: &str) -> String {
    name.trim_start_matches('/').to_lowercase()
}

/// The names that are most like this one, the nearest first; at most three.
pub fn nearest<'a>(name: &str, all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = clean(name);
    // Long names are like nothing; comparing them would only take time.
    if wanted.len() > 2 * NAME_MAX {
        return Vec::new();
    }
    let near = all.filter_map(|name| {
        let alike = strsim::jaro_winkler(name, &wanted);
        (alike > 0.7).then_some((alike, name))
    });
    let mut found: Vec<_> = near.collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// Splits a line into the name of its command and the rest.
///
/// # Errors
/// [`CommandError::NotACommand`] without a slash and a name.
pub fn split(line: &str) -> Result<(String, &str), CommandError> {
    let rest = line.trim().strip_prefix('/').ok_or(CommandError::NotACommand)?;
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(CommandError::NotACommand);
    }
    Ok((clean(name), rest.trim()))
}

/// Reads a line, with what everybody may know of its command.
///
/// # Errors
/// [`CommandError`], with a text for whoever typed the line.
pub fn parse(line: &str) -> Result<(&'static Spec, Command), CommandError> {
    let (name, rest) = split(line)?;
    let second = rest.split_whitespace().next().unwrap_or_default();
    let both = format!("{name} {}", clean(second));
    let exactly = |name: &str| COMMANDS.iter().find(|spec| spec.name == name);
    let (spec, rest) = match (exactly(&both), exactly(&name)) {
        (Some(spec), _) => (spec, rest.strip_prefix(second).unwrap_or_default().trim_start()),
        (None, Some(spec)) => (spec, rest),
        (None, None) => return Err(unknown(&name, second)),
    };
    let mut line = Line::new(spec, rest);
    let command = line.command()?;
    line.end()?;
    Ok((spec, command))
}

/// What to say when there is no such command: which ones are near, or how the name goes on.
fn unknown(name: &str, second: &str) -> CommandError {
    let group: Vec<_> = named(name).map(|spec| spec.name).collect();
    if group.is_empty() {
        let nearest = nearest(name, COMMANDS.iter().map(|spec| spec.name));
        return CommandError::Unknown { name: name.chars().take(NAME_MAX).collect(), nearest };
    }
    let what = match second {
        "" => format!("/{name} is not all of it"),
        second => format!("/{name} has no \"{}\"", line::excerpt(second)),
    };
    let usage: Vec<_> = named(name).map(Spec::usage).collect();
    CommandError::Usage { what, usage: usage.join(" or ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        parse(line).unwrap().1
    }

    #[test]
    fn every_command_of_the_table_is_read_by_its_own_name() {
        for spec in COMMANDS {
            let line = match spec.name {
                "purge" => "/purge 5".to_owned(),
                "poll" => "/poll \"q\" \"a\" \"b\"".to_owned(),
                "role" => "/role @bo admin".to_owned(),
                "remind" => "/remind 5m x".to_owned(),
                "remind cancel" => "/remind cancel 1".to_owned(),
                name => spec
                    .args
                    .iter()
                    .filter(|arg| arg.required)
                    .fold(format!("/{name}"), |line, _| line + " x"),
            };
            let (found, command) = parse(&line).unwrap();
            assert_eq!(found, spec);
            let name = format!("{command:?}").to_lowercase();
            let called = spec.name.replace(' ', "");
            assert!(name.starts_with(&called), "{line} was read as {command:?}");
        }
        assert!(COMMANDS.is_sorted_by(|one, other| one.name < other.name));
    }

    #[test]
    fn arguments_are_taken_as_they_stand() {
        let sentence = |user: &str, seconds, reason: &str| Sentence {
            user: user.to_owned(),
            seconds,
            reason: reason.to_owned(),
        };
        assert_eq!(
            command("/Ban @Bo 7d too loud"),
            Command::Ban(sentence("bo", Some(604_800), "too loud"))
        );
        assert_eq!(command("/mute bo"), Command::Mute(sentence("bo", None, "")));
        assert_eq!(command("/mute bo 7 days"), Command::Mute(sentence("bo", None, "7 days")));
        assert_eq!(command(" /me  waves  at *all* "), Command::Me("waves  at *all*".to_owned()));
        assert_eq!(
            command("/msg @bo hi\nthere"),
            Command::Msg("bo".to_owned(), "hi\nthere".to_owned())
        );
        assert_eq!(command("/topic"), Command::Topic(String::new()));
        assert_eq!(command("/purge @bo 20"), Command::Purge(Some("bo".to_owned()), Some(20)));
        assert_eq!(command("/join #ops"), Command::Join("ops".to_owned()));
        assert_eq!(
            command("/poll “Lunch?” \"Pizza\" \"Soup\""),
            Command::Poll("Lunch?".to_owned(), vec!["Pizza".to_owned(), "Soup".to_owned()])
        );
    }

    #[test]
    fn names_of_two_words_go_before_those_of_one() {
        assert_eq!(command("/remind list"), Command::RemindList);
        assert_eq!(command("/remind cancel 2"), Command::RemindCancel(2));
        let tea = |seconds| Command::Remind(seconds, "drink tea".to_owned());
        assert_eq!(command("/remind 90s drink tea"), tea(90));
        assert_eq!(command("/remind me in 10 minutes to drink tea"), tea(600));
        assert_eq!(command("/remind me in 1 hour drink tea"), tea(3_600));
        assert_eq!(command("/Webhook List"), Command::WebhookList(None));
        assert_eq!(
            command("/webhook create #ops my ci"),
            Command::WebhookCreate(Some("ops".to_owned()), "my ci".to_owned())
        );
        assert_eq!(
            command("/token create ci messages:read Channels:read 90d"),
            Command::TokenCreate(
                "ci".to_owned(),
                vec!["messages:read".to_owned(), "channels:read".to_owned()],
                Some(7_776_000)
            )
        );
        let text = |line: &str| parse(line).unwrap_err().to_string();
        assert!(text("/webhook").starts_with("/webhook is not all of it. Usage: /webhook create"));
        assert!(text("/token make x").contains("has no \"make\""));
        assert_eq!(named("/webhook").count(), 3);
        assert_eq!(named("remind").count(), 3);
        assert_eq!(named("re").count(), 0);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_usage() {
        let text = |line: &str| parse(line).unwrap_err().to_string();
        assert_eq!(text("/ban"), "the user is missing. Usage: /ban @user [time] [reason]");
        assert_eq!(text("/leave now"), "\"now\" is too much. Usage: /leave");
        for bad in [
            "/me",
            "/msg @bo",
            "/purge",
            "/purge @bo many",
            "/role @bo king",
            "/poll \"q\" \"a\"",
            "/poll \"q",
            "/poll q a b",
            "/poll \"q\" \"\" \"b\"",
            "/remind tea",
            "/remind 5m",
            "/remind 10 apples tea",
            "/remind cancel x",
            "/remind cancel 0",
            "/token create ci",
            "/token create",
            "/webhook create",
            "/webhook list ops",
        ] {
            assert!(matches!(parse(bad), Err(CommandError::Usage { .. })), "{bad}");
        }
        for bad in ["", "hello", "/", "/ me"] {
            assert_eq!(parse(bad), Err(CommandError::NotACommand), "{bad:?}");
        }
    }

    #[test]
    fn unknown_names_lead_to_the_nearest() {
        let Err(CommandError::Unknown { nearest, .. }) = parse("/tpoic x") else { unreachable!() };
        assert_eq!(nearest.first().map(String::as_str), Some("topic"));
        assert_eq!(
            parse("/bann @x")
                .unwrap_err()
                .to_string()
                .split("Did you mean ")
                .nth(1)
                .map(|it| it.starts_with("/ban")),
            Some(true)
        );
        let text = parse("/xyzzyq").unwrap_err().to_string();
        assert!(text.ends_with("/help shows what there is"), "{text}");
        assert!(parse(&format!("/{}", "a".repeat(100_000))).is_err());
    }
}

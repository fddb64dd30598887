//! Slash commands: what there is, and how a line becomes one of them.
//!
//! The line decides nothing: names of people and channels are looked up, and rights are checked,
//! by whoever runs the command.

use crate::community::Role;

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
            Self::Text => "text",
            Self::Texts => "texts",
        }
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
    /// Its name, without the slash.
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
        let args = self.args.iter().map(|arg| {
            let mark = match arg.kind {
                ArgKind::User => "@",
                ArgKind::Channel => "#",
                _ => "",
            };
            let (open, close) = if arg.required { ("", "") } else { ("[", "]") };
            format!(" {open}{mark}{}{close}", arg.name)
        });
        format!("/{}{}", self.name, args.collect::<String>())
    }
}

const fn arg(name: &'static str, kind: ArgKind) -> Arg {
    Arg { name, kind, required: true }
}

const fn maybe(name: &'static str, kind: ArgKind) -> Arg {
    Arg { name, kind, required: false }
}

const fn spec(name: &'static str, role: Role, args: &'static [Arg], summary: &'static str) -> Spec {
    Spec { name, summary, args, role, direct: false }
}

const fn anywhere(name: &'static str, args: &'static [Arg], summary: &'static str) -> Spec {
    Spec { direct: true, ..spec(name, Role::Member, args, summary) }
}

/// Every command, by name.
pub const COMMANDS: &[Spec] = &[
    spec("archive", Role::Admin, &[], "Make this channel read-only"),
    spec(
        "ban",
        Role::Admin,
        &[
            arg("user", ArgKind::User),
            maybe("time", ArgKind::Duration),
            maybe("reason", ArgKind::Text),
        ],
        "Shut somebody out of the community",
    ),
    anywhere("help", &[maybe("command", ArgKind::Command)], "Show what you can do here"),
    spec("invite", Role::Member, &[arg("user", ArgKind::User)], "Add somebody to this channel"),
    spec("join", Role::Member, &[arg("channel", ArgKind::Channel)], "Join a channel"),
    spec("kick", Role::Admin, &[arg("user", ArgKind::User)], "Take somebody out of the community"),
    spec("leave", Role::Member, &[], "Leave this channel"),
    anywhere("me", &[arg("text", ArgKind::Text)], "Say what you do"),
    anywhere(
        "msg",
        &[arg("user", ArgKind::User), arg("text", ArgKind::Text)],
        "Send somebody a direct message",
    ),
    spec(
        "mute",
        Role::Admin,
        &[
            arg("user", ArgKind::User),
            maybe("time", ArgKind::Duration),
            maybe("reason", ArgKind::Text),
        ],
        "Keep somebody from writing in the community",
    ),
    spec(
        "nick",
        Role::Member,
        &[maybe("name", ArgKind::Text)],
        "Change what you are called here; without a name, back to normal",
    ),
    anywhere(
        "poll",
        &[arg("question", ArgKind::Text), arg("options", ArgKind::Texts)],
        "Ask a question with answers to choose from, each in quotes",
    ),
    spec(
        "purge",
        Role::Admin,
        &[maybe("user", ArgKind::User), maybe("number", ArgKind::Number)],
        "Delete the newest messages here, of everybody or of one person",
    ),
    spec("rename", Role::Admin, &[arg("name", ArgKind::Text)], "Give this channel another name"),
    spec(
        "role",
        Role::Owner,
        &[arg("user", ArgKind::User), arg("role", ArgKind::Role)],
        "Make somebody owner, admin or member",
    ),
    anywhere("shrug", &[maybe("text", ArgKind::Text)], "Say that nothing can be done about it"),
    anywhere(
        "status",
        &[maybe("text", ArgKind::Text)],
        "Set your status; without a text, clear it",
    ),
    spec(
        "topic",
        Role::Admin,
        &[maybe("text", ArgKind::Text)],
        "Say what this channel is about; without a text, nothing",
    ),
    spec("unban", Role::Admin, &[arg("user", ArgKind::User)], "Let somebody come back"),
    spec("unmute", Role::Admin, &[arg("user", ArgKind::User)], "Let somebody write again"),
];

/// A line that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// What there is, or more about one command.
    Help(Option<&'static Spec>),
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
        nearest: Vec<&'static str>,
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

fn suggest(nearest: &[&'static str]) -> String {
    match nearest {
        [] => ". /help shows what there is".to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("/{name}")).collect();
            format!(". Did you mean {}?", names.join(" or "))
        }
    }
}

/// The command of this name.
pub fn find(name: &str) -> Result<&'static Spec, CommandError> {
    let wanted = name.trim_start_matches('/').to_lowercase();
    COMMANDS.iter().find(|spec| spec.name == wanted).ok_or_else(|| {
        // Long names are like nothing; comparing them would only take time.
        let near = |spec: &&Spec| {
            let alike = strsim::jaro_winkler(spec.name, &wanted);
            (wanted.len() <= 32 && alike > 0.7).then_some((alike, spec.name))
        };
        let mut found: Vec<_> = COMMANDS.iter().filter_map(|spec| near(&spec)).collect();
        found.sort_by(|one, other| other.0.total_cmp(&one.0));
        let nearest = found.into_iter().take(3).map(|(_, name)| name).collect();
        CommandError::Unknown { name: wanted.chars().take(32).collect(), nearest }
    })
}

/// Reads a line, with what everybody may know of its command.
///
/// # Errors
/// [`CommandError`], with a text for whoever typed the line.
pub fn parse(line: &str) -> Result<(&'static Spec, Command), CommandError> {
    let line = line.trim();
    let rest = line.strip_prefix('/').ok_or(CommandError::NotACommand)?;
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(CommandError::NotACommand);
    }
    let spec = find(name)?;
    let mut args = Args { spec, rest: rest.trim() };
    let command = match spec.name {
        "archive" => Command::Archive,
        "ban" => Command::Ban(args.sentence()?),
        "help" => Command::Help(args.word().map(find).transpose()?),
        "invite" => Command::Invite(args.user()?),
        "join" => Command::Join(args.needed("channel")?.trim_start_matches('#').to_owned()),
        "kick" => Command::Kick(args.user()?),
        "leave" => Command::Leave,
        "me" => Command::Me(args.text("text")?),
        "msg" => Command::Msg(args.user()?, args.text("text")?),
        "mute" => Command::Mute(args.sentence()?),
        "nick" => Command::Nick(args.take()),
        "poll" => args.poll()?,
        "purge" => args.purge()?,
        "rename" => Command::Rename(args.needed("name")?.trim_start_matches('#').to_owned()),
        "role" => {
            let user = args.user()?;
            let role = args.needed("role")?;
            let role = role.parse().map_err(|_| args.wrong("a role is owner, admin or member"))?;
            Command::Role(user, role)
        }
        "shrug" => Command::Shrug(args.take()),
        "status" => Command::Status(args.take()),
        "topic" => Command::Topic(args.take()),
        "unban" => Command::Unban(args.user()?),
        // The table and this list name the same commands; a test holds them to it.
        _ => Command::Unmute(args.user()?),
    };
    if !args.rest.is_empty() {
        return Err(args.wrong(&format!("\"{}\" is too much", excerpt(args.rest))));
    }
    Ok((spec, command))
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What is left of a line.
struct Args<'a> {
    spec: &'static Spec,
    rest: &'a str,
}

impl<'a> Args<'a> {
    fn wrong(&self, what: &str) -> CommandError {
        CommandError::Usage { what: what.to_owned(), usage: self.spec.usage() }
    }

    fn peek(&self) -> Option<&'a str> {
        self.rest.split_whitespace().next()
    }

    fn word(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.rest = self.rest.strip_prefix(word).unwrap_or_default().trim_start();
        Some(word)
    }

    fn needed(&mut self, name: &str) -> Result<&'a str, CommandError> {
        self.word().ok_or_else(|| self.wrong(&format!("the {name} is missing")))
    }

    fn user(&mut self) -> Result<String, CommandError> {
        let user = self.needed("user")?;
        Ok(user.trim_start_matches('@').to_lowercase())
    }

    fn take(&mut self) -> String {
        std::mem::take(&mut self.rest).to_owned()
    }

    fn text(&mut self, name: &str) -> Result<String, CommandError> {
        if self.rest.is_empty() {
            return Err(self.wrong(&format!("the {name} is missing")));
        }
        Ok(self.take())
    }

    fn sentence(&mut self) -> Result<Sentence, CommandError> {
        let user = self.user()?;
        let seconds = self.peek().and_then(duration);
        if seconds.is_some() {
            self.word();
        }
        Ok(Sentence { user, seconds, reason: self.take() })
    }

    fn purge(&mut self) -> Result<Command, CommandError> {
        let mut user = None;
        if self.peek().is_some_and(|word| word.starts_with('@')) {
            user = Some(self.user()?);
        }
        let number = match self.word() {
            None => None,
            Some(word) => Some(word.parse().map_err(|_| self.wrong("the number is none"))?),
        };
        if user.is_none() && number.is_none() {
            return Err(self.wrong("say whose messages, or how many"));
        }
        Ok(Command::Purge(user, number))
    }

    fn poll(&mut self) -> Result<Command, CommandError> {
        let mut texts = Vec::new();
        while let Some(rest) = self.rest.strip_prefix(['"', '“', '”', '„']) {
            let Some((text, rest)) = rest.split_once(['"', '“', '”']) else {
                return Err(self.wrong("a quote is not closed"));
            };
            if text.trim().is_empty() {
                return Err(self.wrong("a text is empty"));
            }
            texts.push(text.trim().to_owned());
            self.rest = rest.trim_start();
        }
        if !(3..=11).contains(&texts.len()) {
            return Err(self.wrong("a poll has a question and 2 to 10 answers, each in quotes"));
        }
        let options = texts.split_off(1);
        Ok(Command::Poll(texts.pop().unwrap_or_default(), options))
    }
}

/// A length of time with a unit, in seconds.
fn duration(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    number.checked_mul(factor).filter(|seconds| *seconds > 0)
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
                name => spec
                    .args
                    .iter()
                    .filter(|arg| arg.required)
                    .fold(format!("/{name}"), |line, _| line + " x"),
            };
            let (found, command) = parse(&line).unwrap();
            assert_eq!(found, spec);
            let name = format!("{command:?}").to_lowercase();
            assert!(name.starts_with(spec.name), "{line} was read as {command:?}");
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
        assert_eq!(nearest.first(), Some(&"topic"));
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

//! What stands behind the name of a command.

use super::{Command, CommandError, Sentence, Spec};

/// The longest time that is one, in seconds: a hundred years, so that its end is always a date.
const LONGEST_S: u64 = 100 * 366 * 86_400;

/// The beginning of a text, to say it back.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What is left of a line.
pub(super) struct Line<'a> {
    spec: &'static Spec,
    rest: &'a str,
}

impl<'a> Line<'a> {
    pub(super) const fn new(spec: &'static Spec, rest: &'a str) -> Self {
        Self { spec, rest }
    }

    /// Reads the arguments of the command.
    pub(super) fn command(&mut self) -> Result<Command, CommandError> {
        Ok(match self.spec.name {
            "archive" => Command::Archive,
            "ban" => Command::Ban(self.sentence()?),
            "help" => Command::Help((!self.rest.is_empty()).then(|| self.take())),
            "invite" => Command::Invite(self.user()?),
            "join" => Command::Join(self.needed("channel")?.trim_start_matches('#').to_owned()),
            "kick" => Command::Kick(self.user()?),
            "leave" => Command::Leave,
            "me" => Command::Me(self.text("text")?),
            "msg" => Command::Msg(self.user()?, self.text("text")?),
            "mute" => Command::Mute(self.sentence()?),
            "nick" => Command::Nick(self.take()),
            "poll" => self.poll()?,
            "purge" => self.purge()?,
            "remind" => self.remind()?,
            "remind cancel" => Command::RemindCancel(self.number()?),
            "remind list" => Command::RemindList,
            "rename" => Command::Rename(self.needed("name")?.trim_start_matches('#').to_owned()),
            "role" => {
                let user = self.user()?;
                let role = self.needed("role")?.to_lowercase();
                let role =
                    role.parse().map_err(|_| self.wrong("a role is owner, admin or member"))?;
                Command::Role(user, role)
            }
            "shrug" => Command::Shrug(self.take()),
            "status" => Command::Status(self.take()),
            "token create" => self.token()?,
            "token list" => Command::TokenList,
            "token revoke" => Command::TokenRevoke(self.needed("id")?.to_owned()),
            "topic" => Command::Topic(self.take()),
            "unban" => Command::Unban(self.user()?),
            "webhook create" => Command::WebhookCreate(self.channel(), self.text("name")?),
            "webhook list" => Command::WebhookList(self.channel()),
            "webhook revoke" => Command::WebhookRevoke(self.needed("id")?.to_owned()),
            // The table and this list name the same commands; a test holds them to it.
            _ => Command::Unmute(self.user()?),
        })
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), CommandError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.wrong(&format!("\"{}\" is too much", excerpt(self.rest))))
    }

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

    /// A channel, when the next word is one.
    fn channel(&mut self) -> Option<String> {
        let name = self.peek()?.strip_prefix('#')?.to_owned();
        self.word();
        Some(name)
    }

    fn number(&mut self) -> Result<usize, CommandError> {
        let number = self.needed("number")?.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| self.wrong("the number is none"))
    }

    /// `10m text`, as well as `me in 10 minutes to text`.
    fn remind(&mut self) -> Result<Command, CommandError> {
        for filler in ["me", "in"] {
            if self.peek().is_some_and(|word| word.eq_ignore_ascii_case(filler)) {
                self.word();
            }
        }
        let word = self.needed("time")?;
        let spoken = || {
            let unit = self.peek()?;
            let known = ["second", "minute", "min", "hour", "day", "week"];
            let singular = unit.strip_suffix('s').unwrap_or(unit);
            known.contains(&singular).then_some(())?;
            duration(&format!("{word}{}", singular.chars().next()?))
        };
        let seconds = match (duration(word), spoken()) {
            (Some(seconds), _) => seconds,
            (None, Some(seconds)) => {
                self.word();
                seconds
            }
            (None, None) => return Err(self.wrong("a time has a unit, such as 30m or 2h or 7d")),
        };
        if self.peek() == Some("to") {
            self.word();
        }
        Ok(Command::Remind(seconds, self.text("text")?))
    }

    /// A name, scopes, and perhaps how long.
    fn token(&mut self) -> Result<Command, CommandError> {
        let name = self.needed("name")?.to_owned();
        let (mut scopes, mut seconds) = (Vec::new(), None);
        while let Some(word) = self.word() {
            match duration(word) {
                Some(time) if self.rest.is_empty() => seconds = Some(time),
                _ => scopes.push(word.to_lowercase()),
            }
        }
        if scopes.is_empty() {
            return Err(self.wrong("name at least one scope, such as messages:read"));
        }
        Ok(Command::TokenCreate(name, scopes, seconds))
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
pub(super) fn duration(text: &str) -> Option<u64> {
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
    number.checked_mul(factor).filter(|seconds| (1..=LONGEST_S).contains(seconds))
}

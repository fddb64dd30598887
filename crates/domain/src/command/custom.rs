//! Commands that bots bring along: what they may be called, and how their arguments are read.

use super::line::{duration, excerpt};
use super::{ArgKind, COMMANDS, CommandError, NAME_MAX, usage};
use crate::community::Role;

/// Why a bot's command or argument may not be called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandNameError {
    /// Not the characters of a name.
    #[error("must be 1 to 32 of a-z, 0-9, - and _, the first one a letter")]
    Invalid,
    /// The server has a command of this name.
    #[error("is the name of a command that is always there")]
    BuiltIn,
}

/// Checks the name of a bot's command.
///
/// # Errors
/// [`CommandNameError`]; nothing is corrected.
pub fn command_name(name: &str) -> Result<(), CommandNameError> {
    arg_name(name)?;
    let first = |spec: &super::Spec| spec.name.split(' ').next() == Some(name);
    if COMMANDS.iter().any(first) { Err(CommandNameError::BuiltIn) } else { Ok(()) }
}

/// Checks the name of an argument.
fn arg_name(name: &str) -> Result<(), CommandNameError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let good = name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(letters);
    if good { Ok(()) } else { Err(CommandNameError::Invalid) }
}

/// An argument of a bot's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomArg {
    /// What it is called.
    pub name: String,
    /// What it is; never [`ArgKind::Texts`].
    pub kind: ArgKind,
    /// Whether the command needs it.
    pub required: bool,
}

impl CustomArg {
    /// Checks the arguments of a command: names are names and differ, nothing that is needed stands
    /// behind something that is not, and a text, which takes the rest of the line, is the last.
    ///
    /// # Errors
    /// What is wrong, for whoever registers the command.
    pub fn check(args: &[Self]) -> Result<(), String> {
        for (at, arg) in args.iter().enumerate() {
            let (before, name) = (args.get(..at).unwrap_or_default(), &arg.name);
            arg_name(name).map_err(|error| format!("{name:?} {error}"))?;
            if before.iter().any(|other| other.name == *name) {
                return Err(format!("{name} is there twice"));
            }
            if arg.required && before.iter().any(|other| !other.required) {
                return Err(format!("{name} is required, but what stands before it is not"));
            }
            if arg.kind == ArgKind::Texts {
                return Err(format!("{name} cannot be texts; use text"));
            }
            if arg.kind == ArgKind::Text && at + 1 < args.len() {
                return Err(format!("{name} takes the rest of the line, so it must be the last"));
            }
        }
        Ok(())
    }

    /// How a command with these arguments is written: `/deploy env [version]`.
    pub fn usage(name: &str, args: &[Self]) -> String {
        usage(name, args.iter().map(|arg| (arg.name.as_str(), arg.kind, arg.required)))
    }
}

/// Gives each argument of a bot's command its part of the line. A word in double quotes may have
/// spaces. Users and channels lose their mark.
///
/// # Errors
/// [`CommandError::Usage`] when something is missing, too much, or not what it should be.
pub fn bind(
    name: &str,
    args: &[CustomArg],
    line: &str,
) -> Result<Vec<(String, String)>, CommandError> {
    let wrong = |what: String| CommandError::Usage { what, usage: CustomArg::usage(name, args) };
    let mut rest = line.trim();
    let mut bound = Vec::new();
    for arg in args {
        if rest.is_empty() {
            if arg.required {
                return Err(wrong(format!("the {} is missing", arg.name)));
            }
            break;
        }
        let value = match arg.kind {
            ArgKind::Text => std::mem::take(&mut rest),
            _ => word(&mut rest),
        };
        let value = read(arg.kind, value)
            .ok_or_else(|| wrong(format!("{} is no {}", excerpt(value), arg.kind.as_str())))?;
        bound.push((arg.name.clone(), value));
    }
    if !rest.is_empty() {
        return Err(wrong(format!("\"{}\" is too much", excerpt(rest))));
    }
    Ok(bound)
}

/// Takes one word, or what stands between two quotes.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let (word, left) =
        quoted.or_else(|| rest.split_once(char::is_whitespace)).unwrap_or((*rest, ""));
    *rest = left.trim_start();
    word
}

/// The value as the bot gets it; `None` when it is not what it should be.
fn read(kind: ArgKind, value: &str) -> Option<String> {
    let named = |mark| value.strip_prefix(mark).unwrap_or(value).to_lowercase();
    let found = match kind {
        ArgKind::User => named('@'),
        ArgKind::Channel => named('#'),
        ArgKind::Command => named('/'),
        ArgKind::Role => value.to_lowercase().parse::<Role>().ok()?.as_str().to_owned(),
        ArgKind::Number => value.parse::<i64>().ok()?.to_string(),
        ArgKind::Duration => duration(value)?.to_string(),
        ArgKind::Word | ArgKind::Text | ArgKind::Texts => value.to_owned(),
    };
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(name: &str, kind: ArgKind, required: bool) -> CustomArg {
        CustomArg { name: name.to_owned(), kind, required }
    }

    #[test]
    fn names_are_names_and_never_those_of_the_server() {
        for good in ["deploy", "roll-20", "a", "x_y"] {
            assert_eq!(command_name(good), Ok(()), "{good}");
        }
        for bad in ["", "Deploy", "1st", "a b", "ä", "-x", &"a".repeat(33)] {
            assert_eq!(command_name(bad), Err(CommandNameError::Invalid), "{bad}");
        }
        for bad in ["ban", "help", "token", "webhook"] {
            assert_eq!(command_name(bad), Err(CommandNameError::BuiltIn), "{bad}");
        }
    }

    #[test]
    fn arguments_make_sense_or_are_refused() {
        let (word, text) = (ArgKind::Word, ArgKind::Text);
        assert!(CustomArg::check(&[arg("env", word, true), arg("why", text, false)]).is_ok());
        for bad in [
            vec![arg("env", text, true), arg("why", text, true)],
            vec![arg("env", word, false), arg("why", word, true)],
            vec![arg("env", word, true), arg("env", word, true)],
            vec![arg("", word, true)],
            vec![arg("all", ArgKind::Texts, true)],
        ] {
            assert!(CustomArg::check(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn each_argument_gets_its_part_of_the_line() {
        let args = [
            arg("env", ArgKind::Word, true),
            arg("who", ArgKind::User, true),
            arg("times", ArgKind::Number, false),
            arg("why", ArgKind::Text, false),
        ];
        let values = |line: &str| {
            let bound = bind("deploy", &args, line)?;
            Ok::<_, CommandError>(bound.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        assert_eq!(values("prod @Bo").unwrap(), ["prod", "bo"]);
        assert_eq!(
            values("\"blue green\" bo 3 because  of \"it\"").unwrap(),
            ["blue green", "bo", "3", "because  of \"it\""]
        );
        assert_eq!(
            values("prod").unwrap_err().to_string(),
            "the who is missing. Usage: /deploy env @who [times] [why]"
        );
        for bad in ["prod @bo many", "\"\" @bo", ""] {
            assert!(values(bad).is_err(), "{bad}");
        }
        let none: [CustomArg; 0] = [];
        assert!(bind("x", &none, "more").is_err());
        assert_eq!(
            bind("x", &[arg("t", ArgKind::Duration, true)], "2h").unwrap(),
            [("t".to_owned(), "7200".to_owned())]
        );
    }
}

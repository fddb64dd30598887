//! Rules for names: what a person may call themselves, a channel or a community.

/// Why a name is refused; `Display` says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing was left after trimming.
    #[error("must not be empty")]
    Empty,
    /// More than `max` characters.
    #[error("must be at most {max} characters, not {actual}")]
    TooLong {
        /// The most that is allowed, in Unicode scalar values.
        max: usize,
        /// What was given.
        actual: usize,
    },
    /// A character that this kind of name may not have.
    #[error("may only have {allowed}")]
    Character {
        /// The characters that would have been fine, in words.
        allowed: &'static str,
    },
}

/// Longest username, in characters; the limit of the HTTP API.
pub const USERNAME_MAX: usize = 32;
/// Longest display name, in characters; the limit of the HTTP API.
pub const DISPLAY_NAME_MAX: usize = 64;
/// Longest channel or community name, in characters; the limit of the HTTP API.
pub const CHANNEL_NAME_MAX: usize = 80;

/// Accepts `[a-z0-9]([a-z0-9._-]*[a-z0-9])?` of 1 to 32 characters.
pub fn username(text: &str) -> Result<&str, NameError> {
    ascii_name(text, USERNAME_MAX, "lower-case letters, digits, and ._- between them", b"._-")
}

/// Accepts `[a-z0-9]([a-z0-9-]*[a-z0-9])?` of 1 to 80 characters: a community's name in addresses.
pub fn slug(text: &str) -> Result<&str, NameError> {
    ascii_name(text, CHANNEL_NAME_MAX, "lower-case letters, digits, and - between them", b"-")
}

fn ascii_name<'a>(
    text: &'a str,
    max: usize,
    allowed: &'static str,
    inner: &[u8],
) -> Result<&'a str, NameError> {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err(NameError::Empty);
    };
    length(text, max)?;
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let every = bytes.iter().all(|byte| plain(byte) || inner.contains(byte));
    if every && plain(first) && plain(last) {
        Ok(text)
    } else {
        Err(NameError::Character { allowed })
    }
}

/// Accepts a channel name of 1 to 80 characters: letters and digits of any script, `-`, `_` and
/// `.`; no upper case, no space, so that `#name` can be written in a message.
pub fn channel(text: &str) -> Result<&str, NameError> {
    visible(text, CHANNEL_NAME_MAX)?;
    let fine = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || "-_.".contains(c);
    if text.chars().all(fine) {
        Ok(text)
    } else {
        Err(NameError::Character { allowed: "lower-case letters, digits, and -_." })
    }
}

/// Accepts a name for people, trimmed, of 1 to `max` characters without control characters and
/// without characters that turn the direction of text.
pub fn display(text: &str, max: usize) -> Result<&str, NameError> {
    visible(text.trim(), max)
}

fn visible(text: &str, max: usize) -> Result<&str, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    length(text, max)?;
    // Bidirectional overrides could make one name look like another (Unicode TR 36, section 2.5).
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if text.chars().any(hidden) {
        return Err(NameError::Character { allowed: "characters that can be seen" });
    }
    Ok(text)
}

fn length(text: &str, max: usize) -> Result<(), NameError> {
    let actual = text.chars().count();
    if actual > max { Err(NameError::TooLong { max, actual }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_follow_the_grammar() {
        for good in ["a", "ana", "ana.b-c_d9", &"x".repeat(32)] {
            assert!(username(good).is_ok(), "{good}");
        }
        for bad in ["", ".a", "a.", "Ana", "a b", "é", &"x".repeat(33), "a@b", "-"] {
            assert!(username(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn channel_names_take_any_script_but_no_upper_case_or_space() {
        for good in ["general", "off-topic", "日本語", "c++".trim_end_matches('+'), "v1.2_x"] {
            assert!(channel(good).is_ok(), "{good}");
        }
        for bad in ["", "General", "two words", "#x", "a\u{202e}b", &"x".repeat(81)] {
            assert!(channel(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn display_names_are_trimmed_and_cannot_hide_characters() {
        assert_eq!(display("  Ana B. ", 64), Ok("Ana B."));
        assert!(display("\u{202e}evil", 64).is_err());
        assert!(display("a\u{0}b", 64).is_err());
        assert!(display("   ", 64).is_err());
    }
}

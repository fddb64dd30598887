//! References in bodies: whom or what a message names, and how that is written.
//!
//! People write `@name`, `#channel`, `@here` and `@channel`; bodies are stored with
//! `@<user:UUID>`, `#<channel:UUID>`, `@<here>` and `@<channel>`, which stay true when names change.
//! What is code, and thus never a reference, is known by whoever knows Markdown: the functions here
//! look only at the text that they are given.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::id::{ChannelId, UserId};
use crate::message::Mention;
use crate::name;

impl fmt::Display for Mention {
    /// The form that bodies are stored in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "@<user:{id}>"),
            Self::Channel(id) => write!(f, "#<channel:{id}>"),
            Self::Here => f.write_str("@<here>"),
            Self::Everyone => f.write_str("@<channel>"),
        }
    }
}

/// What stands at one place of a body that may be a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<'a> {
    /// The stored form; whether its id is known is the reader's question.
    Stored(Mention),
    /// `@here`.
    Here,
    /// `@channel`.
    Everyone,
    /// `@name`: a well-formed username in lower case, without the `@`.
    User(Cow<'a, str>),
    /// `#name`: a well-formed channel name in lower case, without the `#`.
    Channel(Cow<'a, str>),
}

/// Bytes of a hyphenated UUID.
const UUID_LEN: usize = 36;

/// Reads the stored form at the very start of `text`, and says how many bytes it takes.
///
/// Ids are accepted only as we print them (lower case, hyphenated), so that parsing and printing
/// are each other's inverse.
pub fn parse(text: &str) -> Option<(Mention, usize)> {
    for (word, mention) in [("@<here>", Mention::Here), ("@<channel>", Mention::Everyone)] {
        if text.starts_with(word) {
            return Some((mention, word.len()));
        }
    }
    let (prefix, user) =
        if text.starts_with("@<user:") { ("@<user:", true) } else { ("#<channel:", false) };
    let rest = text.strip_prefix(prefix)?;
    let (id, after) = rest.split_at_checked(UUID_LEN)?;
    if !after.starts_with('>') || id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mention = if user {
        Mention::User(id.parse::<UserId>().ok()?)
    } else {
        Mention::Channel(id.parse::<ChannelId>().ok()?)
    };
    Some((mention, prefix.len() + UUID_LEN + 1))
}

/// Reads what stands at byte `at` of `text`, where there is an `@` or `#`, and says where it ends.
///
/// A name begins after a space, punctuation or the start of the text, never inside a word, an
/// e-mail address or a path (`ana@example.com`, `x/@ana`, `a#b`); it is as long as the grammar of
/// names allows, without trailing `.`, `_` and `-`; and no `@` or `#` touches its end, as in an
/// address (`@ana@example.com`). Letter case is ignored.
pub fn at(text: &str, at: usize) -> Option<(Written<'_>, usize)> {
    let (before, rest) = text.split_at_checked(at)?;
    if let Some((mention, length)) = parse(rest) {
        return Some((Written::Stored(mention), at + length));
    }
    if before.chars().next_back().is_some_and(|c| joins(c) || "@#/&+%".contains(c)) {
        return None;
    }
    let (name, written) = if let Some(rest) = rest.strip_prefix('@') {
        let name = user_prefix(rest)?;
        let lower = lower(name);
        let written = match &*lower {
            "here" => Written::Here,
            "channel" => Written::Everyone,
            _ => Written::User(lower),
        };
        (name, written)
    } else {
        let name = channel_prefix(rest.strip_prefix('#')?)?;
        (name, Written::Channel(lower(name)))
    };
    let end = at + 1 + name.len();
    match text.get(end..)?.chars().next() {
        // Punctuation that was cut off the name ends it, though it could have joined words.
        Some('_') | None => {}
        Some('@' | '#') => return None,
        Some(c) if joins(c) => return None,
        Some(_) => {}
    }
    Some((written, end))
}

/// Finds what may be a reference in `text`, which has no code in it, from left to right.
pub fn scan(text: &str) -> impl Iterator<Item = (Range<usize>, Written<'_>)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find(['@', '#'])?;
            if let Some((written, end)) = at(text, start) {
                from = end;
                return Some((start..end, written));
            }
            from = start + 1;
        }
    })
}

/// Whether a name may not touch this character: letters and digits of scripts with word spaces.
/// Letters without case (Han, Kana, Thai, …) are written without spaces and do not join.
fn joins(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c.is_lowercase() || c.is_uppercase()
}

fn user_prefix(text: &str) -> Option<&str> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = text.split(|c| !inner(c)).next()?.trim_end_matches(['.', '_', '-']);
    let first = name.chars().next()?;
    (first.is_ascii_alphanumeric() && name.len() <= name::USERNAME_MAX).then_some(name)
}

fn channel_prefix(text: &str) -> Option<&str> {
    let inner = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let name = text.split(|c| !inner(c)).next()?.trim_end_matches(['.', '_', '-']);
    (!name.is_empty() && name.chars().count() <= name::CHANNEL_NAME_MAX).then_some(name)
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_uppercase) {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01";

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = scan(text)
            .map(|(range, written)| match written {
                Written::Stored(mention) => mention.to_string(),
                Written::Here => "here!".to_owned(),
                Written::Everyone => "channel!".to_owned(),
                Written::User(name) => {
                    assert_eq!(text[range].to_lowercase(), format!("@{name}"));
                    format!("@{name}")
                }
                Written::Channel(name) => {
                    assert_eq!(text[range].to_lowercase(), format!("#{name}"));
                    format!("#{name}")
                }
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn names_are_found_between_words() {
        check("@ana", &["@ana"]);
        check(
            "hi @ana, @bo.b-c_d! (@eve) \"@x\" @Ana",
            &["@ana", "@bo.b-c_d", "@eve", "@x", "@ana"],
        );
        check("see #ops and #off-topic/#日本語", &["#ops", "#off-topic"]);
        check("你好@ana你好", &["@ana"]);
        check("#General", &["#general"]);
        check("@here @channel @heretic", &["here!", "channel!", "@heretic"]);
        check("@ana's", &["@ana"]);
    }

    #[test]
    fn trailing_punctuation_is_not_part_of_a_name() {
        check(
            "@ana. @ana... @ana- @ana_ #ops. #v1.2.",
            &["@ana", "@ana", "@ana", "@ana", "#ops", "#v1.2"],
        );
    }

    #[test]
    fn addresses_paths_and_words_are_not_references() {
        for text in [
            "ana@example.com",
            "x/@ana",
            "a#b",
            "@ana@example.com",
            "é@ana",
            "@anaé",
            "##x",
            "@@ana",
            "@",
            "#",
            "@.",
            "#-",
            "@-ana",
            "&#39;",
            "#ops#ops",
            "foo+@bar",
            "50%@x",
        ] {
            check(text, &[]);
        }
        check(&format!("@{}", "a".repeat(33)), &[]);
        check(&format!("@{}", "a".repeat(32)), &[&format!("@{}", "a".repeat(32))]);
        check(&format!("#{}", "é".repeat(81)), &[]);
    }

    #[test]
    fn stored_references_are_read_exactly_as_they_are_printed() {
        for text in [
            format!("@<user:{ID}>"),
            format!("#<channel:{ID}>"),
            "@<here>".to_owned(),
            "@<channel>".to_owned(),
        ] {
            check(&format!("x{text}y"), &[&text]);
            let (mention, length) = parse(&text).unwrap();
            assert_eq!((mention.to_string(), length), (text.clone(), text.len()));
        }
        for text in [
            format!("@<user:{}>", ID.to_uppercase()),
            format!("@<channel:{ID}>"),
            format!("#<user:{ID}>"),
            format!("@<user:{ID}"),
            "@<user:>".to_owned(),
            "@<user:é>".to_owned(),
            "@<everyone>".to_owned(),
            format!("@<user: {ID}>"),
            "#<here>".to_owned(),
            format!("@<user:{}>", ID.replace('-', "")),
        ] {
            check(&text, &[]);
        }
    }

    proptest! {
        #[test]
        fn scanning_never_panics_and_names_fit_the_grammar(text in "[-@#._<>a-zA-Zé你 :/]{0,60}") {
            for (range, written) in scan(&text) {
                prop_assert!(text.get(range).is_some());
                match written {
                    Written::User(found) => prop_assert!(name::username(&found).is_ok()),
                    Written::Channel(found) => prop_assert!(name::channel(&found).is_ok()),
                    _ => {}
                }
            }
        }
    }
}

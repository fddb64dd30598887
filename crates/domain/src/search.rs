//! The search grammar: `from:ana in:#ops has:link before:2026-05-01 after:… "phrase" word -word`.
//!
//! Words leave here as tokens of letters and digits alone ([`token`]), so that no character of a
//! query can reach a database as syntax.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::channel::words;
use crate::community::UnknownWord;
use crate::name;
use crate::time::Timestamp;

pub mod token;

/// Longest query, in Unicode scalar values: room for twenty terms of any language.
pub const QUERY_MAX: usize = 512;
/// Most terms and filters of one query together. Each costs the index a lookup.
pub const TERMS_MAX: usize = 20;

words!(
    /// What a message must carry to be found by `has:`.
    Has, "file, link, image" {
        /// An attachment.
        File = "file",
        /// A web address in the body.
        Link = "link",
        /// An attached picture.
        Image = "image",
    }
);

/// Something that a body must (or must not) say; every token is in the index's form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// One token.
    Word(String),
    /// Two or more tokens next to each other, in this order.
    Phrase(Vec<String>),
}

impl Term {
    /// The tokens, at least one.
    pub fn tokens(&self) -> &[String] {
        match self {
            Self::Word(word) => std::slice::from_ref(word),
            Self::Phrase(words) => words,
        }
    }

    fn new(mut tokens: Vec<String>) -> Option<Self> {
        if tokens.len() > 1 { Some(Self::Phrase(tokens)) } else { tokens.pop().map(Self::Word) }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Phrase(words) => write!(f, "\"{}\"", words.join(" ")),
        }
    }
}

/// A query that has been understood. All terms must match, none of the excluded ones may.
///
/// `Display` prints it in the grammar; reading that again gives an equal query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchQuery {
    /// What the body says, in the order in which it was asked for; may be empty when there are filters.
    pub terms: Vec<Term>,
    /// What the body does not say.
    pub excluded: Vec<Term>,
    /// Usernames of which one is the author; empty: anybody.
    pub from: Vec<String>,
    /// Names of channels of which one holds the message; empty: any.
    pub in_channels: Vec<String>,
    /// What the message carries, all of it.
    pub has: Vec<Has>,
    /// Only messages made before this time: midnight UTC at which the given day begins.
    pub before: Option<Timestamp>,
    /// Only messages made at this time or later: midnight UTC at which the given day begins.
    pub after: Option<Timestamp>,
}

/// Why a query was refused; `Display` says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// Neither a word nor a filter.
    #[error("nothing to search for; write a word, a \"phrase\", or a filter such as from:ana")]
    Empty,
    /// More than [`QUERY_MAX`] characters.
    #[error("a search has at most {QUERY_MAX} characters, not {actual}; leave some words out")]
    TooLong {
        /// Characters given.
        actual: usize,
    },
    /// More than [`TERMS_MAX`] terms and filters.
    #[error("a search has at most {TERMS_MAX} words and filters, not {actual}; leave some out")]
    TooManyTerms {
        /// Terms given.
        actual: usize,
    },
    /// A filter without a value.
    #[error("{key}: needs a value directly after the colon, such as {example}")]
    NoValue {
        /// The filter's name.
        key: &'static str,
        /// What would have been understood.
        example: &'static str,
    },
    /// A filter whose value has the wrong form.
    #[error("{key}:{value} is not understood; write it like {example}")]
    Value {
        /// The filter's name.
        key: &'static str,
        /// What was given.
        value: String,
        /// What would have been understood.
        example: &'static str,
    },
    /// A minus before a filter.
    #[error("only words and \"phrases\" can be excluded, not {key}:")]
    ExcludedFilter {
        /// The filter's name.
        key: &'static str,
    },
}

/// The filters, each with a value that would be understood.
const FILTERS: [(&str, &str); 5] = [
    ("from", "from:ana"),
    ("in", "in:#general"),
    ("has", "has:file, has:link or has:image"),
    ("before", "before:2026-05-01"),
    ("after", "after:2026-05-01"),
];

impl FromStr for SearchQuery {
    type Err = SearchError;

    fn from_str(text: &str) -> Result<Self, SearchError> {
        let actual = text.chars().count();
        if actual > QUERY_MAX {
            return Err(SearchError::TooLong { actual });
        }
        let mut query = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            rest = query.read_one(rest)?.trim_start();
        }
        let dates = usize::from(query.before.is_some()) + usize::from(query.after.is_some());
        let filters = query.from.len() + query.in_channels.len() + query.has.len() + dates;
        let actual = query.terms.len() + query.excluded.len() + filters;
        if query.terms.is_empty() && filters == 0 {
            Err(SearchError::Empty)
        } else if actual > TERMS_MAX {
            Err(SearchError::TooManyTerms { actual })
        } else {
            Ok(query)
        }
    }
}

impl SearchQuery {
    /// Takes one term or filter off the front of `text`, which is not empty and begins with no
    /// space, and returns what follows it.
    fn read_one<'a>(&mut self, text: &'a str) -> Result<&'a str, SearchError> {
        let (excluded, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if let Some(rest) = text.strip_prefix(is_quote) {
            let (phrase, rest) = until_quote(rest);
            self.push_term(excluded, token::list(phrase));
            return Ok(rest);
        }
        let end = text.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let Some((key, value)) = word.split_once(':') else {
            self.push_term(excluded, token::list(word));
            return Ok(rest);
        };
        let Some((key, example)) =
            FILTERS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key))
        else {
            let tokens = token::list(word);
            if excluded || value.starts_with("//") {
                self.push_term(excluded, tokens);
            } else {
                self.terms.extend(tokens.into_iter().map(Term::Word));
            }
            return Ok(rest);
        };
        if excluded {
            return Err(SearchError::ExcludedFilter { key });
        }
        let (value, rest) = match rest.strip_prefix(is_quote) {
            Some(quoted) if value.is_empty() => until_quote(quoted),
            _ => (value, rest),
        };
        if value.is_empty() {
            return Err(SearchError::NoValue { key, example });
        }
        self.push_filter(key, value).ok_or_else(|| SearchError::Value {
            key,
            value: value.to_owned(),
            example,
        })?;
        Ok(rest)
    }

    fn push_term(&mut self, excluded: bool, tokens: Vec<String>) {
        let list = if excluded { &mut self.excluded } else { &mut self.terms };
        list.extend(Term::new(tokens));
    }

    fn push_filter(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "from" => {
                let user = value.strip_prefix('@').unwrap_or(value).to_lowercase();
                push_new(&mut self.from, name::username(&user).ok()?.to_owned());
            }
            "in" => {
                let channel = value.strip_prefix('#').unwrap_or(value).to_lowercase();
                push_new(&mut self.in_channels, name::channel(&channel).ok()?.to_owned());
            }
            "has" => push_new(&mut self.has, value.to_lowercase().parse().ok()?),
            // Of several dates the narrowest counts: all of them must hold.
            "before" => self.before = Some(midnight(value)?.min(self.before.unwrap_or(LATEST))),
            _ => self.after = Some(midnight(value)?.max(self.after.unwrap_or(EARLIEST))),
        }
        Some(())
    }
}

impl fmt::Display for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = (self.from.iter().map(|user| format!("from:{user}")))
            .chain(self.in_channels.iter().map(|channel| format!("in:#{channel}")))
            .chain(self.has.iter().map(|has| format!("has:{}", has.as_str())))
            .chain(self.before.map(|time| format!("before:{}", day(time))))
            .chain(self.after.map(|time| format!("after:{}", day(time))))
            .chain(self.terms.iter().map(Term::to_string))
            .chain(self.excluded.iter().map(|term| format!("-{term}")));
        f.write_str(&parts.collect::<Vec<_>>().join(" "))
    }
}

const LATEST: Timestamp = Timestamp(i64::MAX);
const EARLIEST: Timestamp = Timestamp(i64::MIN);

/// Telephones turn straight quotes into curly ones.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

/// What stands before the closing quote, or before the end when it was forgotten; and the rest.
fn until_quote(text: &str) -> (&str, &str) {
    text.split_once(is_quote).unwrap_or((text, ""))
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

/// The first instant, in UTC, of a day written `YYYY-MM-DD`.
fn midnight(value: &str) -> Option<Timestamp> {
    let form = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    if value.len() != 10 || !value.bytes().enumerate().all(form) {
        return None;
    }
    let start = value.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp(start.timestamp().as_millisecond()))
}

fn day(time: Timestamp) -> Date {
    jiff::Timestamp::from_millisecond(time.0)
        .map_or(Date::MAX, |time| time.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<SearchQuery, SearchError> {
        text.parse()
    }

    fn word(text: &str) -> Term {
        Term::Word(text.to_owned())
    }

    fn phrase(text: &str) -> Term {
        Term::Phrase(text.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn the_whole_grammar_is_understood() {
        let query = parse(
            "from:ana FROM:@bo in:#ops in:general has:file has:link has:image before:2026-05-01 \
             after:2026-04-01 \"Two  words\" Crème -draft -\"not this\"",
        )
        .unwrap();
        assert_eq!(query.from, ["ana", "bo"]);
        assert_eq!(query.in_channels, ["ops", "general"]);
        assert_eq!(query.has, [Has::File, Has::Link, Has::Image]);
        assert_eq!(query.before, Some(Timestamp(1_777_593_600_000)));
        assert_eq!(query.after, Some(Timestamp(1_775_001_600_000)));
        assert_eq!(query.terms, [phrase("two words"), word("creme")]);
        assert_eq!(query.excluded, [word("draft"), phrase("not this")]);
        assert_eq!(
            query.to_string(),
            "from:ana from:bo in:#ops in:#general has:file has:link has:image before:2026-05-01 \
             after:2026-04-01 \"two words\" creme -draft -\"not this\""
        );
    }

    #[test]
    fn words_of_several_tokens_are_phrases_and_unknown_keys_are_words() {
        assert_eq!(parse("don't foo-bar").unwrap().terms, [phrase("don t"), phrase("foo bar")]);
        assert_eq!(parse("error:404").unwrap().terms, [word("error"), word("404")]);
        assert_eq!(parse("https://a.b/c").unwrap().terms, [phrase("https a b c")]);
        assert_eq!(parse("x -key:value").unwrap().excluded, [phrase("key value")]);
        assert_eq!(
            parse("foo\"bar baz\"qux").unwrap().terms,
            [word("foo"), phrase("bar baz"), word("qux")]
        );
        assert_eq!(parse("“curly quotes”").unwrap().terms, [phrase("curly quotes")]);
        assert_eq!(parse("\"never closed").unwrap().terms, [phrase("never closed")]);
        assert_eq!(parse("from:\"ana\" x").unwrap().from, ["ana"]);
    }

    #[test]
    fn syntax_of_databases_is_only_words() {
        assert_eq!(
            parse("a* NEAR(b, 2) ^c {d} col:e OR & | ! f:* '); --").unwrap().terms,
            [
                word("a"),
                phrase("near b"),
                word("2"),
                word("c"),
                word("d"),
                word("col"),
                word("e"),
                word("or"),
                word("f")
            ]
        );
    }

    #[test]
    fn of_several_dates_the_narrowest_counts() {
        let query = parse("before:2026-05-02 before:2026-05-01 before:2026-05-03 after:2026-01-01 after:2026-02-01").unwrap();
        assert_eq!(query.to_string(), "before:2026-05-01 after:2026-02-01");
    }

    #[test]
    fn refusals_say_what_to_write() {
        for (text, part) in [
            ("", "write a word"),
            ("   ", "write a word"),
            ("???", "write a word"),
            ("-x", "write a word"),
            ("\"\"", "write a word"),
            ("from:", "from:ana"),
            ("from: ana", "from:ana"),
            ("from:é", "from:ana"),
            ("in:#a#b", "in:#general"),
            ("has:money", "has:file"),
            ("before:yesterday", "before:2026-05-01"),
            ("after:2026-02-30", "after:2026-05-01"),
            ("before:20260501", "before:2026-05-01"),
            ("before:2026-5-1", "before:2026-05-01"),
            ("x -from:ana", "only words"),
            ("has:\"\"", "has:file"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert_eq!(parse(&"x".repeat(513)), Err(SearchError::TooLong { actual: 513 }));
        assert!(parse(&"é".repeat(512)).is_ok());
        assert_eq!(parse(&"x ".repeat(21)), Err(SearchError::TooManyTerms { actual: 21 }));
        assert!(parse(&"x ".repeat(20)).is_ok());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn printing_and_reading_again_changes_nothing(
            text in "((from:|in:#?|has:|before:|after:|-|\"|“|)(ana|Ops|link|file|2026-0[1-9]-1[0-9]|İx|ǅ|É.é|\u{345}a|ﬁ|٣|x:y|\\PC{0,4})(\"|) ?){1,6}"
        ) {
            if let Ok(query) = parse(&text) {
                let printed = query.to_string();
                prop_assert_eq!(parse(&printed), Ok(query), "{}", printed);
            }
        }
    }
}

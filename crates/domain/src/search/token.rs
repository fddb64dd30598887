//! Cutting text into the tokens of the search index.
//!
//! The rules are those of `SQLite`'s FTS5 tokenizer `unicode61 remove_diacritics 2`: runs of letters,
//! numbers and private-use characters, without letter case and without the diacritics of Latin
//! letters. Every database and the highlighter go by the same tokens, so that what was found is
//! also what is marked.

use std::ops::Range;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// One token and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the text that it was made of.
    pub range: Range<usize>,
    /// The form that is compared: no upper case, no diacritics.
    pub folded: String,
}

/// The tokens of `text`, from left to right.
pub fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = chars.find(|(_, c)| is_token(*c))?;
        let mut folded = String::from(fold(first));
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = chars.next_if(|(_, c)| is_token(*c) || is_diacritic(*c)) {
            if !is_diacritic(c) {
                folded.push(fold(c));
            }
            end = at + c.len_utf8();
        }
        Some(Token { range: start..end, folded })
    })
}

/// The folded tokens of `text`.
pub fn list(text: &str) -> Vec<String> {
    tokens(text).map(|token| token.folded).collect()
}

/// Categories L*, N* and Co: alphanumeric characters without the marks and the enclosed letters
/// that Unicode calls alphabetic too.
fn is_token(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let enclosed = matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}');
    let private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}');
    private || (c.is_alphanumeric() && !is_combining_mark(c) && !enclosed)
}

/// Combining diacritics that FTS5 passes over inside a token.
fn is_diacritic(c: char) -> bool {
    matches!(u32::from(c), code @ 0x300..=0x331 if {
        let bit = code - 0x300;
        let mask: u64 = 0x0003_61f8_0802_9fdf;
        mask & (1 << bit) != 0
    })
}

fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let lower = match c {
        'ſ' | 'ẛ' => 's',
        'ς' => 'σ',
        'µ' => 'μ',
        'ϐ' => 'β',
        'ϑ' => 'θ',
        'ϕ' => 'φ',
        'ϖ' => 'π',
        'ϰ' => 'κ',
        'ϱ' => 'ρ',
        'ϵ' => 'ε',
        '\u{1fbe}' => 'ι',
        _ => c.to_lowercase().next().unwrap_or(c),
    };
    let mut base = None;
    decompose_canonical(lower, |part| {
        base.get_or_insert(part);
    });
    match base {
        Some(letter) if letter.is_ascii_alphabetic() => letter.to_ascii_lowercase(),
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;
    use std::collections::BTreeSet;

    /// The tokens that the real FTS5 makes, in order.
    fn fts5(database: &Connection, text: &str) -> Vec<String> {
        database.execute("DELETE FROM t", ()).unwrap();
        database.execute("INSERT INTO t(x) VALUES (?1)", [text]).unwrap();
        let mut rows = database.prepare_cached("SELECT term FROM v ORDER BY offset").unwrap();
        rows.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn database() -> Connection {
        let database = Connection::open_in_memory().unwrap();
        database
            .execute_batch(
                "CREATE VIRTUAL TABLE t USING fts5(x, tokenize = 'unicode61 remove_diacritics 2');
                 CREATE VIRTUAL TABLE v USING fts5vocab(t, instance);",
            )
            .unwrap();
        database
    }

    #[test]
    fn tokens_are_those_of_fts5() {
        let database = database();
        for text in [
            "Hello, World-wide web_2.0!",
            "Crème brûlée à la façon d'Ångström",
            "Straße ẞ",
            "Việt Nam ấ Ặ",
            "cafe\u{301} e\u{301}e",
            "日本語 テスト",
            "Привет Ёлка й",
            "ΑΒΓ ς σ Ά",
            "١٢٣ ½ ² Ⅷ",
            "ﬁ ﬀ Ǆ ǅ",
            "ⓐ 🄰 👍 a👍b",
            "हिन्दी भाषा",
            "\u{e000}x",
            "K Å",
            "a\u{ad}b\u{200d}c",
        ] {
            assert_eq!(list(text), fts5(&database, text), "{text}");
        }
    }

    #[test]
    fn letters_of_europe_fold_as_fts5_does() {
        let database = database();
        // Two letters with two diacritics of which SQLite removes none, and one newer than its tables.
        let unlike = ['Ǡ', 'ǡ', '\u{37f}'];
        // A letter that one side does not count as one is seen by the number before it.
        let text: Vec<String> = ('\u{80}'..='\u{51f}')
            .chain('\u{1e00}'..='\u{1fff}')
            .filter(|c| is_token(*c) && !unlike.contains(c))
            .map(|c| format!("{} {c}", u32::from(c)))
            .collect();
        let text = text.join(" ");
        let (ours, theirs) = (list(&text), fts5(&database, &text));
        let pairs = |tokens: &[String]| -> BTreeSet<(String, String)> {
            tokens.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
        };
        let differing: Vec<_> = pairs(&ours).difference(&pairs(&theirs)).cloned().collect();
        assert!(differing.is_empty(), "{} {differing:?}", differing.len());
    }

    #[test]
    fn ranges_point_at_the_words() {
        let text = "Ça va, cafe\u{301}?";
        let words: Vec<&str> = tokens(text).map(|token| &text[token.range]).collect();
        assert_eq!(words, ["Ça", "va", "cafe\u{301}"]);
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            for token in tokens(&text) {
                prop_assert!(text.get(token.range).is_some());
                prop_assert_eq!(list(&token.folded), vec![token.folded]);
            }
        }
    }
}

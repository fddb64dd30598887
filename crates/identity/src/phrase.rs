//! The recovery phrase: the words that are the seed of an identity.

use std::fmt;
use std::sync::LazyLock;

use bip39::{Language, Mnemonic};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::IdentitySecret;

/// Words in a phrase that is shown at creation: 24, because 256 bits of entropy are the seed.
pub const WORDS: usize = 24;
/// Words in the short phrase that restoring accepts as well: 12, of 128 bits of entropy.
pub const SHORT_WORDS: usize = 12;

/// A recovery phrase of 24 English words (BIP-39), or of 12 that came from another tool.
///
/// The entropy of 24 words is the Ed25519 seed itself; BIP-39's PBKDF2 is not used. Twelve words
/// give the seed SHA-256(`kez-bip39-12-v1` ‖ 16 bytes of entropy). The words are wiped when it is
/// dropped and never show in `Debug`.
pub struct Phrase(Mnemonic);

impl Phrase {
    /// The 24 words of a seed.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "BIP-39 has a phrase for every 32 bytes"
    )]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Mnemonic::from_entropy_in(Language::English, seed).expect("32 bytes are 24 words"))
    }

    /// Reads 24 or 12 words, in any case and with any white space between them.
    ///
    /// Fails with the number of the first word that is not in the list, with the count when it is
    /// neither 24 nor 12, or when the words do not belong together.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let count = text.split_whitespace().count();
        if count != WORDS && count != SHORT_WORDS {
            return Err(PhraseError::WordCount { actual: count });
        }
        let text = Zeroizing::new(text.to_lowercase());
        for (index, word) in text.split_whitespace().enumerate() {
            if Language::English.find_word(word).is_none() {
                let suggestion = suggest(word).map(Suggestion);
                return Err(PhraseError::UnknownWord { number: index + 1, suggestion });
            }
        }
        Mnemonic::parse_in_normalized(Language::English, &text)
            .map(Self)
            .map_err(|_| PhraseError::Checksum)
    }

    /// The identity that these words restore.
    pub fn secret(&self) -> IdentitySecret {
        let (entropy, length) = self.0.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        let entropy = entropy.get(..length).unwrap_or_default();
        let seed = Zeroizing::<[u8; 32]>::new(entropy.try_into().unwrap_or_else(|_| {
            Sha256::new().chain_update(b"kez-bip39-12-v1").chain_update(entropy).finalize().into()
        }));
        IdentitySecret::from_seed(&seed)
    }

    /// The words in order, 24 or 12.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.words()
    }

    /// Whether `answer` is word `number`, counted from 1: how a person shows that they wrote the
    /// phrase down. Case and white space around the answer do not matter.
    pub fn has_word(&self, number: usize, answer: &str) -> bool {
        let answer = Zeroizing::new(answer.trim().to_lowercase());
        let index = number.checked_sub(1);
        index.and_then(|index| self.words().nth(index)).is_some_and(|word| word == *answer)
    }

    /// All words with one space between them, to show once; wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        // Large enough for 24 words of up to 8 letters, so that growing leaves no copies behind.
        let mut text = Zeroizing::new(String::with_capacity(WORDS * 9));
        for word in self.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }
}

impl PartialEq for Phrase {
    fn eq(&self, other: &Self) -> bool {
        let mine = Zeroizing::new(self.0.to_entropy_array().0);
        let theirs = Zeroizing::new(other.0.to_entropy_array().0);
        self.0.word_count() == other.0.word_count() && mine.ct_eq(&*theirs).into()
    }
}

impl Eq for Phrase {}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase([redacted])")
    }
}

/// Why a text is not a recovery phrase; `Display` says what to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhraseError {
    /// There are neither 24 nor 12 words.
    #[error("a recovery phrase has 24 words (or 12), not {actual}")]
    WordCount {
        /// How many there are.
        actual: usize,
    },
    /// A word is not one of the 2,048 of the list.
    #[error("word {number} is not in the word list{}", did_you_mean(.suggestion.as_ref()))]
    UnknownWord {
        /// Which word, counted from 1.
        number: usize,
        /// The word of the list that is most like it, when one is like it at all.
        suggestion: Option<Suggestion>,
    },
    /// Every word is in the list, but the last one carries a checksum over the others that does
    /// not fit.
    #[error("these words do not belong together: one of them is wrong, or two have changed places")]
    Checksum,
}

/// A word for "did you mean …?". It is likely a part of the phrase: show it to the person who
/// typed, and nowhere else; `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Suggestion(pub &'static str);

impl fmt::Debug for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Suggestion([redacted])")
    }
}

fn did_you_mean(suggestion: Option<&Suggestion>) -> String {
    suggestion.map(|word| format!("; did you mean \"{}\"?", word.0)).unwrap_or_default()
}

/// The longest word of the list has 8 letters: further text only costs time.
const TYPED_MAX: usize = 12;
/// How many slips of the finger a suggestion forgives.
const SLIPS_MAX: usize = 2;

/// The word of the list at the least edit distance, at most 2, from `typed`; among equals the one
/// that begins most alike, because the first four letters of a word tell it from all others.
fn suggest(typed: &str) -> Option<&'static str> {
    let typed: Zeroizing<Vec<char>> = Zeroizing::new(typed.chars().collect());
    if !(3..=TYPED_MAX).contains(&typed.len()) {
        return None;
    }
    let which = letters(typed.iter().copied());
    let near = |word: &'static str| {
        let distance = distance(word, &typed)?;
        let alike = word.chars().zip(typed.iter()).take_while(|(a, b)| a == *b).count();
        Some(((distance, usize::MAX - alike), word))
    };
    let words = Language::English.word_list().iter().copied().zip(LETTERS.iter());
    // A slip changes two letters at most, so most words need no closer look.
    let close = words.filter(|(_, has)| (*has ^ which).count_ones() as usize <= 2 * SLIPS_MAX);
    close.filter_map(|(word, _)| near(word)).min_by_key(|(near, _)| *near).map(|(_, word)| word)
}

/// Which letters each word of the list has.
static LETTERS: LazyLock<Vec<u32>> = LazyLock::new(|| {
    Language::English.word_list().iter().map(|word| letters(word.chars())).collect()
});

/// A bit for each letter of the alphabet, and one for everything else.
fn letters(text: impl Iterator<Item = char>) -> u32 {
    text.fold(0, |bits, c| match c {
        'a'..='z' => bits | 1 << (u32::from(c) - u32::from('a')),
        _ => bits | 1 << 26,
    })
}

/// Edit distance in which a swap of neighbors counts once (optimal string alignment); `None` past
/// [`SLIPS_MAX`].
fn distance(word: &str, typed: &[char]) -> Option<usize> {
    let mut before = [usize::MAX - 1; TYPED_MAX + 1];
    let mut above: [usize; TYPED_MAX + 1] = std::array::from_fn(|at| at);
    let mut last: Option<char> = None;
    for (i, letter) in word.chars().enumerate() {
        let mut row = [i + 1; TYPED_MAX + 1];
        let mut fewest = i + 1;
        let mut last_typed = None;
        for (j, other) in typed.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best = (cell(&above, j) + usize::from(letter != *other))
                .min(cell(&above, j + 1) + 1)
                .min(cell(&row, j) + 1);
            if j > 0 && last == Some(*other) && last_typed == Some(letter) {
                best = best.min(cell(&before, j - 1) + 1);
            }
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = best;
            }
            fewest = fewest.min(best);
            last_typed = Some(*other);
        }
        if fewest > SLIPS_MAX {
            return None;
        }
        (before, above) = (above, row);
        last = Some(letter);
    }
    above.get(typed.len()).copied().filter(|slips| *slips <= SLIPS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(text: &str) -> (String, String) {
        let secret = Phrase::parse(text).expect("a phrase").secret();
        (hex::encode(*secret.seed()), secret.public().to_string())
    }

    #[test]
    fn phrases_restore_the_published_keys() {
        let zero = format!("{}art", "abandon ".repeat(23));
        let (seed, public) = restored(&zero);
        assert_eq!(seed, "0".repeat(64));
        assert_eq!(
            public,
            "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
        );
        let (seed, public) = restored(&format!("{}about", "abandon ".repeat(11)));
        assert_eq!(seed, "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da");
        assert_eq!(
            public,
            "ed25519:9403c32e0d3b4ce51105c0bcac09a0d73be0cca98a6bf7b3cd434651be866d70"
        );
        let (seed, public) =
            restored("legal winner thank year wave sausage worth useful legal winner thank yellow");
        assert_eq!(seed, "9df434a2bd5dc767ee949d8ab95ca09c4ebbb88cefc3d0b1523f6b2a744ca824");
        assert_eq!(
            public,
            "ed25519:cc99d06b15ccb83a5ca43f25dd3d27f50638c1c6fbe3a822352da3e07156ce03"
        );
    }

    #[test]
    fn seeds_give_the_words_of_bip39() {
        // Every 256-bit English vector of BIP-39.
        for (entropy, words) in [
            (
                "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
                "legal winner thank year wave sausage worth useful legal winner thank year wave \
                 sausage worth useful legal winner thank year wave sausage worth title",
            ),
            (
                "8080808080808080808080808080808080808080808080808080808080808080",
                "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd \
                 amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic \
                 bless",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo \
                 zoo zoo zoo vote",
            ),
            (
                "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
                "void come effort suffer camp survey warrior heavy shoot primary clutch crush \
                 open amazing screen patrol group space point ten exist slush involve unfold",
            ),
        ] {
            let seed: [u8; 32] = hex::decode(entropy).expect("hex").try_into().expect("32 bytes");
            let phrase = Phrase::from_seed(&seed);
            assert_eq!(*phrase.to_text(), words);
            assert_eq!(phrase.words().count(), WORDS);
            assert_eq!(Phrase::parse(words).as_ref(), Ok(&phrase));
            assert_eq!(*phrase.secret().seed(), seed);
        }
    }

    #[test]
    fn case_and_white_space_do_not_matter() {
        let phrase = Phrase::from_seed(&[0x80; 32]);
        let shouted = phrase.to_text().to_uppercase().replace(' ', " \t\n ");
        assert_eq!(Phrase::parse(&format!("\n {shouted} ")), Ok(phrase));
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |text: &str| Phrase::parse(text).expect_err("a mistake").to_string();
        assert_eq!(wrong(""), "a recovery phrase has 24 words (or 12), not 0");
        let fifteen = "abandon ".repeat(15);
        assert_eq!(wrong(&fifteen), "a recovery phrase has 24 words (or 12), not 15");

        let typo = "legal winner thank yaer wave sausage worth useful legal winner thank yellow";
        assert_eq!(wrong(typo), "word 4 is not in the word list; did you mean \"year\"?");
        let far = "legal winner thank year wave sausage worth useful legal winner xqzxqz yellow";
        assert_eq!(wrong(far), "word 11 is not in the word list");
        let long = format!("{}{}", "abandon ".repeat(11), "y".repeat(100_000));
        assert_eq!(wrong(&long), "word 12 is not in the word list");

        let swapped = "winner legal thank year wave sausage worth useful legal winner thank yellow";
        assert_eq!(Phrase::parse(swapped), Err(PhraseError::Checksum));
        assert!(wrong(swapped).contains("do not belong together"));
    }

    #[test]
    fn suggestions_are_the_nearest_words() {
        for (typed, meant) in [
            ("abandn", "abandon"),
            ("abandoned", "abandon"),
            ("zooo", "zoo"),
            ("recieve", "receive"),
            ("freind", "friend"),
            ("abaut", "about"),
            ("éffort", "effort"),
        ] {
            assert_eq!(suggest(typed), Some(meant), "{typed}");
        }
        for typed in ["", "q", "xx", "qqqqqqqq", "日本語です"] {
            assert_eq!(suggest(typed), None, "{typed}");
        }
    }

    #[test]
    fn the_recall_check_asks_for_words_by_number() {
        let phrase = Phrase::from_seed(&[0; 32]);
        assert!(phrase.has_word(1, "abandon"));
        assert!(phrase.has_word(24, " Art\n"));
        for (number, answer) in [(0, "abandon"), (24, "abandon"), (25, "art"), (1, "")] {
            assert!(!phrase.has_word(number, answer), "{number} {answer}");
        }
    }

    #[test]
    fn words_never_show_in_debug() {
        assert_eq!(format!("{:?}", Phrase::from_seed(&[0; 32])), "Phrase([redacted])");
        let text = format!("{}abut", "abandon ".repeat(11));
        let error = Phrase::parse(&text).expect_err("a mistake");
        assert_eq!(
            format!("{error:?}"),
            "UnknownWord { number: 12, suggestion: Some(Suggestion([redacted])) }"
        );
    }
}

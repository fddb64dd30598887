//! Seeded mutations of byte strings: what a careless or hostile sender makes of a good input.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Longest input that is made, in bytes. Unoptimized parsers are slow, and what long inputs do to
/// them has tests of its own.
const LENGTH_MAX: usize = 2_048;
/// How often a piece is repeated at most: nesting, and runs of one mark.
const REPEAT_MAX: usize = 200;
/// Mutations on top of each other.
const STACK_MAX: usize = 5;

/// Pieces that mean something to one parser or another.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"-1",
    b"0",
    b"1e999",
    b"18446744073709551615",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"9007199254740993",
    b"0.1",
    b"<",
    b">",
    b"&",
    b"&lt;",
    b"&#0;",
    b"'",
    b"`",
    b"```\n",
    b"~~~",
    b"*",
    b"**",
    b"_",
    b"~~",
    b"|",
    b"|-|\n",
    b"#",
    b"# ",
    b"> ",
    b"- ",
    b"1. ",
    b"- [ ] ",
    b"![",
    b"](",
    b")",
    b"[x]: ",
    b"://",
    b"https://a.b/",
    b"javascript:",
    b"data:text/html,",
    b"<script>",
    b"<!--",
    b"</p>",
    b"@",
    b"@ana",
    b"@here",
    b"@<here>",
    b"@<user:",
    b"#<channel:",
    b"@<user:0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01>",
    b"0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01",
    b"@{user:",
    b"#{channel:",
    b"@{here}",
    b"<@U1>",
    b"<#C1|ops>",
    b"<!here>",
    b"<https://a|b>",
    b"from:",
    b"in:#",
    b"has:link",
    b"before:2026-05-01",
    b"after:",
    b"-",
    b"ed25519:",
    b"sha256:",
    b"2026-11-20T09:28:53.123Z",
    b"9999-12-31T23:59:60Z",
    b"../",
    b"/",
    b"..",
    b"%",
    b"%00",
    b"%ff",
    b"+",
    b"=",
    b"?",
    b";",
    b"id: ",
    b"data: ",
    b"event: ",
    b"\r",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\t",
    b" ",
    b"\0",
    b"\x1b]52;c;",
    b"\x7f",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"\xff\xff\xff\xff",
    "\u{85}".as_bytes(),
    "\u{9b}".as_bytes(),
    "\u{a0}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{200d}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{2066}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{fffd}".as_bytes(),
    "\u{e0041}".as_bytes(),
    "\u{10ffff}".as_bytes(),
    "é".as_bytes(),
    "e\u{301}".as_bytes(),
    "ß".as_bytes(),
    "İ".as_bytes(),
    "Å".as_bytes(),
    "日本".as_bytes(),
    "שלום".as_bytes(),
    "👍🏽".as_bytes(),
    "👩‍👩‍👧".as_bytes(),
];

/// Makes inputs, always the same ones for a seed and a corpus.
#[derive(Debug)]
pub struct Mutator {
    random: ChaCha8Rng,
}

impl Mutator {
    /// A mutator that repeats itself for this seed.
    pub fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// One of `corpus`, changed in one to five places; of an empty corpus, bytes by chance.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(corpus).cloned().unwrap_or_default();
        for _ in 0..self.random.random_range(1..=STACK_MAX) {
            self.change(&mut input, corpus);
        }
        input.truncate(LENGTH_MAX);
        input
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.random.random_range(0..of.len())) }
    }

    /// A range of at most `most` bytes.
    fn range(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.random.random_range(0..=length);
        let size = self.random.random_range(0..=most.min(length - start));
        start..start + size
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let length = input.len();
        let at = self.random.random_range(0..=length);
        match self.random.random_range(0..12) {
            0 => {
                let bit = 1 << self.random.random_range(0..8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
            1 => {
                let new = self.random.random();
                if let Some(byte) = input.get_mut(at) {
                    *byte = new;
                }
            }
            2 => input.insert(at, self.random.random_range(0x20..0x7f)),
            3 => drop(input.drain(self.range(length, 8))),
            4 => drop(input.drain(self.range(length, length))),
            5 => input.truncate(at),
            6 | 7 => {
                let token = self.pick(TOKENS).copied().unwrap_or_default();
                input.splice(at..at, token.iter().copied());
            }
            8 => {
                let token = self.pick(TOKENS).copied().unwrap_or_default();
                let place = self.range(length, 8);
                input.splice(place, token.iter().copied());
            }
            9 => {
                // A piece many times over: depth, and runs of one mark.
                let place = self.range(length, 6);
                let piece = input.get(place).unwrap_or_default().to_vec();
                let most = if self.random.random_ratio(1, 8) { REPEAT_MAX } else { 12 };
                let times = self.random.random_range(1..=most);
                input.splice(at..at, piece.repeat(times));
            }
            10 => {
                // A piece of another input, or of this one.
                let other = self.pick(corpus).cloned().unwrap_or_default();
                let piece = other.get(self.range(other.len(), other.len())).unwrap_or_default();
                let place = self.range(length, 16);
                input.splice(place, piece.iter().copied());
            }
            _ => {
                // Two pieces change places.
                let piece: Vec<u8> = input.drain(self.range(length, 24)).collect();
                let at = self.random.random_range(0..=input.len());
                input.splice(at..at, piece);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_inputs_and_another_makes_others() {
        let corpus = [b"{\"a\":1}".to_vec(), b"hello".to_vec()];
        let inputs = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..1_000).map(|_| mutator.next(&corpus)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let changed = inputs(1).iter().filter(|input| !corpus.contains(input)).count();
        assert!(changed > 900, "{changed}");
        assert!(inputs(3).iter().all(|input| input.len() <= LENGTH_MAX));
    }
}

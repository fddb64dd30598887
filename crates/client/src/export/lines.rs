//! The lines of an export, read one by one, each held against its number and its hash.

use std::io::{BufRead, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidings_wire::chain::{GENESIS, Hash};
use tidings_wire::export::{AFTER_CHAIN, BEFORE_CHAIN, Content, Line, line_hash};

use super::verify::Fault;

/// No line of ours comes near: a body has 16,000 characters. A larger one is none of ours.
const LINE_MAX: u64 = 16 << 20;

/// Lines that come one after the other.
pub(super) struct Lines<R> {
    from: R,
    /// How many lines were right.
    pub(super) read: u64,
    /// The hash of the last of them.
    pub(super) chain: Hash,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(from: R) -> Self {
        Self { from, read: 0, chain: GENESIS }
    }

    /// The next line; it must be there and the next one.
    pub(super) fn next(&mut self, progress: &mut dyn FnMut(u64)) -> Result<Content, Fault> {
        let expected = self.read + 1;
        let text = self.text(progress)?.ok_or(Fault::CutOff)?;
        let Some((hash, rest)) = split(&text) else {
            return Err(Fault::Changed);
        };
        match number(rest) {
            None => return Err(Fault::Changed),
            Some(n) if n != expected => return Err(self.out_of_order(expected)),
            Some(_) => {}
        }
        let chain = line_hash(&self.chain, rest);
        if hash != URL_SAFE_NO_PAD.encode(chain).as_bytes() {
            return Err(Fault::Changed);
        }
        let line: Line = serde_json::from_slice(&text).map_err(|_| Fault::Unknown)?;
        (self.read, self.chain) = (expected, chain);
        Ok(line.line)
    }

    /// Whether anything follows.
    pub(super) fn has_more(&mut self) -> bool {
        // What cannot be read follows too.
        !matches!(self.from.fill_buf(), Ok([]))
    }

    /// Why another line stands where this one should: what comes next tells.
    fn out_of_order(&mut self, expected: u64) -> Fault {
        let mut first = true;
        while let Ok(Some(text)) = self.text(&mut |_| ()) {
            let found = split(&text).and_then(|(_, rest)| number(rest));
            if found == Some(expected) {
                return Fault::Moved;
            }
            if first && found == Some(expected + 1) {
                return Fault::Changed;
            }
            first = false;
        }
        Fault::Missing
    }

    /// A line without its end; `None` when there is none.
    fn text(&mut self, progress: &mut dyn FnMut(u64)) -> Result<Option<Vec<u8>>, Fault> {
        let mut text = Vec::new();
        let read = self.from.by_ref().take(LINE_MAX).read_until(b'\n', &mut text);
        if read.is_err() {
            return Err(Fault::Damaged);
        }
        progress(text.len() as u64);
        match text.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(text)),
            Some(_) if text.len() as u64 + 1 == LINE_MAX => Err(Fault::Changed),
            Some(_) => Err(Fault::CutOff),
        }
    }
}

/// The hash of a line, and what it hashes.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (hash, rest) = text.strip_prefix(BEFORE_CHAIN.as_bytes())?.split_at_checked(43)?;
    Some((hash, rest.strip_prefix(AFTER_CHAIN.as_bytes())?))
}

/// The number of a line, which stands first in what is hashed.
fn number(rest: &[u8]) -> Option<u64> {
    let rest = rest.strip_prefix(b"\"n\":")?;
    let (digits, _) = rest.split_at_checked(rest.iter().position(|byte| *byte == b',')?)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

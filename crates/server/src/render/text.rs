//! Inside a run of text: references, web addresses, and the escaping of everything else.

use std::ops::Range;

use ammonia::Url;
use tidings_domain::reference::{self, Written};

/// Schemes that a link may have.
pub(super) const SCHEMES: [&str; 4] = ["https", "http", "mailto", "tidings"];
/// Longest address that becomes a link, in bytes; browsers and proxies cut off near here.
const ADDRESS_MAX: usize = 2_048;

/// One part of a run.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Nothing but text.
    Text(&'a str),
    /// An address as it was written, and as it is followed.
    Address(&'a str, String),
    /// What may be a reference, and where it stands in the body.
    Reference(Range<usize>, Written<'a>),
}

/// Cuts `run`, which is a range of `body` that Markdown calls text, into its parts.
pub(super) fn each_piece<'a>(body: &'a str, run: Range<usize>, mut take: impl FnMut(Piece<'a>)) {
    let base = run.start;
    // `\@ana` is text; the parser has taken the backslash away.
    let escaped = base > 0 && body.as_bytes().get(base - 1) == Some(&b'\\');
    let Some(text) = body.get(run) else { return };
    let mut taken = 0;
    let mut at = 0;
    while let Some(found) = next_mark(text, at) {
        let next = match text.as_bytes().get(found) {
            Some(b'@' | b'#') if !(escaped && found == 0) => {
                reference::at(text, found).map(|(written, end)| {
                    (found, end, Piece::Reference(base + found..base + end, written))
                })
            }
            Some(b':') => match bare_address(text, found, taken) {
                Some((start, end, Some(href))) => {
                    text.get(start..end).map(|shown| (start, end, Piece::Address(shown, href)))
                }
                // Not an address after all, and nothing inside it is anything else.
                Some((_, end, None)) => {
                    at = end;
                    continue;
                }
                None => None,
            },
            Some(b'<') if !(escaped && found == 0) => bracketed_address(text, found),
            _ => None,
        };
        let Some((start, end, piece)) = next else {
            at = found + 1;
            continue;
        };
        if taken < start {
            take(Piece::Text(text.get(taken..start).unwrap_or_default()));
        }
        take(piece);
        (taken, at) = (end, end);
    }
    if taken < text.len() {
        take(Piece::Text(text.get(taken..).unwrap_or_default()));
    }
}

/// The next byte at which something other than text could begin (for addresses: their colon).
fn next_mark(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    rest.iter().position(|byte| matches!(byte, b'@' | b'#' | b':' | b'<')).map(|at| from + at)
}

/// Where `http` or `https` begins that ends right before the colon at `colon`, if a word begins
/// there too.
pub(super) fn scheme_before(text: &str, colon: usize) -> Option<usize> {
    let before = text.get(..colon)?.as_bytes();
    let ends = |word: &[u8]| {
        let start = before.len().checked_sub(word.len())?;
        let alike = before.get(start..)?.eq_ignore_ascii_case(word);
        let whole = !before.get(..start)?.last().is_some_and(u8::is_ascii_alphanumeric);
        (alike && whole).then_some(start)
    };
    ends(b"https").or_else(|| ends(b"http"))
}

/// The address around the `://` at `colon`: where it begins and ends, and how it is followed (not
/// at all when it is malformed). Text before `taken` belongs to something else.
fn bare_address(text: &str, colon: usize, taken: usize) -> Option<(usize, usize, Option<String>)> {
    let rest = colon + "://".len();
    if !text.get(colon..)?.starts_with("://") {
        return None;
    }
    let start = scheme_before(text, colon).filter(|start| *start >= taken)?;
    let end = address_end(text, rest);
    (end > rest).then(|| (start, end, text.get(start..end).and_then(href)))
}

/// Where an address ends whose scheme ends at `from`: before a space, a quote, an angle bracket or
/// anything invisible, and without the punctuation of the sentence that it stands in.
pub(super) fn address_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let inside = |c: char| {
        !(c.is_whitespace() || c.is_control() || "<>\"`\\|".contains(c) || is_invisible(c))
    };
    let mut address = rest.find(|c| !inside(c)).map_or(rest, |end| &rest[..end]);
    let mut surplus = [('(', ')'), ('[', ']'), ('{', '}')].map(|(open, close)| {
        let count = |wanted: char| address.matches(wanted).count();
        (close, count(close).saturating_sub(count(open)))
    });
    while let Some(last) = address.chars().next_back() {
        let unmatched = surplus.iter_mut().find(|(close, left)| *close == last && *left > 0);
        if let Some((_, left)) = unmatched {
            *left -= 1;
        } else if !"?!.,:;*_~'。，、；：！？）」』】".contains(last) {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    from + address.len()
}

/// `<https://…>`, `<mailto:…>` and `<tidings:…>`, the only things that angle brackets mean.
fn bracketed_address(text: &str, at: usize) -> Option<(usize, usize, Piece<'_>)> {
    let inner = text.get(at + 1..)?;
    // No scheme of ours is longer, and a body of angle brackets must not be read once for each.
    let colon = inner.bytes().take(8).position(|byte| byte == b':')?;
    let scheme = inner.get(..colon)?;
    if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let end = inner.find(|c: char| c.is_whitespace() || "<>\"".contains(c) || is_invisible(c))?;
    let shown =
        inner.get(..end).filter(|_| inner.get(end..).is_some_and(|s| s.starts_with('>')))?;
    Some((at, at + 1 + end + 1, Piece::Address(shown, href(shown)?)))
}

/// The address as a browser would follow it, in ASCII, if it has a scheme that we allow. Relative
/// ones would lead into our own origin and are refused with the rest.
pub(super) fn href(address: &str) -> Option<String> {
    if address.len() > ADDRESS_MAX {
        return None;
    }
    let url = Url::parse(address).ok()?;
    let web = matches!(url.scheme(), "https" | "http");
    (SCHEMES.contains(&url.scheme()) && (!web || url.has_host())).then(|| url.into())
}

/// Characters that change what is seen without being seen: a link text or code with them can say
/// something else than it does (Unicode TR 36, section 2.5).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Writes `text` as HTML text. Control characters and characters that override the direction of
/// what follows become U+FFFD.
pub(super) fn escape(out: &mut String, text: &str) {
    escape_with(out, text, |c| matches!(c, '\u{202d}' | '\u{202e}'));
}

/// Writes code as HTML text. Every character that reorders others becomes U+FFFD: code is run as it
/// is stored, not as it looks.
pub(super) fn escape_code(out: &mut String, text: &str) {
    escape_with(out, text, |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
}

/// Writes the value of an attribute in double quotes.
pub(super) fn escape_attribute(out: &mut String, value: &str) {
    for (index, part) in value.split('"').enumerate() {
        if index > 0 {
            out.push_str("&quot;");
        }
        escape(out, part);
    }
}

fn escape_with(out: &mut String, text: &str, reorders: impl Fn(char) -> bool) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !SPECIAL[usize::from(byte)] {
            continue;
        }
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { continue };
        let written = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\u{a0}' => "&nbsp;",
            '\r' => "",
            '\0'..' ' | '\u{7f}'..='\u{9f}' => "\u{fffd}",
            _ if reorders(c) => "\u{fffd}",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(written);
        from = at + c.len_utf8();
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// Bytes at which a character may begin that is not written as it is.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'\n' as usize] = false;
    table[b'\t' as usize] = false;
    table[0x7f] = true;
    table[b'&' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[0xc2] = true;
    table[0xe2] = true;
    table
};

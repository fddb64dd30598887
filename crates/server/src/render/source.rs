//! What the Markdown parser is given in place of the body.
//!
//! The parser would read `<…>` as raw HTML, and `_` in an address as emphasis. It is given a copy
//! in which such bytes are replaced, one for one, by control characters that mean nothing to it, so
//! that every position in the copy is also a position in the body. What it calls text is then taken
//! from the body; the few strings that it makes itself (code, link targets) are turned back with
//! [`unmask`].

use std::borrow::Cow;

use tidings_domain::reference;

use super::text;

/// Stands for `<` everywhere: raw HTML is not part of our Markdown.
const LESS: u8 = 0x01;
/// Stands for the `>` that ends a stored reference, so that emphasis beside it works as it does
/// beside a name (`>` is punctuation to the parser, and `**@ana**s` would not be bold).
const REFERENCE_END: u8 = 0x02;
/// Stand for `*`, `_` and `~` inside web addresses.
const IN_ADDRESS: [(u8, u8); 3] = [(b'*', 0x03), (b'_', 0x04), (b'~', 0x05)];
/// Stand for what opens a quote or a list item, where [`LINE_DEPTH_MAX`] of them have gone before.
const OPENERS: [(u8, u8); 6] =
    [(b'>', 0x02), (b'*', 0x03), (b'-', 0x06), (b'+', 0x07), (b'.', 0x08), (b')', 0x0b)];
/// How many quotes and list items one line can open. The parser looks through all that are open for
/// each line that follows, which for thousands of them takes longer than a message may.
const LINE_DEPTH_MAX: usize = 32;
/// Stands for every control character of the body, which are not drawn in any case.
const CONTROL: u8 = 0x1a;

/// The copy of `body` for the parser, of the same length in bytes.
pub(super) fn mask(body: &str) -> String {
    let mut bytes = body.as_bytes().to_vec();
    // `\<` is left as it is: the parser takes the backslash away, and an escaped bracket begins
    // nothing.
    let mut escaped = false;
    for byte in &mut bytes {
        let backslash = *byte == b'\\' && !escaped;
        match *byte {
            b'<' if !escaped => *byte = LESS,
            b'\n' | b'\t' | b'\r' => {}
            0..0x20 => *byte = CONTROL,
            _ => {}
        }
        escaped = backslash;
    }
    for (at, _) in body.match_indices(['@', '#']) {
        let length = body.get(at..).and_then(reference::parse).map(|(_, length)| length);
        if let Some(last) = length.and_then(|length| bytes.get_mut(at + length - 1)) {
            *last = REFERENCE_END;
        }
    }
    let mut from = 0;
    while let Some(found) = body.get(from..).and_then(|rest| rest.find("://")) {
        let colon = from + found;
        from = colon + 3;
        if text::scheme_before(body, colon).is_some() {
            let end = text::address_end(body, from);
            for byte in bytes.get_mut(from..end).unwrap_or_default() {
                if let Some((_, masked)) = IN_ADDRESS.iter().find(|(plain, _)| plain == byte) {
                    *byte = *masked;
                }
            }
            from = end;
        }
    }
    bytes.split_mut(|byte| *byte == b'\n').for_each(bound_depth);
    // ASCII was replaced by ASCII, so this never takes the lossy way.
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Masks the first marker of a line that would open one more than [`LINE_DEPTH_MAX`]: what stands
/// behind it is text then.
fn bound_depth(line: &mut [u8]) {
    let mut depth = 0;
    for byte in line {
        let opener = OPENERS.iter().find(|(plain, _)| plain == byte);
        match opener {
            Some((_, masked)) if depth == LINE_DEPTH_MAX => {
                *byte = *masked;
                return;
            }
            Some(_) => depth += 1,
            None if matches!(byte, b' ' | b'\t' | b'\r' | b'0'..=b'9') => {}
            None => return,
        }
    }
}

/// The text of the body that a string of the parser stands for.
pub(super) fn unmask(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte >= 0x0c || matches!(byte, b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| match c {
        '\x01' => '<',
        '\x02' => '>',
        '\x03' => '*',
        '\x04' => '_',
        '\x05' => '~',
        '\x06' => '-',
        '\x07' => '+',
        '\x08' => '.',
        '\x0b' => ')',
        _ => c,
    };
    Cow::Owned(text.chars().map(plain).collect())
}

/// Whether Markdown means nothing in `body`, so that its lines can be drawn without a parser.
///
/// Says no too often, never yes too often: what it accepts is drawn as the long way would.
pub(super) fn is_plain(body: &str) -> bool {
    body.split('\n').all(|line| is_plain_line(line.as_bytes()))
}

fn is_plain_line(line: &[u8]) -> bool {
    let [first, rest @ ..] = line else { return true };
    let starts_block = match first {
        b' ' | b'-' | b'+' | b'=' | b'>' | b':' => true,
        // A heading is `#` and a space; `#ops` and `#<channel:…>` are text.
        b'#' => matches!(rest.first(), None | Some(b'#' | b' ')),
        b'0'..=b'9' => {
            let after = rest.iter().find(|byte| !byte.is_ascii_digit());
            matches!(after, Some(b'.' | b')'))
        }
        _ => false,
    };
    let mut entity = line.windows(2).filter(|pair| pair.first() == Some(&b'&'));
    !starts_block
        && line.last() != Some(&b' ')
        && !line.iter().any(|byte| MARKUP[usize::from(*byte)])
        && !entity.any(|pair| matches!(pair, [_, b'#' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z']))
}

/// Bytes that can be Markdown anywhere in a line, and control characters.
const MARKUP: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    let marks = b"`*_~[]\\|";
    let mut index = 0;
    while index < marks.len() {
        table[marks[index] as usize] = true;
        index += 1;
    }
    table
};

//! Makes text from elsewhere harmless on a terminal: it cannot move the cursor, set the title or
//! the clipboard, answer for the keyboard, or turn the direction of other text.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal, or a reader's eye, could be led astray by `c`.
fn is_harmful(c: char) -> bool {
    // C0, DEL and C1 control characters: ESC, and CSI and OSC as single characters.
    c.is_control()
        || matches!(
            c,
            // Marks, embeddings, overrides and isolates of direction (Unicode TR 9), and the
            // Arabic letter mark.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separators, and characters that nobody sees. The joiners U+200C
            // and U+200D stay: many scripts and emoji are written with them.
            | '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags: an invisible copy of ASCII.
            | '\u{e0000}'..='\u{e007f}'
        )
}

/// Writes a harmful character so that it is seen and does nothing.
fn push_visible(out: &mut String, c: char) {
    match u32::from(c) {
        code @ 0..=0x1f => out.extend(char::from_u32(0x2400 + code)),
        0x7f => out.push('\u{2421}'),
        code => {
            // Writing to a string cannot fail.
            let _ = write!(out, "<U+{code:04X}>");
        }
    }
}

fn neutralize(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_harmful(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) && !keep(c) {
            push_visible(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Text that may have several lines: line feeds and tabs stay.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    neutralize(text, |c| c == '\n' || c == '\t')
}

/// Text that must stay on its line and in its column.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    neutralize(text, |_| false)
}

/// One field of a line with tabs between fields: backslash, line feed and tab are written as
/// `\\`, `\n` and `\t`, so that nothing is lost.
pub(crate) fn field(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
    neutralize(&escaped, |_| false).into_owned()
}

/// JSON, with every harmful character of its strings written as `\uXXXX`: the same value, and
/// nothing that a terminal would obey.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_pictures() {
        assert_eq!(text("\u{1b}]52;c;aGk=\u{7}x"), "␛]52;c;aGk=␇x");
        assert_eq!(text("a\u{9b}2Jb\u{7f}\r\n\tc"), "a<U+009B>2Jb␡␍\n\tc");
        assert_eq!(line("a\nb\tc"), "a␊b␉c");
        assert_eq!(field("a\\\n\tb\u{1b}"), "a\\\\\\n\\tb␛");
    }

    #[test]
    fn direction_cannot_be_turned() {
        for c in
            ['\u{202e}', '\u{2066}', '\u{200f}', '\u{061c}', '\u{2028}', '\u{feff}', '\u{e0041}']
        {
            let shown = text(&format!("a{c}b")).into_owned();
            assert_eq!(shown, format!("a<U+{:04X}>b", u32::from(c)));
        }
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for fine in ["Grüße 日本語 עברית العربية", "👩‍👩‍👧‍👦 ❤️ 1️⃣", "क्‍ष", "tab\tand\nline"]
        {
            assert!(matches!(text(fine), Cow::Borrowed(_)), "{fine}");
        }
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"a\u{9b}": "x\u{202e}\u{e0041}\u{7f}é\u{1b}"});
        let shown = json(&value.to_string()).into_owned();
        assert!(!shown.chars().any(is_harmful), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}

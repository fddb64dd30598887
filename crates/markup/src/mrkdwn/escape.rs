//! Text made safe to stand in Markdown.

/// Escapes one line of plain text, so that Markdown shows it as it is wherever it stands.
pub fn escape(text: &str) -> String {
    escape_after(text, None)
}

/// Like [`escape`], for text that follows `start` on its line.
fn escape_after(text: &str, start: Option<char>) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map_or(start, |at| chars.get(at).copied());
        let after = chars.get(at + 1).copied();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let special = match c {
            '\\' => after.is_none_or(|next| next.is_ascii_punctuation()),
            '`' | '*' | '[' | ']' | '<' | '~' => true,
            '_' => !(word(before) && word(after)),
            '&' => entity_follows(chars.get(at + 1..).unwrap_or_default()),
            '{' => matches!(before, Some('@' | '#')),
            // Marks that only mean something where a line begins.
            '#' | '>' | '+' | '-' | '=' | '|' | ':' => before.is_none(),
            '.' | ')' => {
                start.is_none() && at > 0 && chars.iter().take(at).all(char::is_ascii_digit)
            }
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

/// Writes `[label](url)`, with the label as plain text; schemes that a browser should not follow
/// from a chat are written as text instead.
pub fn link(label: &str, url: &str) -> String {
    if !is_followed(url) {
        let (label, url) = (escape(label), escape(url));
        return if label == url { url } else { format!("{label} ({url})") };
    }
    let mut out = format!("[{}](", escape_after(label, Some('[')));
    push_destination(url, &mut out);
    out.push(')');
    out
}

/// Whether links may go there: the schemes of other chats' links that ours follow too.
pub(super) fn is_followed(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "mailto"))
}

/// The destination of an inline link (`CommonMark`, section 6.3) without angle brackets.
pub(super) fn push_destination(url: &str, out: &mut String) {
    let chars: Vec<char> = url.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        match c {
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '"' => out.push_str("%22"),
            '\\' => out.push_str("%5C"),
            '`' => out.push_str("%60"),
            '{' => out.push_str("%7B"),
            '}' => out.push_str("%7D"),
            '&' if entity_follows(chars.get(at + 1..).unwrap_or_default()) => out.push_str("\\&"),
            c if c.is_whitespace() || c.is_control() => out.push_str("%20"),
            c => out.push(c),
        }
    }
}

/// Whether `&` before these characters would begin a character reference (`CommonMark`, section 2.5).
pub(super) fn entity_follows(tail: &[char]) -> bool {
    let name = tail.iter().take(33).take_while(|c| c.is_ascii_alphanumeric() || **c == '#').count();
    name > 0 && tail.get(name) == Some(&';')
}

/// Length of the longest run of `c`.
pub(crate) fn longest_run(text: &str, c: char) -> usize {
    text.split(|other| other != c).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_addresses_cannot_break_out_of_their_link() {
        assert_eq!(link("a [b](c)", "https://x/(y)"), "[a \\[b\\](c)](https://x/%28y%29)");
        assert_eq!(link("x", "javascript:alert(1)"), "x (javascript:alert(1))");
        assert_eq!(link("ssh://a", "ssh://a"), "ssh://a");
        assert_eq!(escape("# a_b _c_ &lt; @{user:x}"), "\\# a_b \\_c\\_ \\&lt; @\\{user:x}");
        assert_eq!(escape("12. x"), "12\\. x");
    }
}

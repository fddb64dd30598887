//! What a terminal is given to draw.

use serde_json::Value;

use crate::{sanitize, text};

pub(crate) fn sanitizer(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let shown = sanitize::text(text);
    assert!(!obeyed(&shown, "\n\t"), "{text:?} became {shown:?}");
    let line = sanitize::line(text);
    assert!(!obeyed(&line, ""), "{text:?} became {line:?}");
    assert!(line.lines().count() <= 1 && line.chars().count() <= 10 * text.chars().count());
    let field = sanitize::field(text);
    assert!(!obeyed(&field, ""), "{text:?} became {field:?}");
    // What is harmless already is drawn as it is.
    assert_eq!(sanitize::text(&shown), shown);
    let value = Value::from(text);
    let json = sanitize::json(&value.to_string()).into_owned();
    assert!(!obeyed(&json, ""), "{text:?} became {json:?}");
    assert_eq!(serde_json::from_str::<Value>(&json).ok(), Some(value));
}

/// Whether a terminal would do something else than to draw a character from left to right.
fn obeyed(text: &str, but: &str) -> bool {
    text.chars().filter(|c| !but.contains(*c)).any(|c| {
        matches!(c, '\0'..='\x1f' | '\x7f'..='\u{9f}')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}')
    })
}

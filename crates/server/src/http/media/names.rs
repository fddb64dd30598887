//! Names of files in headers, in both directions.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue};

/// A header as text; empty when it is not there.
pub(super) fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

/// `X-Filename`, percent-decoded (RFC 3986, section 2.1); what is no escape stands for itself.
pub(super) fn decoded(headers: &HeaderMap) -> String {
    let value = headers.get("x-filename").map(HeaderValue::as_bytes).unwrap_or_default();
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let escaped =
            after.split_at_checked(2).filter(|_| *first == b'%').and_then(|(two, after)| {
                let digits = std::str::from_utf8(two).ok()?;
                let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
                Some((u8::from_str_radix(digits, 16).ok().filter(|_| hex)?, after))
            });
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `Content-Disposition` (RFC 6266): the name in ASCII for old programs, and as it is (RFC 8187).
pub(super) fn disposition(inline: bool, name: &str) -> HeaderValue {
    let kind = if inline { "inline" } else { "attachment" };
    let plain =
        |c: char| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut text = format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    // Only visible ASCII is left.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_or_stand_for_themselves() {
        for (sent, name) in [
            ("a.png", "a.png"),
            ("%C3%BCber%20uns.pdf", "über uns.pdf"),
            ("100%", "100%"),
            ("100%.txt", "100%.txt"),
            ("%+1%zz%4", "%+1%zz%4"),
            ("%00%0d%0a", "\0\r\n"),
            ("%ff", "\u{fffd}"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-filename", HeaderValue::from_str(sent).unwrap());
            assert_eq!(decoded(&headers), name, "{sent}");
        }
        assert_eq!(decoded(&HeaderMap::new()), "");
    }

    #[test]
    fn no_name_leaves_its_header() {
        for name in ["a\r\nSet-Cookie: a=b", "\"; x=\"", "é\u{202e}", "a;b\\", "%22"] {
            let value = disposition(false, name);
            let text = value.to_str().unwrap();
            assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)), "{text}");
            assert_eq!(text.matches('"').count(), 2, "{text}");
            assert_eq!(text.matches(';').count(), 2, "{text}");
        }
        assert_eq!(
            disposition(true, "über uns.png"),
            "inline; filename=\"_ber uns.png\"; filename*=UTF-8''%C3%BCber%20uns.png"
        );
    }
}

//! What a file is, told from its bytes and never from its name.

/// How many bytes are looked at.
pub(super) const HEAD: usize = 4096;

/// Types that are known by the bytes at a place.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\x01\0", "image/x-icon"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (257, b"ustar", "application/x-tar"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"wOF2", "font/woff2"),
];

/// Types that RIFF files name at their ninth byte.
const RIFF: &[(&[u8], &str)] =
    &[(b"WEBP", "image/webp"), (b"WAVE", "audio/wav"), (b"AVI ", "video/x-msvideo")];

/// Brands of ISO base media files.
const BRANDS: &[(&[u8], &str)] = &[
    (b"avif", "image/avif"),
    (b"avis", "image/avif"),
    (b"heic", "image/heic"),
    (b"heix", "image/heic"),
    (b"mif1", "image/heif"),
    (b"M4A ", "audio/mp4"),
    (b"qt  ", "video/quicktime"),
];

/// Text that says what it is by how it begins, after white space, in lower case.
const MARKUP: &[(&str, &str)] = &[
    ("<!doctype html", "text/html"),
    ("<html", "text/html"),
    ("<head", "text/html"),
    ("<body", "text/html"),
    ("<script", "text/html"),
    ("<iframe", "text/html"),
    ("<svg", "image/svg+xml"),
    ("<?xml", "text/xml"),
];

/// What may be believed of a ZIP archive: it names the files of an office.
const ZIPPED: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "application/epub+zip",
];

/// What may be believed of a text: no program runs any of it.
const TEXTS: &[&str] =
    &["text/plain", "text/markdown", "text/csv", "text/x-diff", "application/json"];

/// The MIME type of a file that begins with these bytes. What its owner says it is counts only
/// among types that look alike and that are equally harmless.
pub(super) fn content_type(head: &[u8], declared: &str) -> &'static str {
    let declared = declared.split(';').next().unwrap_or_default().trim();
    let believed = |known: &[&'static str]| {
        known.iter().copied().find(|kind| kind.eq_ignore_ascii_case(declared))
    };
    match by_bytes(head) {
        Some("application/zip") => believed(ZIPPED).unwrap_or("application/zip"),
        Some(kind) => kind,
        None if is_text(head) => markup(head).or_else(|| believed(TEXTS)).unwrap_or("text/plain"),
        None => "application/octet-stream",
    }
}

fn by_bytes(head: &[u8]) -> Option<&'static str> {
    let at =
        |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    let named = |list: &[(&[u8], &'static str)], place: usize| {
        list.iter().find(|(brand, _)| at(place, brand)).map(|(_, kind)| *kind)
    };
    if at(0, b"RIFF") {
        return named(RIFF, 8);
    }
    if at(4, b"ftyp") {
        return named(BRANDS, 8).or(Some("video/mp4"));
    }
    let known = SIGNATURES.iter().find(|(place, bytes, _)| at(*place, bytes));
    // Two letters can begin a text too.
    known.filter(|(_, bytes, _)| bytes.len() > 2 || !is_text(head)).map(|(.., kind)| *kind)
}

/// Whether it is UTF-8 without control characters that no text has.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character may go on where the head ends.
        Err(error) if error.error_len().is_none() => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !"\t\n\r\u{c}\u{1b}".contains(c))
}

fn markup(head: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    // Comments may stand before anything else.
    while let Some(comment) = rest.strip_prefix("<!--") {
        rest = comment.split_once("-->")?.1.trim_start();
    }
    let kind = MARKUP.iter().find(|(begin, _)| rest.starts_with(begin)).map(|(_, kind)| *kind)?;
    if kind == "text/xml" {
        let is = |name: &str| text.contains(&format!("<{name}"));
        return Some(if is("svg") {
            "image/svg+xml"
        } else if is("html") {
            "text/html"
        } else {
            kind
        });
    }
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_what_a_file_is() {
        for (bytes, declared, kind) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], "text/html", "image/png"),
            (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
            (b"GIF89a\0", "", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "", "image/webp"),
            (b"RIFF\0\0\0\0????", "image/png", "application/octet-stream"),
            (b"\0\0\0\x18ftypmp42", "image/png", "video/mp4"),
            (b"\0\0\0\x18ftypavif", "", "image/avif"),
            (b"%PDF-1.7", "", "application/pdf"),
            (b"PK\x03\x04", "image/png", "application/zip"),
            (b"PK\x03\x04", ZIPPED[0], ZIPPED[0]),
            (b"hello", "image/png", "text/plain"),
            (b"a,b\n1,2\n", "text/csv; charset=utf-8", "text/csv"),
            (b"{}", "Application/JSON", "application/json"),
            (b"alert(1)", "text/javascript", "text/plain"),
            (b"BMW is a car", "", "text/plain"),
            (b"MZ\0\0", "", "application/vnd.microsoft.portable-executable"),
            (b" \n<!DOCTYPE HTML><p>", "text/plain", "text/html"),
            (b"<!-- x --><HTML>", "image/png", "text/html"),
            (b"<svg xmlns='x'>", "image/png", "image/svg+xml"),
            (b"<?xml version='1.0'?><!-- --><svg/>", "", "image/svg+xml"),
            (b"\xef\xbb\xbf<script>", "", "text/html"),
            (b"\0\x01\x02", "text/plain", "application/octet-stream"),
            (b"\xff\xfe", "text/plain", "application/octet-stream"),
        ] {
            assert_eq!(content_type(bytes, declared), kind, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_character_that_the_head_cuts_is_text() {
        let text = "é".repeat(HEAD);
        assert_eq!(content_type(&text.as_bytes()[..HEAD - 1], ""), "text/plain");
    }
}

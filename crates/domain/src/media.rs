//! Files as messages, profiles and communities carry them.

use crate::id::MediaId;

/// Longest file name, in bytes of UTF-8: what every file system takes.
pub const FILENAME_MAX: usize = 255;
/// Most files of one message.
pub const ATTACHMENTS_MAX: usize = 10;

/// A file that was uploaded: what everyone who may see it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// Its name without a path, made harmless by [`filename`].
    pub filename: String,
    /// Its MIME type, found from its bytes.
    pub content_type: String,
    /// Its size in bytes, as it is served.
    pub size: u64,
    /// SHA-256 of its bytes, as they are served.
    pub sha256: [u8; 32],
    /// Width and height in pixels, of pictures that can be drawn smaller.
    pub dimensions: Option<(u32, u32)>,
}

impl Media {
    /// Whether it is a picture, for `has:image`.
    pub fn is_image(&self) -> bool {
        self.content_type.starts_with("image/")
    }
}

/// The name under which an upload is kept: the last part of a path in either notation, without
/// control characters and without characters that change the direction of text, at most
/// [`FILENAME_MAX`] bytes with its extension kept. What is empty then is called `file`.
pub fn filename(text: &str) -> String {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = |c: &char| !c.is_control() && !is_invisible(*c);
    let clean: String = last.chars().filter(shown).collect();
    let clean = clean.trim().trim_end_matches('.');
    if clean.is_empty() {
        return "file".to_owned();
    }
    shorten(clean)
}

/// Characters that hide or reorder others: zero-width ones and those of the bidirectional
/// algorithm (Unicode Standard Annex 9).
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// A longer extension is none.
const EXTENSION_MAX: usize = 16;

fn shorten(name: &str) -> String {
    if name.len() <= FILENAME_MAX {
        return name.to_owned();
    }
    let extension = name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default();
    let extension = if extension.len() <= EXTENSION_MAX { extension } else { "" };
    let mut end = FILENAME_MAX - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", name.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_people_see_of_it() {
        for (given, kept) in [
            ("photo.jpg", "photo.jpg"),
            ("Über uns (2).pdf", "Über uns (2).pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ana\\report.docx", "report.docx"),
            ("/etc/", "file"),
            ("..", "file"),
            (".", "file"),
            ("", "file"),
            ("   ", "file"),
            (".bashrc", ".bashrc"),
            ("a\0b.txt", "ab.txt"),
            ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\u{200b}b\u{7f}.txt", "ab.txt"),
        ] {
            assert_eq!(filename(given), kept, "{given:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let long = filename(&format!("{}.tar.gz", "é".repeat(4000)));
        assert!(long.len() <= FILENAME_MAX && long.rsplit('.').next() == Some("gz"), "{long}");
        assert_eq!(filename(&"x".repeat(4096)).len(), FILENAME_MAX);
    }
}

//! Exports: writing them, and proving offline that one is whole.
//!
//! An export is a zip file of lines that are chained by hashes and signed by a signature, and of the
//! bytes of files; docs/schema/export.md has it byte for byte. [`Writer`] makes one, [`Export`]
//! checks one without asking anybody.

mod lines;
mod verify;

use std::io::{self, Seek, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidings_identity::{ExportSecret, SignedExport};
use tidings_wire::chain::{GENESIS, Hash};
use tidings_wire::export::{
    AFTER_CHAIN, BEFORE_CHAIN, Content, End, LINES, Line, line_hash, media_part,
};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub use verify::{Export, ExportError, Fault, Verified};

/// Writes an export: first the bytes of files, then the lines, then the signature.
pub struct Writer<W: Write + Seek> {
    zip: ZipWriter<W>,
    chain: Hash,
    lines: u64,
}

impl<W: Write + Seek> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Begins an export.
    pub fn new(out: W) -> Self {
        Self { zip: ZipWriter::new(out), chain: GENESIS, lines: 0 }
    }

    /// Begins the bytes of a file, whose SHA-256 in hexadecimal this is; each once.
    ///
    /// # Errors
    /// When they cannot be written, or come after a line.
    pub fn begin_media(&mut self, sha256: &str) -> io::Result<()> {
        if self.lines > 0 {
            return Err(io::Error::other("files stand before the lines of an export"));
        }
        self.begin(&media_part(sha256), CompressionMethod::Stored)
    }

    /// Bytes of the file that was begun last.
    pub fn media(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.zip.write_all(bytes)
    }

    /// The next line.
    pub fn line(&mut self, content: Content) -> io::Result<()> {
        if self.lines == 0 {
            self.begin(LINES, CompressionMethod::Deflated)?;
        }
        let line = Line { n: self.lines + 1, line: content };
        let text = serde_json::to_vec(&line)?;
        // What follows the first brace; the brace itself stands before the hash.
        let rest = text.get(1..).unwrap_or_default();
        self.chain = line_hash(&self.chain, rest);
        self.lines += 1;
        let hash = URL_SAFE_NO_PAD.encode(self.chain);
        for piece in [BEFORE_CHAIN.as_bytes(), hash.as_bytes(), AFTER_CHAIN.as_bytes(), rest, b"\n"]
        {
            self.zip.write_all(piece)?;
        }
        Ok(())
    }

    /// Signs the lines that were written, and gives what was written to.
    pub fn finish(mut self, key: &ExportSecret) -> io::Result<W> {
        let signed = SignedExport { lines: self.lines, chain: self.chain };
        self.line(Content::End(End { signature: signed.sign(key).to_base64url() }))?;
        self.zip.finish().map_err(io::Error::other)
    }

    fn begin(&mut self, name: &str, method: CompressionMethod) -> io::Result<()> {
        // The lowest level halves text already; the highest takes five times as long.
        let level = (method == CompressionMethod::Deflated).then_some(1);
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .compression_level(level)
            .large_file(true)
            .unix_permissions(0o600);
        self.zip.start_file(name, options).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests;

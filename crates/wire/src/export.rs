//! An export: the lines of the file that `tidingsd export` writes and `tidings export verify` reads.
//!
//! A line is `{"chain":"…","n":1,"line":{…}}`. `chain` hashes everything that follows it in the line
//! together with the `chain` of the line before, so that no line can be changed, taken out or moved
//! without changing all that follow, and the last one is signed. See docs/schema/export.md.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::chain::Hash;
use crate::event::Entry;
use crate::time::Time;

/// The format that this version writes and reads.
pub const FORMAT: u32 = 1;
/// The part of the zip file that has the lines.
pub const LINES: &str = "export.ndjson";
/// What every line begins with; 43 characters of base64url and [`AFTER_CHAIN`] follow.
pub const BEFORE_CHAIN: &str = "{\"chain\":\"";
/// What stands between the hash of a line and what it hashes.
pub const AFTER_CHAIN: &str = "\",";

/// The part of the zip file with the bytes of a file, by their SHA-256 in hexadecimal.
pub fn media_part(sha256: &str) -> String {
    format!("media/{sha256}")
}

/// Chains a line to the one before it; 32 zero bytes stand before the first. `rest` is the line from
/// behind [`AFTER_CHAIN`] to its end, without the line break.
pub fn line_hash(prev: &Hash, rest: &[u8]) -> Hash {
    Sha256::new().chain_update(prev).chain_update(rest).finalize().into()
}

/// One line, without its hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// Which line it is, from 1.
    pub n: u64,
    /// What it says.
    pub line: Content,
}

/// What a line says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// What the file is; the first line.
    Export(Head),
    /// A log; its entries follow.
    Log(LogHead),
    /// An entry of the log that was named last.
    Entry(Entry),
    /// Something that the server keeps beside the log.
    Record(Record),
    /// A file that somebody uploaded.
    Media(MediaPart),
    /// The signature; the last line.
    End(End),
}

/// What an export is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Subject {
    /// A community.
    Community,
    /// A channel, or direct messages.
    Channel,
    /// A person, or a bot.
    User,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The format; this is 1.
    pub format: u32,
    /// What it is an export of.
    pub kind: Subject,
    /// The id of that.
    pub id: Uuid,
    /// Its name, for people.
    pub name: String,
    /// Whether private channels and direct messages may be in it.
    pub private: bool,
    /// The position up to which it has everything, in the order of the server's commits.
    pub head: u64,
    /// When it was made.
    pub made_at: Time,
    /// The version of the program that made it.
    pub made_by: String,
    /// The public half of the key that signs it, as `ed25519:…`.
    pub key: String,
}

/// A log in an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// `c:<channel>`, `g:<community>` or `u:<user>`.
    pub log: String,
    /// The hash of its newest entry, base64url without padding, when all entries follow; absent when
    /// only those of one person do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// How many entries the whole log has, when all of them follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
}

/// A row of a table that is about the person whose export it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The table.
    pub table: String,
    /// Its columns that hold no secret.
    pub row: serde_json::Map<String, serde_json::Value>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaPart {
    /// Its id.
    pub id: Uuid,
    /// What its uploader called it.
    pub filename: String,
    /// What its bytes are.
    pub content_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// SHA-256 of them in hexadecimal; the name of its part in the zip file.
    pub sha256: String,
    /// Whether its bytes are in the export; not when they were removed meanwhile.
    pub kept: bool,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Ed25519 over `tidings/v1/export`, the number of lines before this one, and the hash of the
    /// last of them in hexadecimal, joined by line breaks; base64url without padding.
    pub signature: String,
}

//! Proving that an export is whole.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tidings_domain::{CommunityId, LogId, Seq, UserId};
use tidings_identity::{PublicKey, Signature, SignedExport};
use tidings_wire::Entry;
use tidings_wire::chain::{GENESIS, Hash, commitment, entry_hash};
use tidings_wire::event::Header;
use tidings_wire::export::{Content, FORMAT, Head, LINES, LogHead, Subject, media_part};
use tidings_wire::time::Time;
use zip::ZipArchive;

use super::lines::Lines;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Its bytes cannot be unpacked.
    #[error("cannot be unpacked")]
    Damaged,
    /// It is not what its hash says.
    #[error("was changed")]
    Changed,
    /// Another one stands in its place, and it comes nowhere.
    #[error("is missing")]
    Missing,
    /// Another one stands in its place, and it comes later.
    #[error("is not in its place")]
    Moved,
    /// The file ends before it, or within it.
    #[error("is not there: the export was cut off")]
    CutOff,
    /// It stands behind the end.
    #[error("stands behind the end")]
    Surplus,
    /// It is whole, but says nothing that this version knows, or not where it may stand.
    #[error("is none that this version knows, or stands where it may not")]
    Unknown,
    /// A newer version has written the file.
    #[error("says that the format is {found}, and this version reads {FORMAT}")]
    Format {
        /// The format.
        found: u32,
    },
    /// The entry's data is not what the log committed to.
    #[error("has data that its log has not committed to")]
    Data,
    /// The entry does not follow the one before it in its log.
    #[error("does not follow the entry before it in its log")]
    Order,
    /// The entry's hash is not that of its header.
    #[error("has a header that its hash does not cover")]
    Header,
    /// The log ends before its head.
    #[error("comes before all entries of {log} have come")]
    Incomplete {
        /// The log.
        log: String,
    },
    /// The file that it names is not in the export.
    #[error("names a file that is missing")]
    MediaMissing,
    /// The file that it names has other bytes.
    #[error("names a file whose bytes were changed")]
    MediaChanged,
    /// Another key than the one that was expected signs the export.
    #[error("says that {found} signs, which is not the key that you gave")]
    ForeignKey {
        /// The key in the file.
        found: String,
    },
    /// The signature is not of the key that the file names.
    #[error("has a signature that is not of the key in the export, or not over these lines")]
    Signature,
}

/// Why an export proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It is no zip file, or its end is missing.
    #[error("it is no export, or it was cut off: {detail}")]
    Unreadable {
        /// What is wrong with the zip.
        detail: String,
    },
    /// It holds something that no line names.
    #[error("it holds {name}, which no line names")]
    Part {
        /// The part of the zip file.
        name: String,
    },
    /// A line is wrong; all before it are right.
    #[error("line {line} {fault}")]
    Line {
        /// Which one, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// What the export is of.
    pub kind: Subject,
    /// The id of that.
    pub id: uuid::Uuid,
    /// Its name, for people.
    pub name: String,
    /// When it was made.
    pub made_at: Time,
    /// The program that made it.
    pub made_by: String,
    /// The key that signs it, as `ed25519:…`.
    pub key: String,
    /// Whether that is the key that was expected; `false` when none was given.
    pub key_matches: bool,
    /// Lines, the last too.
    pub lines: u64,
    /// Logs that are whole.
    pub logs: u64,
    /// Logs of which one person's entries are there.
    pub partial_logs: u64,
    /// Entries.
    pub entries: u64,
    /// Entries whose data was erased.
    pub erased: u64,
    /// Records beside the log.
    pub records: u64,
    /// Files.
    pub media: u64,
    /// Files whose bytes were gone when the export was made.
    pub media_gone: u64,
}

/// An export that was opened.
pub struct Export<R> {
    zip: ZipArchive<R>,
}

impl<R> std::fmt::Debug for Export<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").finish_non_exhaustive()
    }
}

impl<R: Read + Seek> Export<R> {
    /// Finds the parts of the file.
    pub fn open(from: R) -> Result<Self, ExportError> {
        let zip = ZipArchive::new(from).map_err(|e| unreadable(&e))?;
        Ok(Self { zip })
    }

    /// How many bytes will be looked at.
    pub fn bytes(&mut self) -> u64 {
        (0..self.zip.len())
            .filter_map(|part| self.zip.by_index_raw(part).ok().map(|part| part.size()))
            .sum()
    }

    /// Reads everything and proves it; `progress` is told of bytes as they are read. With `key`, the
    /// export must be signed by it.
    ///
    /// # Errors
    /// Naming the first line that is wrong.
    pub fn verify(
        &mut self,
        key: Option<PublicKey>,
        mut progress: impl FnMut(u64),
    ) -> Result<Verified, ExportError> {
        let part = self.zip.by_name(LINES).map_err(|e| unreadable(&e))?;
        let mut lines = Lines::new(BufReader::with_capacity(1 << 16, part));
        let (verified, media) = read(&mut lines, key, &mut progress)?;
        drop(lines);
        self.parts(&media)?;
        // In the order of lines, so that the first wrong one is named.
        let mut media: Vec<_> = media.into_iter().collect();
        media.sort_unstable_by_key(|(_, (line, _))| *line);
        for (sha256, (line, size)) in media {
            let wrong = |fault| ExportError::Line { line, fault };
            let part = self.zip.by_name(&media_part(&sha256));
            let mut part = part.map_err(|_| wrong(Fault::MediaMissing))?;
            let (digest, read) =
                digest_of(&mut part, &mut progress).map_err(|_| wrong(Fault::MediaChanged))?;
            if hex::encode(digest) != sha256 || read != size {
                return Err(wrong(Fault::MediaChanged));
            }
        }
        Ok(verified)
    }

    /// Everything in the file is named by a line.
    fn parts(&self, media: &Media) -> Result<(), ExportError> {
        let known = |name: &str| {
            name == LINES
                || name.strip_prefix("media/").is_some_and(|sha256| media.contains_key(sha256))
        };
        for name in self.zip.file_names() {
            let name = name.map_err(|e| unreadable(&e))?;
            if !known(&name) {
                return Err(ExportError::Part { name: name.into_owned() });
            }
        }
        Ok(())
    }
}

/// SHA-256 in hexadecimal of the files that must be there, with the first line that names each, and
/// how many bytes it has.
type Media = BTreeMap<String, (u64, u64)>;

fn unreadable(error: &zip::result::ZipError) -> ExportError {
    ExportError::Unreadable { detail: error.to_string() }
}

fn digest_of(
    part: &mut impl Read,
    progress: &mut impl FnMut(u64),
) -> std::io::Result<([u8; 32], u64)> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut all = 0;
    loop {
        let count = part.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        digest.update(read);
        all += count as u64;
        progress(count as u64);
    }
    Ok((digest.finalize().into(), all))
}

fn read<R: std::io::BufRead>(
    lines: &mut Lines<R>,
    key: Option<PublicKey>,
    progress: &mut dyn FnMut(u64),
) -> Result<(Verified, Media), ExportError> {
    let at = |line: u64| move |fault: Fault| ExportError::Line { line, fault };
    let Content::Export(head) = lines.next(progress).map_err(at(1))? else {
        return Err(at(1)(Fault::Unknown));
    };
    let signer = signer(&head, key).map_err(at(1))?;
    let mut verified = begin(head, key.is_some());
    let mut media = Media::new();
    let mut log: Option<Log> = None;
    loop {
        let line = lines.read + 1;
        let so_far = SignedExport { lines: lines.read, chain: lines.chain };
        let content = lines.next(progress).map_err(at(line))?;
        if let Content::Entry(entry) = &content {
            let log = log.as_mut().ok_or_else(|| at(line)(Fault::Unknown))?;
            log.take(entry).map_err(at(line))?;
            verified.entries += 1;
            verified.erased += u64::from(entry.data.is_none());
            continue;
        }
        if let Some(log) = log.take() {
            log.end().map_err(at(line))?;
        }
        match content {
            Content::Log(head) => {
                let begun = Log::begin(head).ok_or_else(|| at(line)(Fault::Unknown))?;
                let count =
                    if begun.whole { &mut verified.logs } else { &mut verified.partial_logs };
                *count += 1;
                log = Some(begun);
            }
            Content::Record(_) => verified.records += 1,
            Content::Media(part) => {
                verified.media += 1;
                if part.kept {
                    media.entry(part.sha256).or_insert((line, part.size));
                } else {
                    verified.media_gone += 1;
                }
            }
            Content::End(end) => {
                let signature = Signature::from_base64url(&end.signature);
                let signature = signature.map_err(|_| at(line)(Fault::Signature))?;
                so_far.verify(signer, &signature).map_err(|_| at(line)(Fault::Signature))?;
                if lines.has_more() {
                    return Err(at(line + 1)(Fault::Surplus));
                }
                verified.lines = lines.read;
                return Ok((verified, media));
            }
            _ => return Err(at(line)(Fault::Unknown)),
        }
    }
}

fn signer(head: &Head, key: Option<PublicKey>) -> Result<PublicKey, Fault> {
    if head.format != FORMAT {
        return Err(Fault::Format { found: head.format });
    }
    let found: PublicKey = head.key.parse().map_err(|_| Fault::Unknown)?;
    match key {
        Some(key) if key != found => Err(Fault::ForeignKey { found: found.to_string() }),
        _ => Ok(found),
    }
}

fn begin(head: Head, key_matches: bool) -> Verified {
    Verified {
        kind: head.kind,
        id: head.id,
        name: head.name,
        made_at: head.made_at,
        made_by: head.made_by,
        key: head.key,
        key_matches,
        lines: 0,
        logs: 0,
        partial_logs: 0,
        entries: 0,
        erased: 0,
        records: 0,
        media: 0,
        media_gone: 0,
    }
}

/// A log while its entries come.
struct Log {
    name: String,
    id: LogId,
    /// Whether all entries must come.
    whole: bool,
    /// What the last one must be.
    head: Option<(u64, Hash)>,
    seq: u64,
    hash: Hash,
}

impl Log {
    fn begin(head: LogHead) -> Option<Self> {
        let id = head.log.parse().ok()?;
        let end = match (head.entries, head.head) {
            (Some(entries), Some(head)) => Some((entries, hash(&head)?)),
            (None, None) => None,
            _ => return None,
        };
        Some(Self { name: head.log, id, whole: end.is_some(), head: end, seq: 0, hash: GENESIS })
    }

    fn take(&mut self, entry: &Entry) -> Result<(), Fault> {
        let bytes = |text: &str| hash(text).ok_or(Fault::Header);
        let (prev, own) = (bytes(&entry.prev)?, bytes(&entry.hash)?);
        let committed = bytes(&entry.commitment)?;
        let follows = if self.whole {
            entry.seq == self.seq + 1 && prev == self.hash
        } else {
            entry.seq > self.seq
        };
        if !follows {
            return Err(Fault::Order);
        }
        match (&entry.data, &entry.salt) {
            (None, None) => {}
            (Some(data), Some(salt)) => {
                let salt = hash(salt).ok_or(Fault::Data)?;
                if commitment(&salt, data.get().as_bytes()) != committed {
                    return Err(Fault::Data);
                }
            }
            _ => return Err(Fault::Data),
        }
        let header = Header {
            actor: UserId(entry.actor_id),
            community: entry.community_id.map(CommunityId),
            log: self.id,
            seq: Seq(entry.seq),
            at: entry.timestamp.into(),
            kind: &entry.kind,
        };
        let same_log = entry.log == self.name
            && entry.channel_id == self.id.channel().map(|channel| channel.0);
        if !same_log || entry_hash(&prev, &header.encode(), &committed) != own {
            return Err(Fault::Header);
        }
        (self.seq, self.hash) = (entry.seq, own);
        Ok(())
    }

    fn end(self) -> Result<(), Fault> {
        match self.head {
            Some(head) if head != (self.seq, self.hash) => {
                Err(Fault::Incomplete { log: self.name })
            }
            _ => Ok(()),
        }
    }
}

fn hash(text: &str) -> Option<Hash> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

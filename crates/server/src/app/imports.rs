//! Imports from other chats: records with a `source_id`, each of which is made at most once.

mod build;
mod names;

use std::collections::{HashMap, HashSet};

use tidings_domain::{CommunityId, Timestamp};
use tidings_storage::{Change, ChangeError, Precondition, Refusal, StorageError};
use tidings_wire::import::{ImportError, ImportResult, Record, Reference, References, SourceId};
use uuid::Uuid;

use super::App;
use crate::access::{Importer, ServerOwner};
use crate::error::ApiError;
use build::{Build, Taken};

/// The name of the setting that lists communities that wait for the first account to own them: 16
/// bytes each.
pub(super) const UNOWNED: &str = "unowned_communities";

/// How many records are committed together: enough to share one fsync, few enough that people who
/// write at the same time do not wait.
pub const BATCH: usize = 250;
/// Longest line, in bytes: a body of 16,000 characters, escaped, and thousands of reactions.
pub const LINE_MAX: usize = 1 << 20;
/// How many sources the store is asked for at a time.
const SOURCES_MAX: usize = 10_000;
/// How often a batch is built anew when something changed while it was built.
const ATTEMPTS: usize = 8;

/// From [`App::imports`].
#[derive(Debug, Clone, Copy)]
pub struct Imports<'a>(pub(super) &'a App);

/// One line of an import, read or not.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the batch, from 1.
    pub number: u64,
    /// What it says, or why it cannot be read.
    pub record: Result<Record, String>,
}

impl Line {
    /// Reads one line of NDJSON; `None` when it is blank.
    pub fn read(number: u64, bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return None;
        }
        let record = serde_json::from_slice(bytes).map_err(|error| error.to_string());
        Some(Self { number, record })
    }
}

/// Why one record is refused.
#[derive(Debug)]
struct Refused {
    code: &'static str,
    detail: String,
}

impl Refused {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Why a record is not in a change: it is at fault, or we are.
#[derive(Debug)]
enum Failure {
    Record(Refused),
    Server(ApiError),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Record(refused)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Server(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Server(error.into())
    }
}

impl Imports<'_> {
    /// Notes that the server's owner imports, before anything is written: an import is many
    /// changes, and may break off after any of them.
    pub async fn begin(&self, right: &ServerOwner) -> Result<(), ApiError> {
        let records = vec![self.0.act(right.actor(), None, "import.apply").record()];
        self.0.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// Makes what is new of a batch, and says what became of each record. A bad record is reported
    /// and the others go in. What was made before is skipped, so any batch may be sent again after
    /// an error or a crash.
    ///
    /// # Errors
    /// When the store fails; what was committed before stays.
    pub async fn apply(&self, _: &Importer, lines: &[Line]) -> Result<ImportResult, ApiError> {
        let mut total = ImportResult::default();
        for batch in lines.chunks(BATCH) {
            let result = self.apply_batch(batch).await?;
            total.created += result.created;
            total.skipped += result.skipped;
            total.errors.extend(result.errors);
        }
        Ok(total)
    }

    async fn apply_batch(&self, lines: &[Line]) -> Result<ImportResult, ApiError> {
        let mut taken = Taken::default();
        for _ in 0..ATTEMPTS {
            let known = self.sources(lines).await?;
            let mut build = Build::new(self.0, known, &taken);
            for line in lines {
                build.add(line).await?;
            }
            let (change, result) = build.finish();
            if change.records.is_empty() && change.entries.is_empty() {
                return Ok(result);
            }
            match self.0.commit(change).await {
                Ok(_) => return Ok(result),
                Err(ChangeError::Refused(Refusal::Precondition(precondition))) => {
                    match precondition {
                        // Somebody else was faster: look again, under other names.
                        Precondition::SourceFree(_) | Precondition::SlugFree(..) => {}
                        Precondition::UsernameFree(name) => drop(taken.usernames.insert(name)),
                        Precondition::ChannelNameFree(community, name, _) => {
                            taken.channels.insert((community, name));
                        }
                        other => return Err(ChangeError::from(Refusal::Precondition(other)).into()),
                    }
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(ApiError::conflict("Another import of the same records is running. Try again."))
    }

    /// What was made from the sources that the lines name.
    async fn sources(&self, lines: &[Line]) -> Result<HashMap<String, Uuid>, ApiError> {
        let records = lines.iter().filter_map(|line| line.record.as_ref().ok());
        let mut wanted: HashSet<&str> = HashSet::new();
        for record in records {
            each_source(record, |source| {
                wanted.insert(source);
            });
        }
        let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        let mut known = HashMap::with_capacity(wanted.len());
        for part in wanted.chunks(SOURCES_MAX) {
            let found = self.0.store().sources(part).await?;
            for (source, target) in part.iter().zip(found) {
                if let Some(target) = target {
                    known.insert(source.clone(), target);
                }
            }
        }
        Ok(known)
    }

    /// Communities that wait for the first account to own them.
    pub(super) async fn unowned(&self) -> Result<Vec<CommunityId>, ApiError> {
        let kept = self.0.store().setting(UNOWNED).await?.unwrap_or_default();
        let (ids, _) = kept.as_chunks::<16>();
        Ok(ids.iter().map(|id| CommunityId(Uuid::from_bytes(*id))).collect())
    }
}

/// Every source that a record names, its own first.
fn each_source<'a>(record: &'a Record, mut take: impl FnMut(&'a str)) {
    fn ids<'a>(list: impl IntoIterator<Item = &'a SourceId>, take: &mut impl FnMut(&'a str)) {
        list.into_iter().for_each(|id| take(id.as_str()));
    }
    take(record.source_id().as_str());
    let mut text = None;
    match record {
        Record::Channel(channel) => {
            take(channel.community.as_str());
            ids(channel.creator.iter().chain(&channel.members), &mut take);
            text = Some(channel.topic.as_str());
            if let Some(purpose) = &channel.purpose {
                each_reference(purpose, &mut take);
            }
        }
        Record::Message(message) => {
            ids([&message.channel, &message.author], &mut take);
            ids(&message.thread, &mut take);
            message.reactions.iter().for_each(|reaction| ids(&reaction.users, &mut take));
            text = Some(message.body.as_str());
        }
        Record::Join(it) | Record::Leave(it) => ids([&it.channel, &it.user], &mut take),
        Record::Topic(topic) => {
            ids([&topic.channel, &topic.user], &mut take);
            text = Some(topic.topic.as_str());
        }
        _ => {}
    }
    if let Some(text) = text {
        each_reference(text, &mut take);
    }
}

fn each_reference<'a>(text: &'a str, take: &mut impl FnMut(&'a str)) {
    for (_, reference) in References::new(text) {
        if let Reference::User(source) | Reference::Channel(source) = reference {
            take(source);
        }
    }
}

fn error(line: &Line, source: Option<&SourceId>, refused: Refused) -> ImportError {
    ImportError {
        line: line.number,
        source_id: source.cloned(),
        code: refused.code.to_owned(),
        detail: refused.detail,
    }
}

/// The earliest and latest times that an import may name: they must be dates that can be written.
fn check_time(at: Timestamp) -> Result<Timestamp, Refused> {
    let year_10_000 = 253_402_300_800_000;
    if (0..year_10_000).contains(&at.0) {
        Ok(at)
    } else {
        Err(Refused::new("bad_time", "must lie between the years 1970 and 9999"))
    }
}

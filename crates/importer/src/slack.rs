//! Slack's workspace export: a zip file with `users.json`, `channels.json` and a file for each
//! channel and day.

mod convert;
mod directory;
mod lists;
mod raw;
mod survey;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use tidings_domain::name;
use tidings_wire::import::{self, Record};

use crate::archive::{Archive, Entry as DayFile, EntryError};
use crate::names;
use crate::report::Report;
use convert::{Conversation, convert};
use directory::Directory;
use lists::{Channel, channel_record};
use raw::Ts;
use survey::Survey;

pub use crate::archive::{ArchiveError, Limits};

/// How an export is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The slug of the community that the channels go to.
    pub slug: String,
    /// The name that it gets when it has to be made; the slug when absent.
    pub community_name: Option<String>,
    /// What the archive may hold.
    pub limits: Limits,
}

impl Options {
    /// Into the community `slug`, with the usual limits.
    pub fn into_community(slug: impl Into<String>) -> Self {
        Self { slug: slug.into(), community_name: None, limits: Limits::default() }
    }
}

/// Why an export is refused as a whole. Single records that are bad never are a reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is not there or may not be read.
    #[error("cannot open {path}")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is no zip file, or too large.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file without which nothing can be imported is missing.
    #[error("this is not a Slack export: it has no {file}")]
    Missing {
        /// Its name.
        file: &'static str,
    },
    /// A file without which nothing can be imported cannot be read.
    #[error("{file} of the export cannot be read: {reason}")]
    Unreadable {
        /// Its name.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The slug breaks the rule for slugs.
    #[error("the community's slug {slug:?} {source}")]
    Slug {
        /// What was given.
        slug: String,
        /// The rule.
        #[source]
        source: name::NameError,
    },
}

/// Why reading stops before the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The zip file can no longer be read. Going on without a part of it could tear threads apart
    /// for good, so nothing after this point is made; running again continues here.
    #[error("the zip file cannot be read any further")]
    File(#[source] std::io::Error),
}

/// What is in an export, as far as its directory tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Users in the list of users.
    pub users: u64,
    /// Channels, private ones included.
    pub channels: u64,
    /// Day files of these channels.
    pub files: u64,
    /// Unpacked bytes of these files.
    pub bytes: u64,
}

/// How far the reading is, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of day files that have been read, in both passes.
    pub done_bytes: u64,
    /// Bytes that will have been read at the end: every day file twice.
    pub total_bytes: u64,
    /// Entries that have been turned into records, or passed over.
    pub done_entries: u64,
    /// All entries; `None` until the first pass is through, which is before the first record.
    pub total_entries: Option<u64>,
}

/// An opened export: its lists are read, its days are not.
#[derive(Debug)]
pub struct ExportReader<R = BufReader<File>> {
    archive: Archive<R>,
    directory: Directory,
    community: import::Community,
    users: Vec<import::User>,
    channels: Vec<Channel>,
    direct: Vec<DayFile>,
    report: Report,
    totals: Totals,
}

impl ExportReader {
    /// Opens the zip file at `path` and reads its lists of users and channels.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let file = File::open(path)
            .map_err(|source| OpenError::File { path: path.display().to_string(), source })?;
        Self::new(BufReader::new(file), options)
    }
}

impl<R: Read + Seek> ExportReader<R> {
    /// Like [`ExportReader::open`], from anything that reads and seeks.
    pub fn new(reader: R, options: &Options) -> Result<Self, OpenError> {
        name::slug(&options.slug)
            .map_err(|source| OpenError::Slug { slug: options.slug.clone(), source })?;
        let mut archive = Archive::open(reader, options.limits)?;
        let mut report = Report::default();
        let users = lists::required::<_, raw::User>(&mut archive, "users.json", &mut report)?;
        let users: Vec<_> = lists::with_ids("users.json", users, |it| it.id.clone(), &mut report);
        let workspace = lists::team(&users).unwrap_or_else(|| options.slug.clone());
        let mut directory = Directory::new(&workspace);
        let users = directory.add_users(users, &mut report);
        let channels = lists::channels(&mut archive, &mut directory, &mut report)?;
        let direct = lists::direct(&mut archive, &mut report)?;
        for (folder, days) in &archive.folders {
            if let Some(day) = days.first() {
                let reason =
                    format!("no list of channels has {folder:?}; its files are passed over");
                report.bad_files += u64::try_from(days.len()).unwrap_or(u64::MAX);
                report.note(&day.path, None, reason);
            }
        }
        let days = || channels.iter().flat_map(|it| &it.days);
        let totals = Totals {
            users: report.users,
            channels: report.channels,
            files: u64::try_from(days().count()).unwrap_or(u64::MAX),
            bytes: days().map(|day| day.size).sum(),
        };
        let shown = [options.community_name.as_deref(), Some(options.slug.as_str())];
        let community = import::Community {
            source_id: directory.community(),
            slug: options.slug.clone(),
            name: names::display(shown.into_iter().flatten(), name::CHANNEL_NAME_MAX)
                .unwrap_or_else(|| options.slug.clone()),
        };
        Ok(Self { archive, directory, community, users, channels, direct, report, totals })
    }

    /// How much there is.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Begins to read the days.
    pub fn records(self) -> Records<R> {
        let total_bytes = self.totals.bytes.saturating_mul(2);
        Records {
            archive: self.archive,
            directory: self.directory,
            community: Some(self.community),
            users: self.users,
            channels: self.channels.into(),
            direct: self.direct,
            report: self.report,
            queue: VecDeque::new(),
            current: None,
            progress: Progress { done_bytes: 0, total_bytes, done_entries: 0, total_entries: None },
            failed: false,
        }
    }
}

/// The records of an export: the community, the users, the channels, then what happened in one
/// channel after the other, oldest first. Taking the first record looks through the whole export
/// once; after that there are at most two days of one channel in memory.
///
/// What is broken is in [`Records::report`] and never stops the rest; the only error is a file that
/// the system no longer gives out, and it is the last item.
#[derive(Debug)]
pub struct Records<R = BufReader<File>> {
    archive: Archive<R>,
    directory: Directory,
    /// Taken by the first call.
    community: Option<import::Community>,
    users: Vec<import::User>,
    channels: VecDeque<Channel>,
    direct: Vec<DayFile>,
    report: Report,
    queue: VecDeque<Record>,
    current: Option<Current>,
    progress: Progress,
    failed: bool,
}

/// The channel that is being read.
#[derive(Debug)]
struct Current {
    conversation: Conversation,
    days: VecDeque<DayFile>,
    /// Entries with the path of their file, read but not yet converted, ordered by time.
    pending: VecDeque<(convert::Entry, Arc<str>)>,
    /// The newest that has been converted.
    newest: Option<Ts>,
}

impl<R> Records<R> {
    /// What was found so far; complete after the last record.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// How far it is.
    pub const fn progress(&self) -> Progress {
        Progress { done_entries: self.report.entries, ..self.progress }
    }
}

impl<R: Read + Seek> Iterator for Records<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.queue.pop_front() {
                return Some(Ok(record));
            }
            if self.failed {
                return None;
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<R: Read + Seek> Records<R> {
    /// Reads on until there is something in the queue or nothing is left; `false` at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        if let Some(community) = self.community.take() {
            self.begin(&community)?;
            return Ok(true);
        }
        let Some(mut current) = self.current.take() else {
            let Some(channel) = self.channels.pop_front() else { return Ok(false) };
            self.current = Some(Current {
                conversation: Conversation::new(self.directory.source_id(&channel.id)),
                days: channel.days.into(),
                pending: VecDeque::new(),
                newest: None,
            });
            return Ok(true);
        };
        let day = current.days.pop_front();
        let more = day.is_some();
        let entries = match day {
            Some(day) => self.read_day(&day)?,
            None => Vec::new(),
        };
        // A day may reach into the one before it, when an export was put together by hand. What
        // is older than anything in the new day is settled.
        let settled = entries.iter().map(|(entry, _)| entry.ts).min();
        self.convert_until(&mut current, settled);
        current.pending.extend(entries);
        current.pending.make_contiguous().sort_by_key(|(entry, _)| entry.ts);
        if more {
            self.current = Some(current);
        } else {
            self.convert_until(&mut current, None);
        }
        Ok(true)
    }

    /// The first pass, and the records of everything that has a name.
    fn begin(&mut self, community: &import::Community) -> Result<(), ReadError> {
        let mut survey = Survey::default();
        for index in 0..self.channels.len() {
            let Some(channel) = self.channels.get(index) else { break };
            for day in &channel.days {
                match self.archive.read(day) {
                    Ok(bytes) => survey.look(&channel.id, &bytes, &self.directory),
                    Err(EntryError::System(error)) => return Err(ReadError::File(error)),
                    // The second pass meets it again and reports it.
                    Err(_) => {}
                }
                self.progress.done_bytes = self.progress.done_bytes.saturating_add(day.size);
            }
        }
        for day in std::mem::take(&mut self.direct) {
            if let Ok(bytes) = self.archive.read(&day)
                && let Ok(elements) = raw::elements(&bytes)
            {
                self.report.direct_messages += u64::try_from(elements.len()).unwrap_or_default();
            }
        }
        self.progress.total_entries = Some(survey.entries);
        let strangers =
            self.directory.add_strangers(std::mem::take(&mut survey.strangers), &mut self.report);
        self.queue.push_back(Record::Community(community.clone()));
        let users = std::mem::take(&mut self.users).into_iter().chain(strangers);
        self.queue.extend(users.map(Record::User));
        for channel in &mut self.channels {
            let seen = survey.channels.remove(&channel.id).unwrap_or_default();
            let record =
                channel_record(channel, community, &seen, &self.directory, &mut self.report);
            self.queue.push_back(Record::Channel(record));
        }
        Ok(())
    }

    fn read_day(&mut self, day: &DayFile) -> Result<Vec<(convert::Entry, Arc<str>)>, ReadError> {
        self.progress.done_bytes = self.progress.done_bytes.saturating_add(day.size);
        let bytes = match self.archive.read(day) {
            Ok(bytes) => bytes,
            Err(EntryError::System(error)) => return Err(ReadError::File(error)),
            Err(error) => {
                self.report.bad_file(&day.path, error.to_string());
                return Ok(Vec::new());
            }
        };
        let elements = match raw::elements(&bytes) {
            Ok(elements) => elements,
            Err(error) => {
                self.report.bad_file(&day.path, format!("it is not a list in JSON: {error}"));
                return Ok(Vec::new());
            }
        };
        let path: Arc<str> = day.path.as_str().into();
        let mut entries = Vec::with_capacity(elements.len());
        for (index, element) in elements.into_iter().enumerate() {
            self.report.entries += 1;
            match entry(index, element.get()) {
                Ok(entry) => entries.push((entry, Arc::clone(&path))),
                Err(reason) => self.report.bad_record(&day.path, index, reason),
            }
        }
        Ok(entries)
    }

    /// Converts what is pending and older than `settled`, or everything.
    fn convert_until(&mut self, current: &mut Current, settled: Option<Ts>) {
        while let Some((entry, path)) =
            current.pending.pop_front_if(|(entry, _)| settled.is_none_or(|ts| entry.ts < ts))
        {
            if current.newest.is_some_and(|newest| entry.ts < newest) {
                self.report.out_of_order += 1;
            }
            current.newest = current.newest.max(Some(entry.ts));
            self.queue.extend(convert(
                entry,
                &path,
                &mut current.conversation,
                &self.directory,
                &mut self.report,
            ));
        }
    }
}

fn entry(index: usize, json: &str) -> Result<convert::Entry, String> {
    let message: raw::Message =
        serde_json::from_str(json).map_err(|error| format!("it cannot be read: {error}"))?;
    if message.kind.as_deref().is_some_and(|kind| kind != "message") {
        let kind: String = message
            .kind
            .into_iter()
            .flat_map(|it| it.chars().take(64).collect::<Vec<_>>())
            .collect();
        return Err(format!("it is no message but {kind:?}"));
    }
    let Some(text) = &message.ts else { return Err("it has no `ts`".to_owned()) };
    let ts = Ts::parse(text).ok_or_else(|| {
        format!("its `ts` is no time: {:?}", text.chars().take(40).collect::<String>())
    })?;
    Ok(convert::Entry { ts, index, message })
}

//! What an import found, for the person who runs it.

use std::collections::BTreeMap;
use std::fmt;

/// How many [`Note`]s are kept; beyond that they are only counted. A thousand lines are more than a
/// person reads, and a broken export of millions of records must not fill the memory.
pub const NOTES_MAX: usize = 1_000;

/// How often each kind of thing came up. Complete once the last record has been taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Users of the export's list of users.
    pub users: u64,
    /// Users, bots included, that the list does not have, but that wrote, joined or reacted.
    pub ghosts: u64,
    /// Bots among `users` and `ghosts`.
    pub bots: u64,
    /// Channels, private ones included.
    pub channels: u64,
    /// Private channels.
    pub private_channels: u64,
    /// Entries of the day files that were read, whatever became of them.
    pub entries: u64,
    /// Messages, those of the following kinds included.
    pub messages: u64,
    /// Joins, which become log entries.
    pub joins: u64,
    /// Leaves, which become log entries.
    pub leaves: u64,
    /// Changes of topic, which become log entries.
    pub topics: u64,
    /// Messages of programs.
    pub bot_messages: u64,
    /// Messages in the third person (`/me`).
    pub me_messages: u64,
    /// Files that messages refer to; their content is not in an export.
    pub files: u64,
    /// Messages that had been edited.
    pub edits: u64,
    /// Threads: top-level messages with at least one reply.
    pub threads: u64,
    /// Replies in these threads.
    pub replies: u64,
    /// Replies that were sent to the channel too.
    pub broadcasts: u64,
    /// Replies whose root is not in the export; they become top-level, with a note in the text.
    pub orphan_replies: u64,
    /// Reactions, counted by person.
    pub reactions: u64,
    /// Notices that a message was pinned.
    pub pins: u64,
    /// Other notices of the service (purpose, name, archive), kept as messages.
    pub notices: u64,
    /// Messages that had been deleted, kept as tombstones.
    pub tombstones: u64,
    /// Messages that were cut into several because they were too long.
    pub split_messages: u64,
    /// The additional messages that came of that.
    pub split_parts: u64,
    /// Entries that came before one that is older; they stand where the export has them.
    pub out_of_order: u64,
    /// Entries with the time of another one in the same channel; only the first is kept.
    pub duplicates: u64,
    /// Traces of edits and deletions that the export has beside their result; passed over.
    pub skipped_events: u64,
    /// Kinds of message that this version does not know, with how many; kept as messages.
    pub unknown_subtypes: BTreeMap<String, u64>,
    /// Members of channels whom the list of users does not have; left out.
    pub unknown_members: u64,
    /// Reactions left out because their name cannot be an emoji, or there were more than 50 kinds.
    pub dropped_reactions: u64,
    /// Direct conversations, which are not imported.
    pub direct_conversations: u64,
    /// Messages in them.
    pub direct_messages: u64,
    /// Records that could not be read and were passed over.
    pub bad_records: u64,
    /// Files that could not be read and were passed over.
    pub bad_files: u64,
    /// What was passed over and why, in the order of the export; at most [`NOTES_MAX`].
    pub notes: Vec<Note>,
}

/// Something that could not be imported as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file inside of the export.
    pub file: String,
    /// Which element of the file's list, from 0; `None` when it is about the whole file.
    pub index: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

impl Report {
    pub(crate) fn note(&mut self, file: &str, index: Option<usize>, reason: impl Into<String>) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(Note { file: file.to_owned(), index, reason: reason.into() });
        }
    }

    pub(crate) fn bad_record(&mut self, file: &str, index: usize, reason: impl Into<String>) {
        self.bad_records += 1;
        self.note(file, Some(index), reason);
    }

    pub(crate) fn bad_file(&mut self, file: &str, reason: impl Into<String>) {
        self.bad_files += 1;
        self.note(file, None, reason);
    }

    /// The counts with their names, in the order in which a report shows them.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("users", self.users),
            ("ghosts beyond the user list", self.ghosts),
            ("bots among them", self.bots),
            ("channels", self.channels),
            ("private channels among them", self.private_channels),
            ("entries", self.entries),
            ("messages", self.messages),
            ("joins", self.joins),
            ("leaves", self.leaves),
            ("topics", self.topics),
            ("bot messages", self.bot_messages),
            ("/me messages", self.me_messages),
            ("file references", self.files),
            ("edited messages", self.edits),
            ("threads", self.threads),
            ("replies", self.replies),
            ("replies also sent to the channel", self.broadcasts),
            ("replies whose root is not in the export", self.orphan_replies),
            ("reactions", self.reactions),
            ("pin notices", self.pins),
            ("other notices", self.notices),
            ("tombstones", self.tombstones),
            ("messages cut for length", self.split_messages),
            ("parts that came of that", self.split_parts),
            ("entries out of order", self.out_of_order),
            ("repeated entries", self.duplicates),
            ("traces of edits passed over", self.skipped_events),
            ("messages of unknown kind", self.unknown_subtypes.values().sum()),
            ("unknown channel members left out", self.unknown_members),
            ("reactions left out", self.dropped_reactions),
            ("direct conversations not imported", self.direct_conversations),
            ("messages in them", self.direct_messages),
            ("bad records passed over", self.bad_records),
            ("bad files passed over", self.bad_files),
        ]
    }
}

impl fmt::Display for Report {
    /// One line for each count that is not zero, then the unknown kinds, then the notes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in self.counts() {
            if count > 0 {
                writeln!(f, "{count:>9}  {name}")?;
            }
        }
        for (subtype, count) in &self.unknown_subtypes {
            writeln!(f, "unknown kind {subtype:?}: {count}")?;
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        let left = (self.bad_records + self.bad_files + self.duplicates)
            .saturating_sub(u64::try_from(self.notes.len()).unwrap_or(u64::MAX));
        if left > 0 && self.notes.len() >= NOTES_MAX {
            writeln!(f, "and {left} more")?;
        }
        Ok(())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "{}[{index}]: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_what_there_is_and_where_it_was_wrong() {
        let mut report = Report { users: 3, ..Report::default() };
        report.bad_record("a/2018-02-01.json", 4, "it has no `ts`");
        report.bad_file("b.json", "not JSON");
        report.unknown_subtypes.insert("huddle".to_owned(), 2);
        assert_eq!(
            report.to_string(),
            "        3  users\n        2  messages of unknown kind\n        1  bad records passed over\n        \
             1  bad files passed over\nunknown kind \"huddle\": 2\na/2018-02-01.json[4]: it has no `ts`\n\
             b.json: not JSON\n"
        );
    }

    #[test]
    fn notes_are_counted_when_they_are_no_longer_kept() {
        let mut report = Report::default();
        for index in 0..NOTES_MAX + 5 {
            report.bad_record("a", index, "x");
        }
        assert_eq!(report.notes.len(), NOTES_MAX);
        assert!(report.to_string().ends_with("and 5 more\n"));
    }
}

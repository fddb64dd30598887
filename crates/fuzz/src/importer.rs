//! Exports of another chat, from whoever made the zip file.

use std::collections::HashSet;
use std::io::{Cursor, Read, Seek, Write as _};

use serde_json::Value;
use tidings_domain::message::BODY_MAX;
use tidings_domain::{Emoji, name};
use tidings_importer::mrkdwn::{self, NoNames};
use tidings_importer::slack::{ExportReader, Limits, Options};
use tidings_importer::{attachments, blocks as slack_blocks};
use tidings_wire::import::{Record, SourceId};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::text;

/// What a fuzzed archive may hold: little, so that one that claims more is met often.
const LIMITS: Limits = Limits { entries: 32, entry_bytes: 64 << 10, total_bytes: 256 << 10 };

pub(crate) fn mrkdwn(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let markdown = mrkdwn::to_markdown(text, &NoNames);
    let plain = mrkdwn::to_plain(text, &NoNames);
    for out in [&markdown, &plain] {
        assert!(!out.contains(|c: char| c.is_control() && !"\n\t".contains(c)), "{out:?}");
        assert!(out.len() <= 16 * text.len() + 64, "{text:?} grew to {out:?}");
    }
    let escaped = mrkdwn::escape(text);
    assert!(escaped.len() <= 8 * text.len() + 8, "{text:?} grew to {escaped:?}");
}

/// Blocks and attachments: JSON of any shape.
pub(crate) fn blocks(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    for out in
        [slack_blocks::to_markdown(&value, &NoNames), attachments::to_markdown(&value, &NoNames)]
    {
        assert!(out.len() <= 64 * data.len() + 1_024, "{value} grew to {out:?}");
        assert!(!out.contains('\0'), "{value} became {out:?}");
    }
}

/// The bytes of a zip file.
pub(crate) fn slack_zip(data: &[u8]) {
    read(Cursor::new(data));
}

/// The files of an export that is packed well: each begins with a line `=== path`.
pub(crate) fn slack_export(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for file in text.split("=== ").skip(1).take(12) {
        let (path, content) = crate::first_line(file);
        // A name that comes twice is refused by the writer, and has nothing to say to the reader.
        if zip.start_file(path, stored).is_err() || zip.write_all(content.as_bytes()).is_err() {
            return;
        }
    }
    if let Ok(zip) = zip.finish() {
        read(zip);
    }
}

fn read(zip: impl Read + Seek) {
    let options = Options { limits: LIMITS, ..Options::into_community("club") };
    let Ok(export) = ExportReader::new(zip, &options) else { return };
    let mut known = HashSet::new();
    let mut names = HashSet::new();
    for record in export.records() {
        let Ok(record) = record else { return };
        check(&record, &known);
        let (kind, name) = match &record {
            Record::User(user) => ("user", user.username.as_str()),
            Record::Channel(channel) => ("channel", channel.name.as_str()),
            _ => ("", ""),
        };
        let fresh = name.is_empty() || names.insert((kind, name.to_owned()));
        assert!(fresh, "two {kind}s are called {name}");
        assert!(known.insert(record.source_id().clone()), "{} comes twice", record.source_id());
        let line = serde_json::to_vec(&record).unwrap_or_default();
        assert_eq!(serde_json::from_slice::<Record>(&line).ok().as_ref(), Some(&record));
    }
}

/// A record keeps the rules of `POST /v1/admin/imports`, and names only what came before it.
fn check(record: &Record, known: &HashSet<SourceId>) {
    assert!(record.source_id().is_valid(), "{record:?}");
    let there = |id: &SourceId| assert!(known.contains(id), "{id} is not there: {record:?}");
    match record {
        Record::Community(community) => assert!(name::slug(&community.slug).is_ok(), "{record:?}"),
        Record::User(user) => {
            assert!(name::username(&user.username).is_ok(), "{record:?}");
            let shown = name::display(&user.display_name, name::DISPLAY_NAME_MAX);
            assert_eq!(shown, Ok(&*user.display_name), "{record:?}");
        }
        Record::Channel(channel) => {
            assert!(name::channel(&channel.name).is_ok(), "{record:?}");
            assert!(channel.topic.chars().count() <= 1_000, "{record:?}");
            there(&channel.community);
            channel.members.iter().chain(&channel.creator).for_each(there);
        }
        Record::Message(message) => {
            assert!((1..=BODY_MAX).contains(&message.body.chars().count()), "{record:?}");
            there(&message.channel);
            there(&message.author);
            message.thread.iter().for_each(there);
            for reaction in &message.reactions {
                assert!(reaction.emoji.parse::<Emoji>().is_ok(), "{record:?}");
                assert!(!reaction.users.is_empty(), "{record:?}");
                reaction.users.iter().for_each(there);
            }
        }
        Record::Join(membership) | Record::Leave(membership) => {
            there(&membership.channel);
            there(&membership.user);
        }
        Record::Topic(topic) => {
            assert!(topic.topic.chars().count() <= 1_000, "{record:?}");
            there(&topic.channel);
            there(&topic.user);
        }
        // Records of a later version are made by a later importer.
        _ => {}
    }
}

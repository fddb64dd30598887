//! Exports built in memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot build its export has failed")]

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use tidings_importer::report::Report;
use tidings_importer::slack::{ExportReader, OpenError, Options, Records};
use tidings_wire::import::{Channel, Message, Record, User};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The files of an export, in the order in which they are packed.
#[derive(Debug, Clone)]
pub(crate) struct Export(Vec<(String, Vec<u8>)>);

impl Export {
    /// Ana and Bo, and the channel `#ops` with both.
    pub(crate) fn new() -> Self {
        Self(Vec::new())
            .file("users.json", &json!([person("U1", "ana"), person("U2", "bo")]))
            .file("channels.json", &json!([channel("C1", "ops", &["U1", "U2"])]))
    }

    /// Adds a file, or replaces it.
    pub(crate) fn file(self, name: &str, content: &Value) -> Self {
        self.raw(name, content.to_string().as_bytes())
    }

    pub(crate) fn raw(mut self, name: &str, content: &[u8]) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), content.to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// A day of `#ops`.
    pub(crate) fn day(self, entries: &Value) -> Self {
        self.file("ops/2018-02-01.json", entries)
    }

    pub(crate) fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.0 {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    pub(crate) fn open(&self) -> Result<ExportReader<Cursor<Vec<u8>>>, OpenError> {
        self.open_with(&Options::into_community("club"))
    }

    pub(crate) fn open_with(
        &self,
        options: &Options,
    ) -> Result<ExportReader<Cursor<Vec<u8>>>, OpenError> {
        ExportReader::new(Cursor::new(self.zip()), options)
    }

    /// Reads everything.
    pub(crate) fn read(&self) -> Outcome {
        let mut reading: Records<_> = self.open().unwrap().records();
        let records = reading.by_ref().collect::<Result<_, _>>().unwrap();
        Outcome { records, report: reading.report().clone() }
    }
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) records: Vec<Record>,
    pub(crate) report: Report,
}

impl Outcome {
    pub(crate) fn messages(&self) -> Vec<&Message> {
        self.records
            .iter()
            .filter_map(|it| match it {
                Record::Message(it) => Some(it),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn bodies(&self) -> Vec<&str> {
        self.messages().into_iter().map(|it| it.body.as_str()).collect()
    }

    pub(crate) fn users(&self) -> Vec<&User> {
        self.records
            .iter()
            .filter_map(|it| match it {
                Record::User(it) => Some(it),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn channels(&self) -> Vec<&Channel> {
        self.records
            .iter()
            .filter_map(|it| match it {
                Record::Channel(it) => Some(it),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.report.notes.iter().map(ToString::to_string).collect()
    }
}

pub(crate) fn person(id: &str, name: &str) -> Value {
    json!({"id": id, "team_id": "T1", "name": name, "deleted": false, "is_bot": false,
           "profile": {"real_name": format!("{name} real"), "display_name": format!("{name} shown")}})
}

pub(crate) fn channel(id: &str, name: &str, members: &[&str]) -> Value {
    json!({"id": id, "name": name, "created": 1_400_000_000, "creator": "U1", "is_archived": false,
           "members": members, "topic": {"value": ""}, "purpose": {"value": ""}})
}

/// A message of Ana; `more` adds to it or replaces what is there.
pub(crate) fn said(ts: &str, text: &str, more: Value) -> Value {
    let mut message = json!({"type": "message", "user": "U1", "ts": ts, "text": text});
    if let (Some(fields), Value::Object(more)) = (message.as_object_mut(), more) {
        fields.extend(more);
    }
    message
}

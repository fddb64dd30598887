//! What an import tells at its end.

use std::fmt;

use serde_json::{Value, json};
use tidings_importer::report::Report;
use tidings_wire::import::{ImportError, ImportResult};

/// Refusals that are kept to be shown; beyond that they are only counted.
const SHOWN_MAX: usize = 1_000;

/// What was found in the export and what became of it.
#[derive(Debug)]
pub(super) struct Outcome {
    community: String,
    dry_run: bool,
    created: u64,
    skipped: u64,
    refused: u64,
    errors: Vec<ImportError>,
    pub(super) found: Report,
    pub(super) seconds: f64,
}

impl Outcome {
    pub(super) fn new(community: &str, dry_run: bool) -> Self {
        Self {
            community: community.to_owned(),
            dry_run,
            created: 0,
            skipped: 0,
            refused: 0,
            errors: Vec::new(),
            found: Report::default(),
            seconds: 0.0,
        }
    }

    /// Adds what became of a batch.
    pub(super) fn add(&mut self, result: ImportResult) {
        self.created += result.created;
        self.skipped += result.skipped;
        self.refused += u64::try_from(result.errors.len()).unwrap_or(u64::MAX);
        let room = SHOWN_MAX.saturating_sub(self.errors.len());
        self.errors.extend(result.errors.into_iter().take(room));
    }

    /// Whether there was something to do and none of it could be done.
    pub(super) fn is_in_vain(&self) -> bool {
        !self.dry_run && self.refused > 0 && self.created + self.skipped == 0
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn messages_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.found.messages as f64 / self.seconds } else { 0.0 }
    }

    /// As one JSON object.
    pub(super) fn json(&self) -> Value {
        let found: serde_json::Map<_, _> = self
            .found
            .counts()
            .into_iter()
            .map(|(name, count)| (key(name), count.into()))
            .collect();
        let notes: Vec<_> = self
            .found
            .notes
            .iter()
            .map(|note| json!({"file": note.file, "index": note.index, "reason": note.reason}))
            .collect();
        let errors: Vec<_> = self
            .errors
            .iter()
            .map(|error| {
                json!({"source_id": error.source_id, "code": error.code, "detail": error.detail})
            })
            .collect();
        json!({
            "community": self.community,
            "dry_run": self.dry_run,
            "created": self.created,
            "skipped": self.skipped,
            "refused": self.refused,
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
            "messages_per_second": self.messages_per_second().round(),
            "found": found,
            "unknown_kinds": self.found.unknown_subtypes,
            "passed_over": notes,
            "errors": errors,
        })
    }
}

/// The name of a count as a key: `/me messages` is `me_messages`.
fn key(name: &str) -> String {
    name.trim_start_matches('/').replace(' ', "_")
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "In the export:")?;
        write!(f, "{}", self.found)?;
        if self.dry_run {
            return write!(f, "\nNothing was written: this was a dry run.");
        }
        writeln!(f, "\nIn the community {}:", self.community)?;
        writeln!(f, "{:>9}  records are new", self.created)?;
        writeln!(f, "{:>9}  records were there already", self.skipped)?;
        if self.refused > 0 {
            writeln!(f, "{:>9}  records were refused", self.refused)?;
        }
        for error in &self.errors {
            let source = error.source_id.as_ref().map_or("?", |source| source.as_str());
            writeln!(f, "{source}: {} ({})", error.detail, error.code)?;
        }
        let shown = u64::try_from(self.errors.len()).unwrap_or(u64::MAX);
        if self.refused > shown {
            writeln!(f, "and {} more", self.refused - shown)?;
        }
        write!(f, "{:.1} s, {:.0} messages/s", self.seconds, self.messages_per_second())
    }
}

#[cfg(test)]
mod tests {
    use tidings_wire::import::SourceId;

    use super::*;

    fn outcome() -> Outcome {
        let mut outcome = Outcome::new("club", false);
        outcome.found.messages = 30;
        outcome.seconds = 2.0;
        outcome.add(ImportResult {
            created: 7,
            skipped: 2,
            errors: vec![ImportError {
                line: 4,
                source_id: Some(SourceId("slack:T1:U1".to_owned())),
                code: "bad_name".to_owned(),
                detail: "has no letters".to_owned(),
            }],
        });
        outcome
    }

    #[test]
    fn it_tells_what_came_in_and_what_did_not() {
        assert_eq!(
            outcome().to_string(),
            "In the export:\n       30  messages\n\nIn the community club:\n        7  records are new\n\
             \x20       2  records were there already\n        1  records were refused\n\
             slack:T1:U1: has no letters (bad_name)\n2.0 s, 15 messages/s"
        );
        let json = outcome().json();
        assert_eq!(json["created"], 7);
        assert_eq!(json["found"]["messages"], 30);
        assert_eq!(json["found"]["me_messages"], 0);
        assert_eq!(json["errors"][0]["source_id"], "slack:T1:U1");
    }

    #[test]
    fn only_an_import_that_did_nothing_is_in_vain() {
        assert!(!outcome().is_in_vain());
        let mut vain = Outcome { created: 0, skipped: 0, ..outcome() };
        assert!(vain.is_in_vain());
        vain.dry_run = true;
        assert!(!vain.is_in_vain());
    }
}

//! The thread that reads an export. It is started by [`start`], sends [`Step`]s into a bounded
//! queue, and stops at the end of the export or when nobody takes them any more.

use std::thread;

use anyhow::Context as _;
use tidings_importer::report::Report;
use tidings_importer::slack::{ExportReader, Progress, ReadError};
use tidings_wire::import::Record;
use tokio::sync::mpsc;

/// Records of one batch: some commits of the server's, and a request of about half a megabyte.
const BATCH: usize = 1_000;
/// Batches that wait; one is read while another is written, and one more evens that out.
const QUEUE: usize = 2;

/// What comes out of an export.
#[derive(Debug)]
pub(super) enum Step {
    /// The next records.
    Batch(Batch),
    /// There are no more.
    End {
        /// What was found, by kind.
        report: Box<Report>,
        /// Why it ended before its end.
        error: Option<ReadError>,
    },
}

/// Records, in the order of the export.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    /// How far the reading is.
    pub(super) progress: Progress,
}

/// The end of the queue at which steps come out.
#[derive(Debug)]
pub(super) struct Reading(mpsc::Receiver<Step>);

impl Reading {
    pub(super) async fn next(&mut self) -> anyhow::Result<Step> {
        self.0.recv().await.context("the thread that reads the export has failed")
    }
}

/// Starts to read.
pub(super) fn start(reader: ExportReader) -> anyhow::Result<Reading> {
    let (steps, reading) = mpsc::channel(QUEUE);
    thread::Builder::new()
        .name("import-reader".to_owned())
        // Whoever reads the steps has gone away: there is nothing left to do.
        .spawn(move || drop(read(reader, &steps)))
        .context("cannot start a thread that reads the export")?;
    Ok(Reading(reading))
}

fn read(
    reader: ExportReader,
    steps: &mpsc::Sender<Step>,
) -> Result<(), mpsc::error::SendError<Step>> {
    let mut records = reader.records();
    let mut error = None;
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        for record in records.by_ref().take(BATCH) {
            match record {
                Ok(record) => batch.push(record),
                Err(broken) => error = Some(broken),
            }
        }
        let last = batch.len() < BATCH;
        if !batch.is_empty() {
            let progress = records.progress();
            steps.blocking_send(Step::Batch(Batch { records: batch, progress }))?;
        }
        if last {
            let report = Box::new(records.report().clone());
            return steps.blocking_send(Step::End { report, error });
        }
    }
}

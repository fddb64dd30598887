//! B7: from the start of the process to readiness, with an empty and with a full folder.

use std::time::Duration;

use super::Setting;
use super::filled::Filled;
use super::rig;
use crate::report::{Line, Report};
use crate::stats::{Latencies, millis};
use crate::subject::Launch;

const REPEATS: usize = 9;

/// Starts the server again and again on an empty folder and on one with `messages` messages.
pub(super) fn run(setting: &Setting, messages: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("b7", "start of the server");
    let folder = rig::folder(setting)?;
    let mut empty = Latencies::default();
    for number in 0..REPEATS {
        let data = folder.path().join(format!("data-{number}"));
        let subject = Launch::new(&setting.tidingsd, &data)?.start()?;
        empty.push(u64::try_from(subject.ready_after().as_nanos())?);
    }
    report.lines.push(line("empty folder", &empty, 100));

    let mut filled = Filled::new(setting, messages)?;
    let mut full = Latencies::default();
    for _ in 0..REPEATS {
        filled.rig.restart()?;
        full.push(u64::try_from(filled.rig.subject.ready_after().as_nanos())?);
    }
    report.lines.push(line(&format!("{messages} messages, after a kill"), &full, 300));
    report.notes.push(format!("{REPEATS} starts each, until `/readyz` answers 200"));
    Ok(report)
}

fn line(work: &str, latencies: &Latencies, bar: u64) -> Line {
    Line {
        work: format!("{work}: p50 / worst"),
        figure: format!(
            "{:.0} / {:.0} ms",
            millis(latencies.p50()),
            millis(latencies.percentile(1.0))
        ),
        ceiling: None,
        ratio: None,
        cpu: None,
        ceiling_cpu: None,
        bar: format!("≤ {bar} ms"),
        met: latencies.p50() <= Duration::from_millis(bar),
    }
}

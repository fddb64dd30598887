//! B5: full-text search, newest first, common and rare words; and what the index costs.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Setting;
use super::filled::Filled;
use crate::ceiling::sql::{self, Database};
use crate::clock::Stopwatch;
use crate::load::body;
use crate::report::{Line, Report};
use crate::stats::{Latencies, count, millis};

const LIMIT: usize = 20;
const REPEATS: usize = 300;

/// Times searches over `messages` messages.
pub(super) fn run(setting: &Setting, messages: usize) -> anyhow::Result<Report> {
    let filled = Filled::new(setting, messages)?;
    let database = Database::open(&filled.rig.subject.launch().data)?;
    let mut http = filled.rig.api.connect();
    let mut report = Report::new("b5", "full-text search, newest first");
    // The first search waits until the index has reached the head.
    http.request("GET", "/v1/search?q=tide&limit=1", Some(&filled.token), None)?.success()?;
    let rare = format!("tdgn{:010}", messages / 2);
    let bar = if messages > 100_000 { 50 } else { 5 };
    let kinds = [
        ("one very common word", "tide".to_owned(), LIMIT),
        ("three common words", "tide water harbor".to_owned(), LIMIT),
        ("one rare word", rare, 1),
    ];
    for (name, words, expected) in kinds {
        let path = format!("/v1/search?q={}&limit={LIMIT}", words.replace(' ', "%20"));
        let (mut own, mut bare) = (Latencies::default(), Latencies::default());
        for repeat in 0..REPEATS {
            let watch = Stopwatch::start();
            let answer = http.request("GET", &path, Some(&filled.token), None)?;
            own.push(u64::try_from(watch.elapsed().as_nanos())?);
            if repeat == 0 {
                let list: Value = answer.json()?;
                let items = list.get("items").and_then(Value::as_array).context("no items")?;
                ensure!(items.len() == expected, "{words:?} found {} messages", items.len());
            }
            let watch = Stopwatch::start();
            database.search(&words, LIMIT)?;
            bare.push(u64::try_from(watch.elapsed().as_nanos())?);
        }
        report.lines.push(Line {
            work: format!("{messages} messages, {name}: p50 / p99"),
            figure: format!("{:.2} / {:.2} ms", millis(own.p50()), millis(own.p99())),
            ceiling: Some(format!(
                "{:.2} / {:.2} ms bare SQL",
                millis(bare.p50()),
                millis(bare.p99())
            )),
            ratio: Some(millis(own.p99()) / millis(bare.p99())),
            cpu: None,
            ceiling_cpu: None,
            bar: format!("p99 ≤ {bar} ms"),
            met: own.p99() <= Duration::from_millis(bar),
        });
    }
    add_cost(&mut report, &filled)?;
    report.notes.push(format!("{REPEATS} requests each over one connection, round trip included"));
    Ok(report)
}

fn add_cost(report: &mut Report, filled: &Filled) -> anyhow::Result<()> {
    let ingest = filled.outcome.cpu / count(filled.outcome.acked);
    let index = sql::index_cost((0..20_000).map(body))?;
    let share = index / ingest;
    report.lines.push(Line {
        work: "processor time of FTS5 alone, of that of the whole ingest".into(),
        figure: format!("{:.1} of {:.1} µs a message", index * 1e6, ingest * 1e6),
        ceiling: None,
        ratio: Some(share),
        cpu: Some(ingest * 1e5),
        ceiling_cpu: Some(index * 1e5),
        bar: "≤ 0.25".into(),
        met: share <= 0.25,
    });
    Ok(())
}

//! B4: pages of a long room, beside the same SQL without a server.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Setting;
use super::filled::Filled;
use crate::ceiling::sql::Database;
use crate::clock::Stopwatch;
use crate::http::Http;
use crate::report::{Line, Report};
use crate::stats::{Latencies, millis};

const PAGE: usize = 50;
const REPEATS: usize = 400;

/// Messages of the short room that the long one is compared with.
const SHORT: usize = 1_000;

/// Times three pages in a room of `messages` and in a short one.
pub(super) fn run(setting: &Setting, messages: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("b4", "pages of history");
    let short = Filled::new(setting, SHORT)?;
    let short = pages(&short, SHORT)?;
    let long = Filled::new(setting, messages)?;
    for (page, before) in pages(&long, messages)?.into_iter().zip(short) {
        let Page { name, net, bare, trip } = page;
        let (own, other) = (millis(net.p50()), millis(bare.p50()));
        report.lines.push(Line {
            work: format!("{messages} messages, {name}, {PAGE} rows: server time p50"),
            figure: format!("{own:.3} ms (round trip {:.3} ms)", millis(trip.p50())),
            ceiling: Some(format!("{other:.3} ms bare SQL")),
            ratio: Some(own / other),
            cpu: None,
            ceiling_cpu: None,
            bar: "ratio ≤ 2.00".into(),
            met: own <= 2.0 * other,
        });
        let was = millis(before.trip.p50());
        let now = millis(trip.p50());
        report.lines.push(Line {
            work: format!("the same page at {SHORT} messages: round trip p50"),
            figure: format!("{was:.3} ms"),
            ceiling: None,
            ratio: Some(now / was),
            cpu: None,
            ceiling_cpu: None,
            bar: "independent of length: long / short ≤ 1.25".into(),
            met: now <= 1.25 * was,
        });
    }
    report.notes.push(format!(
        "{REPEATS} requests each over one connection, in turns with the bare SQL and with \
         `/healthz`, whose round trip is taken off for the server time"
    ));
    Ok(report)
}

struct Page {
    name: &'static str,
    /// Round trip less that of an empty answer.
    net: Latencies,
    bare: Latencies,
    trip: Latencies,
}

fn pages(filled: &Filled, messages: usize) -> anyhow::Result<Vec<Page>> {
    let database = Database::open(&filled.rig.subject.launch().data)?;
    let log = database.log_of(filled.channel.parse()?)?;
    let mut http = filled.rig.api.connect();
    let middle = filled.base + u64::try_from(messages)? / 2;
    let path = format!("/v1/channels/{}/messages?limit={PAGE}", filled.channel);
    let (seq, half) = (middle.cast_signed(), PAGE / 2);
    let newest = || database.page_before(log, i64::MAX, PAGE);
    let before = || database.page_before(log, seq, PAGE);
    let around = || Ok(database.page_before(log, seq, half)? + database.page_from(log, seq, half)?);
    Ok(vec![
        time(filled, &mut http, "newest page", &path, newest)?,
        time(filled, &mut http, "middle page", &format!("{path}&before={middle}"), before)?,
        time(
            filled,
            &mut http,
            "page around a message",
            &format!("{path}&around={middle}"),
            around,
        )?,
    ])
}

fn time(
    filled: &Filled,
    http: &mut Http,
    name: &'static str,
    path: &str,
    bare: impl Fn() -> anyhow::Result<usize>,
) -> anyhow::Result<Page> {
    let mut page = Page {
        name,
        net: Latencies::default(),
        bare: Latencies::default(),
        trip: Latencies::default(),
    };
    for repeat in 0..REPEATS + 20 {
        let watch = Stopwatch::start();
        ensure!(bare()? == PAGE, "the bare SQL found no whole page");
        let alone = watch.elapsed();
        let watch = Stopwatch::start();
        let answer = http.request("GET", path, Some(&filled.token), None)?;
        let trip = watch.elapsed();
        let watch = Stopwatch::start();
        http.request("GET", "/healthz", None, None)?;
        let empty = watch.elapsed();
        if repeat == 0 {
            let list: Value = answer.json()?;
            let found = list.get("items").and_then(Value::as_array).context("no items")?.len();
            ensure!(found == PAGE, "{name} has {found} rows");
        }
        // The first few warm up caches on both sides.
        if repeat >= 20 {
            page.bare.push(u64::try_from(alone.as_nanos())?);
            page.trip.push(u64::try_from(trip.as_nanos())?);
            page.net.push(u64::try_from(trip.saturating_sub(empty).as_nanos())?);
        }
    }
    Ok(page)
}

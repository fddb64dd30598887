//! B2: fifty senders, each in a room of its own, acknowledged after the fsync.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::Setting;
use super::rig::{Ceiling, NUMBERS, Rig};
use crate::clock::Stopwatch;
use crate::engine::Engine;
use crate::load::{Dialect, Outcome, Plan, Sender, drive};
use crate::report::{Line, Report};
use crate::stats::{Latencies, median, millis};

const ROOMS: usize = 50;

/// Measures with windows 1 and 8.
pub(super) fn run(setting: &Setting) -> anyhow::Result<Report> {
    let rig = Rig::start(setting)?;
    let people = rig.api.people(&rig.community, "sender", ROOMS)?;
    let mut channels = Vec::new();
    for (number, person) in people.iter().enumerate() {
        let channel = rig.api.create_channel(&rig.community, &format!("room-{number}"))?;
        crate::api::join(&mut rig.api.connect(), &person.token, &channel)?;
        channels.push(channel);
    }
    let mut engine = Engine::new()?;
    let connections = rig.connect(&mut engine, &people)?;
    let dialect = Dialect::Tidings { channels, run: "ingest".into() };
    let mut first = 0;
    let mut own = |window: usize, length: f64| {
        first += NUMBERS;
        let plan = plan(&connections, window, length);
        drive(&mut engine, &dialect, &plan, rig.subject.process(), first)
    };
    let warm = own(1, 1.0)?;

    let ceiling = Ceiling::start(setting, &rig.folder, warm.frame_length)?;
    let mut other_engine = Engine::new()?;
    let others = (0..ROOMS)
        .map(|room| ceiling.connect(&mut other_engine, room))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut other_first = 0;
    let mut other = |window: usize, length: f64| {
        other_first += NUMBERS;
        let plan = plan(&others, window, length);
        drive(&mut other_engine, &Dialect::Ceiling, &plan, &ceiling.process, other_first)
    };
    other(1, 1.0)?;

    let mut report = Report::new("b2", "durable ingest");
    for window in [1, 8] {
        let mut pairs = Vec::new();
        let mut fsyncs = Latencies::default();
        for _ in 0..setting.runs {
            pairs.push((own(window, setting.seconds)?, other(window, setting.seconds)?));
            fsync(rig.folder.path(), &mut fsyncs)?;
        }
        add_lines(&mut report, window, &pairs, &fsyncs);
    }
    report.notes.push(format!(
        "medians of {} runs of {} s each, taken in turns; delivered frames of {} bytes; each sender \
         also receives its own message; search index and unread counts are kept meanwhile",
        setting.runs, setting.seconds, warm.frame_length
    ));
    Ok(report)
}

fn plan(connections: &[usize], window: usize, length: f64) -> Plan {
    let senders = connections.iter().enumerate();
    Plan {
        senders: senders
            .map(|(room, connection)| Sender { connection: *connection, room })
            .collect(),
        members: 1,
        window,
        rate: None,
        length: Duration::from_secs_f64(length),
        limit: None,
    }
}

fn add_lines(report: &mut Report, window: usize, pairs: &[(Outcome, Outcome)], fsyncs: &Latencies) {
    let of =
        |part: fn(&(Outcome, Outcome)) -> f64| median(&pairs.iter().map(part).collect::<Vec<_>>());
    let ratio = of(|(own, other)| own.acks_per_second() / other.acks_per_second());
    report.lines.push(Line {
        work: format!("{ROOMS} senders, {ROOMS} rooms, window {window}"),
        figure: format!("{:.0} appends/s", of(|(own, _)| own.acks_per_second())),
        ceiling: Some(format!("{:.0}/s", of(|(_, other)| other.acks_per_second()))),
        ratio: Some(ratio),
        cpu: Some(of(|(own, _)| own.cpu_per_100k_acks())),
        ceiling_cpu: Some(of(|(_, other)| other.cpu_per_100k_acks())),
        bar: "ratio ≥ 0.50".into(),
        met: ratio >= 0.5,
    });
    let p50 = of(|(own, _)| millis(own.ack_latency.p50()));
    let p99 = of(|(own, _)| millis(own.ack_latency.p99()));
    let other50 = of(|(_, other)| millis(other.ack_latency.p50()));
    let other99 = of(|(_, other)| millis(other.ack_latency.p99()));
    let one = millis(fsyncs.p50());
    report.lines.push(Line {
        work: format!("the same: p50 / p99 from send to acknowledgement; one fsync is {one:.2} ms"),
        figure: format!("{p50:.2} / {p99:.2} ms"),
        ceiling: Some(format!("{other50:.2} / {other99:.2} ms")),
        ratio: Some(p99 / other99),
        cpu: None,
        ceiling_cpu: None,
        bar: format!("p99 ≤ 5 fsyncs = {:.2} ms", 5.0 * one),
        met: p99 <= 5.0 * one,
    });
}

/// Times a hundred appends of a page to a file, each with its own `fdatasync`.
fn fsync(folder: &Path, latencies: &mut Latencies) -> anyhow::Result<()> {
    let mut file = File::options().create(true).append(true).open(folder.join("fsync"))?;
    for _ in 0..100 {
        file.write_all(&[0; 4096])?;
        let watch = Stopwatch::start();
        file.sync_data()?;
        latencies.push(u64::try_from(watch.elapsed().as_nanos())?);
    }
    Ok(())
}

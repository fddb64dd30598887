//! B6: a cursor that is 10,000 events behind.

use std::time::Duration;

use anyhow::ensure;
use serde_json::value::RawValue;

use super::Setting;
use super::filled::Filled;
use crate::api::read_to_head;
use crate::clock::Stopwatch;
use crate::engine::{Engine, Greeter};
use crate::report::{Line, Report};
use crate::stats::count;

const BEHIND: usize = 10_000;
const REPEATS: usize = 40;

/// Catches up again and again, by long poll and by WebSocket.
pub(super) fn run(setting: &Setting) -> anyhow::Result<Report> {
    let filled = Filled::new(setting, BEHIND)?;
    let mut report = Report::new("b6", "catch-up of 10,000 events");
    for transport in ["long poll, pages of 1,000", "WebSocket"] {
        let catch_up = if transport == "WebSocket" { socket } else { poll };
        // The first few grow what the server keeps anyway.
        for _ in 0..5 {
            catch_up(&filled)?;
        }
        let process = filled.rig.subject.process();
        let (cpu, memory) = (process.cpu_seconds()?, process.resident_bytes()?);
        let watch = Stopwatch::start();
        let mut events = 0;
        for _ in 0..REPEATS {
            events += catch_up(&filled)?;
        }
        ensure!(events >= BEHIND * REPEATS, "{transport}: only {events} events");
        let wall = watch.seconds();
        let cpu = process.cpu_seconds()? - cpu;
        let grown = process.resident_bytes()?.saturating_sub(memory) >> 20;
        let per_second = count(events) / cpu;
        report.lines.push(Line {
            work: format!("{transport}, {REPEATS} times"),
            figure: format!(
                "{per_second:.0} events per processor second ({:.0}/s of wall time)",
                count(events) / wall
            ),
            ceiling: None,
            ratio: None,
            cpu: Some(cpu * 100_000.0 / count(events)),
            ceiling_cpu: None,
            bar: "≥ 200,000/s server side".into(),
            met: per_second >= 200_000.0,
        });
        report.lines.push(Line {
            work: format!("{transport}: memory grown over {events} events"),
            figure: format!("{grown} MiB"),
            ceiling: None,
            ratio: None,
            cpu: None,
            ceiling_cpu: None,
            bar: "flat (≤ 4 MiB)".into(),
            met: grown <= 4,
        });
    }
    Ok(report)
}

fn poll(filled: &Filled) -> anyhow::Result<usize> {
    let mut http = filled.rig.api.connect();
    let mut events = 0;
    read_to_head(&mut http, &filled.token, &filled.before, |page: Vec<Box<RawValue>>| {
        events += page.len();
    })?;
    Ok(events)
}

fn socket(filled: &Filled) -> anyhow::Result<usize> {
    let mut engine = Engine::new()?;
    let server = filled.rig.subject.address();
    engine.adopt(Greeter::session(server, &filled.token, Some(&filled.before))?)?;
    let created = memchr::memmem::Finder::new("\"message.created\"");
    let watch = Stopwatch::start();
    let mut events = 0;
    while events < BEHIND {
        engine.turn(Duration::from_millis(100), |_, text| {
            let tail = text.get(text.len().saturating_sub(64)..).unwrap_or_default();
            events += usize::from(created.find(tail).is_some());
        })?;
        ensure!(watch.seconds() < 30.0, "only {events} events came");
    }
    Ok(events)
}

//! R1 and R22: the server dies, or is asked to stop, again and again under load.

use std::time::Duration;

use anyhow::bail;
use nix::sys::signal::Signal;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::checker::check;
use super::findings::Findings;
use super::measure::times;
use super::record::{Act, Record};
use super::town::{Population, Town};
use super::workload::{Pace, Workload};
use super::{Database, Setting};
use crate::api::Api;
use crate::stats::{Latencies, millis};
use crate::subject::Subject;

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `kill -9`.
    Killed,
    /// `SIGTERM`: it drains.
    Asked,
}

/// How long a server that was asked may take: ten seconds by 30-realtime, and a little.
const DRAIN: Duration = Duration::from_secs(12);

/// R1: killed `rounds` times.
pub fn kill(setting: &Setting, database: &Database, rounds: usize) -> anyhow::Result<Findings> {
    let title = format!("kill -9 of the server {rounds} times under load, {}", database.name());
    run(setting, database, rounds, End::Killed, "r1", &title)
}

/// R22: asked to stop `rounds` times.
pub fn stop(setting: &Setting, database: &Database, rounds: usize) -> anyhow::Result<Findings> {
    let title = format!("SIGTERM under load {rounds} times, {}", database.name());
    run(setting, database, rounds, End::Asked, "r22", &title)
}

fn run(
    setting: &Setting,
    database: &Database,
    rounds: usize,
    end: End,
    name: &str,
    title: &str,
) -> anyhow::Result<Findings> {
    let mut findings = Findings::new(name, title, setting.seed);
    let mut stops = Latencies::default();
    let records = torture(setting, database, rounds, end, &mut stops)?;
    let times = times(&records);
    findings.judge(&check(&records));
    let ready = times.ready.p99();
    findings.measured(
        "ready after the start, p50 / p99",
        format!("{:.0} / {:.0} ms", millis(times.ready.p50()), millis(ready)),
        "p99 ≤ 500 ms",
        ready <= Duration::from_millis(500),
    );
    let whole = times.whole.p99();
    findings.measured(
        "clients whole after the fault, p50 / p99",
        format!("{:.0} / {:.0} ms", millis(times.whole.p50()), millis(whole)),
        "p99 ≤ 3,000 ms",
        whole <= Duration::from_secs(3),
    );
    if end == End::Asked {
        findings.measured(
            "exit after the signal, p50 / worst",
            format!("{:.0} / {:.0} ms", millis(stops.p50()), millis(stops.percentile(1.0))),
            "≤ 5,000 ms",
            stops.percentile(1.0) <= Duration::from_secs(5),
        );
    }
    findings.notes.push(format!(
        "acknowledged after {:.1} ms (p50) and {:.0} ms (p99), faults included",
        millis(times.ack.p50()),
        millis(times.ack.p99())
    ));
    Ok(findings)
}

fn torture(
    setting: &Setting,
    database: &Database,
    rounds: usize,
    end: End,
    stops: &mut Latencies,
) -> anyhow::Result<Vec<Record>> {
    let folder = setting.folder()?;
    let launch = setting.launch(folder.path(), database)?;
    let mut subject = launch.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let town = Town::found(&api, &subject.setup_code()?, Population::COMMON)?;
    let mut workload = Workload::start(&town, subject.address(), Pace::COMMON, setting.seed)?;
    let mut random = ChaCha8Rng::seed_from_u64(setting.seed ^ 0xFA);
    for _ in 0..rounds {
        std::thread::sleep(Duration::from_millis(random.random_range(200..3_000)));
        workload.note(Act::Down);
        put_down(&mut subject, end, stops)?;
        workload.note(Act::Starting);
        subject = launch.start()?;
        workload.note(Act::Up);
    }
    workload.finish(&town)
}

fn put_down(subject: &mut Subject, end: End, stops: &mut Latencies) -> anyhow::Result<()> {
    if end == End::Asked {
        let watch = crate::clock::Stopwatch::start();
        subject.process().signal(Signal::SIGTERM)?;
        match subject.process_mut().wait(DRAIN)? {
            Some(0) => {}
            Some(code) => bail!("ended with {code}:\n{}", subject.launch().last_words()),
            None => bail!("still there after {DRAIN:?}:\n{}", subject.launch().last_words()),
        }
        stops.push(u64::try_from(watch.elapsed().as_nanos())?);
    }
    subject.process_mut().kill();
    Ok(())
}

//! R0: is the checker honest? Twelve bugs are planted before a real server; all must be caught.

use std::time::Duration;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::checker::{Verdict, check};
use super::findings::Findings;
use super::mangler::{Bug, Mangler};
use super::proxy::Proxy;
use super::record::Act;
use super::town::{Population, Town};
use super::workload::{Pace, Workload};
use super::{Database, Setting};
use crate::api::Api;
use crate::clock::Stopwatch;

/// Restarts during one run: some bugs need one.
const RESTARTS: u32 = 2;

/// How often a bug has to strike: what a connection loses in the moment in which it ends, the server
/// sends again.
const STRIKES: usize = 2;

/// How long a bug may take for that, after the length of the run.
const LONGEST: Duration = Duration::from_secs(40);

/// How often is looked whether it has.
const GLANCE: Duration = Duration::from_millis(20);

/// Runs the workload for `length` with `bug` planted; `None` is a right server, which must be
/// acquitted.
pub fn run(setting: &Setting, bug: Option<Bug>, length: Duration) -> anyhow::Result<Findings> {
    let what = bug.map_or_else(|| "no bug".to_owned(), |bug| format!("{bug:?}"));
    let title = format!("the checker against a real server, {what}");
    let mut findings = Findings::new("r0", &title, setting.seed);
    let (verdict, planted) = strike(setting, bug, length)?;
    let struck = format!("struck {planted} times; {}", summary(&verdict));
    if bug.is_some() {
        let caught = planted >= STRIKES && !verdict.clean();
        findings.row(&what, struck, "caught", caught);
    } else {
        findings.row(&what, struck, "nothing found", verdict.clean());
    }
    findings.notes.push(verdict.describe());
    let seconds = length.as_secs();
    findings.notes.push(format!("{seconds} s, with {RESTARTS} restarts of the server in it"));
    Ok(findings)
}

fn summary(verdict: &Verdict) -> String {
    let counts: Vec<String> = verdict
        .violations
        .iter()
        .map(|(violation, count)| format!("{count} {violation:?}"))
        .collect();
    if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") }
}

fn strike(
    setting: &Setting,
    bug: Option<Bug>,
    length: Duration,
) -> anyhow::Result<(Verdict, usize)> {
    let folder = setting.folder()?;
    let launch = setting.launch(folder.path(), &Database::Sqlite)?;
    let mut subject = launch.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let town = Town::found(&api, &subject.setup_code()?, Population::COMMON)?;
    let mangler = Mangler::new(bug, ChaCha8Rng::seed_from_u64(setting.seed));
    let proxy = Proxy::start(subject.address(), mangler)?;
    // With a bug, something may never come: no need to wait long for it.
    let patience = Duration::from_secs(if bug.is_some() { 3 } else { 30 });
    let pace = Pace { leaves: 2.0, patience, ..Pace::COMMON };
    let mut workload = Workload::start(&town, proxy.address(), pace, setting.seed)?;
    for _ in 0..RESTARTS {
        std::thread::sleep(length / (RESTARTS + 1));
        workload.note(Act::Down);
        subject.process_mut().kill();
        workload.note(Act::Starting);
        subject = launch.start()?;
        proxy.restarted();
        workload.note(Act::Up);
    }
    std::thread::sleep(length / (RESTARTS + 1));
    // A rare bug takes its time.
    let watch = Stopwatch::start();
    while bug.is_some() && proxy.planted() < STRIKES && watch.elapsed() < LONGEST {
        std::thread::sleep(GLANCE);
    }
    let records = workload.finish(&town)?;
    Ok((check(&records), proxy.planted()))
}

//! R15: the server dies under many clients, and all come back at once.

use std::time::Duration;

use super::checker::check;
use super::findings::Findings;
use super::measure::times;
use super::record::{Act, ClientNumber};
use super::town::{Population, Town};
use super::workload::{Pace, Workload};
use super::{Database, Setting};
use crate::api::Api;
use crate::process;
use crate::stats::millis;

/// How long the server is away: every client knocks in vain and waits at its longest pause.
const ABSENCE: Duration = Duration::from_secs(2);

/// Open files for the clients and the set-up, theirs and (inherited) the server's.
const FILES: u64 = 8_192;

/// Kills the server `kills` times under `clients` clients in 20 channels.
pub fn run(setting: &Setting, clients: ClientNumber, kills: usize) -> anyhow::Result<Findings> {
    process::allow_files(FILES)?;
    let title = format!("{clients} clients reconnect at once");
    let mut findings = Findings::new("r15", &title, setting.seed);
    let folder = setting.folder()?;
    let launch = setting.launch(folder.path(), &Database::Sqlite)?;
    let mut subject = launch.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let population = Population { clients, channels: 20, spread: 20 };
    let town = Town::found(&api, &subject.setup_code()?, population)?;
    let pace = Pace { rate: 50.0, leaves: 0.0, patience: Duration::from_mins(1) };
    let mut workload = Workload::start(&town, subject.address(), pace, setting.seed)?;
    let mut peak = 0;
    for _ in 0..kills {
        std::thread::sleep(Duration::from_secs(3));
        workload.note(Act::Down);
        subject.process_mut().kill();
        std::thread::sleep(ABSENCE);
        workload.note(Act::Starting);
        subject = launch.start()?;
        workload.note(Act::Up);
        workload.all_ready(Duration::from_mins(1));
        peak = peak.max(subject.process().peak_bytes()?);
    }
    std::thread::sleep(Duration::from_secs(3));
    let records = workload.finish(&town)?;
    let times = times(&records);
    findings.judge(&check(&records));
    // The absence is ours, not the server's.
    let whole = times.whole.p99().saturating_sub(ABSENCE);
    findings.measured(
        "caught up after the server is started again, p99",
        format!("{:.0} ms", millis(whole)),
        "≤ 15 s",
        whole <= Duration::from_secs(15),
    );
    let peak = peak.max(subject.process().peak_bytes()?) >> 20;
    findings.measured("largest resident memory", format!("{peak} MiB"), "≤ 512 MiB", peak <= 512);
    Ok(findings)
}

//! B12: many logins, then many joins of one room.

use super::Setting;
use super::rig::Rig;
use crate::api;
use crate::clock::Stopwatch;
use crate::report::{Line, Report};
use crate::stats::count;

/// Logs `accounts` people in and joins them to one room.
pub(super) fn run(setting: &Setting, accounts: usize) -> anyhow::Result<Report> {
    let rig = Rig::start(setting)?;
    let channel = rig.api.create_channel(&rig.community, "everyone")?;
    let people = rig.api.people(&rig.community, "guest", accounts)?;
    let process = rig.subject.process();
    let mut report = Report::new("b12", "logins and joins");

    let (cpu, watch) = (process.cpu_seconds()?, Stopwatch::start());
    rig.api.in_parallel(&people, |http, account| rig.api.login(http, account).map(drop))?;
    let (logins, login_wall) = (process.cpu_seconds()? - cpu, watch.seconds());

    let sizes = |people: &[api::Account]| {
        rig.api.in_parallel(people, |http, account| {
            let path = format!("/v1/channels/{channel}/join");
            let answer = http.request("POST", &path, Some(&account.token), None)?;
            answer.success()?;
            Ok(answer.body.len())
        })
    };
    let (cpu, watch) = (process.cpu_seconds()?, Stopwatch::start());
    let sizes = sizes(&people)?;
    let (joins, join_wall) = (process.cpu_seconds()? - cpu, watch.seconds());

    let line = |work: String, figure: String, cpu: f64, bar: &str, met: bool| Line {
        work,
        figure,
        ceiling: None,
        ratio: None,
        cpu: Some(cpu * 100_000.0 / count(accounts)),
        ceiling_cpu: None,
        bar: bar.to_owned(),
        met,
    };
    report.lines.push(line(
        format!("{accounts} logins (challenge and session each)"),
        format!("{logins:.2} CPU-s, {login_wall:.1} s"),
        logins,
        "with the joins ≤ 5 CPU-s",
        logins + joins <= 5.0,
    ));
    report.lines.push(line(
        format!("{accounts} joins of one room"),
        format!("{joins:.2} CPU-s, {join_wall:.1} s"),
        joins,
        "with the logins ≤ 5 CPU-s",
        logins + joins <= 5.0,
    ));
    let (smallest, largest) =
        (sizes.iter().min().copied().unwrap_or(0), sizes.iter().max().copied().unwrap_or(0));
    report.lines.push(line(
        "answer to a join, first to last member".into(),
        format!("{smallest} to {largest} bytes"),
        joins,
        "nothing per member already there (≤ 16 bytes for longer numbers)",
        largest - smallest <= 16,
    ));
    Ok(report)
}

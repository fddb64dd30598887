//! B3 and B8: what connections cost in memory.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Setting;
use super::rig::{NUMBERS, Rig};
use crate::api::{self, Account};
use crate::engine::Engine;
use crate::http;
use crate::load::{Dialect, Plan, Sender, drive};
use crate::process::Process;
use crate::report::{Line, Report};
use crate::stats::count;

/// Accounts that share the connections of B3: each has several devices.
const PEOPLE: usize = 1_000;

/// B3: `connections` idle ones of each transport.
pub(super) fn connections(setting: &Setting, connections: usize) -> anyhow::Result<Report> {
    let mut rig = Rig::start(setting)?;
    let people = rig.api.people(&rig.community, "idle", PEOPLE.min(connections))?;
    let mut report = Report::new("b3", "idle authenticated connections");
    for (transport, bar) in [("WebSocket", 10), ("SSE", 16), ("long poll", 16)] {
        // What one transport leaves behind is not the next one's.
        rig.restart()?;
        warm_up(&rig, &people)?;
        let before = settled(rig.subject.process())?;
        let held = hold(&rig, transport, &people, connections)?;
        let after = settled(rig.subject.process())?;
        for mut stream in held {
            check_idle(&mut stream).with_context(|| format!("an idle {transport}"))?;
        }
        #[expect(clippy::cast_precision_loss, reason = "memory of one process")]
        let each = after.saturating_sub(before) as f64 / 1024.0 / count(connections);
        report.lines.push(Line {
            work: format!("{connections} × {transport}"),
            figure: format!("{each:.1} KiB each"),
            ceiling: None,
            ratio: None,
            cpu: None,
            ceiling_cpu: None,
            bar: format!("≤ {bar} KiB each"),
            met: each <= f64::from(bar),
        });
    }
    report.notes.push(format!(
        "growth of the resident memory of the server, started anew for each transport; \
         {} accounts",
        people.len()
    ));
    Ok(report)
}

/// One request of everybody, so that caches of accounts are not counted as connections.
fn warm_up(rig: &Rig, people: &[Account]) -> anyhow::Result<()> {
    rig.api.in_parallel(people, |http, account| {
        http.request("GET", "/v1/me", Some(&account.token), None)?.success()
    })?;
    Ok(())
}

/// Opens connections, spread over the accounts, and waits until the server has answered each.
fn hold(
    rig: &Rig,
    transport: &str,
    people: &[Account],
    connections: usize,
) -> anyhow::Result<Vec<TcpStream>> {
    let mut http = rig.api.connect();
    let owner = &rig.community.owner.token;
    let cursor = api::cursor(&mut http, owner)?;
    let server = rig.subject.address();
    people
        .iter()
        .cycle()
        .take(connections)
        .map(|account| {
            if transport == "WebSocket" {
                return Ok(rig.greet(account)?.stream);
            }
            let mut stream = TcpStream::connect(server)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            let token = Some(account.token.as_str());
            if transport == "SSE" {
                stream.write_all(&http::encode(server, "GET", "/v1/stream", token, None))?;
                let mut head = [0; 12];
                stream.read_exact(&mut head)?;
                ensure!(&head == b"HTTP/1.1 200", "no stream");
            } else {
                let path = format!("/v1/sync?since={cursor}&timeout=60");
                stream.write_all(&http::encode(server, "GET", &path, token, None))?;
            }
            Ok(stream)
        })
        .collect()
}

/// Fails when the server has ended a connection that should be idle.
fn check_idle(stream: &mut TcpStream) -> anyhow::Result<()> {
    stream.set_nonblocking(true)?;
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => anyhow::bail!("the server ended it"),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Resident memory once it has not moved for a second, at most ten.
fn settled(process: &Process) -> anyhow::Result<u64> {
    let mut last = process.resident_bytes()?;
    for _ in 0..10 {
        std::thread::sleep(Duration::from_secs(1));
        let now = process.resident_bytes()?;
        if now.abs_diff(last) < 64 << 10 {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

/// B8: the whole process, idle with ten people and busy with a thousand.
pub(super) fn memory(setting: &Setting) -> anyhow::Result<Report> {
    let mut report = Report::new("b8", "memory of the server");
    let mut rig = Rig::start(setting)?;
    let few = rig.api.people(&rig.community, "few", 10)?;
    let mut engine = Engine::new()?;
    rig.connect(&mut engine, &few)?;
    let idle = settled(rig.subject.process())? >> 20;
    report.lines.push(line("idle, 10 people connected", idle, 30));
    drop(engine);

    let (rooms, members) = (20, 50);
    let many = rig.api.people(&rig.community, "many", rooms * members)?;
    let mut channels = Vec::new();
    for (room, people) in many.chunks(members).enumerate() {
        let channel = rig.api.create_channel(&rig.community, &format!("room-{room}"))?;
        rig.api.join_all(&channel, people)?;
        channels.push(channel);
    }
    rig.restart()?;
    let mut engine = Engine::new()?;
    let connections = rig.connect(&mut engine, &many)?;
    let firsts = connections.iter().step_by(members).enumerate();
    let plan = Plan {
        senders: firsts.map(|(room, c)| Sender { connection: *c, room }).collect(),
        members,
        window: 1,
        rate: Some(100.0),
        length: Duration::from_secs(20),
        limit: None,
    };
    let dialect = Dialect::Tidings { channels, run: "memory".into() };
    drive(&mut engine, &dialect, &plan, rig.subject.process(), NUMBERS)?;
    let busy = rig.subject.process().peak_bytes()? >> 20;
    report.lines.push(line("1,000 connected, 20 rooms, 100 messages/s for 20 s: peak", busy, 100));
    Ok(report)
}

fn line(work: &str, mebibytes: u64, bar: u64) -> Line {
    Line {
        work: work.to_owned(),
        figure: format!("{mebibytes} MiB"),
        ceiling: None,
        ratio: None,
        cpu: None,
        ceiling_cpu: None,
        bar: format!("≤ {bar} MiB"),
        met: mebibytes <= bar,
    }
}

//! R7: members that do not read, and what they cost everybody else.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use memchr::memmem;

use super::findings::Findings;
use super::{Database, Setting};
use crate::api::{self, Account, Api};
use crate::clock::Stopwatch;
use crate::engine::{Engine, Greeter};
use crate::load::{Dialect, Outcome, Plan, Sender, drive};
use crate::stats::{median, millis};
use crate::subject::Subject;

/// How large, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Members that read.
    pub members: usize,
    /// Members that do not.
    pub slow: usize,
    /// Rounds, each without and with slow members, so that both meet the same noise.
    pub rounds: usize,
    /// How long the others are measured, twice in each round.
    pub length: Duration,
}

impl Size {
    /// What the bar is about.
    pub const FULL: Self =
        Self { members: 50, slow: 10, rounds: 3, length: Duration::from_secs(4) };
}

/// Numbers of messages that one phase may use.
const NUMBERS: u64 = 10_000_000;

/// How long the backlog may take to be read in the end.
const PATIENCE: Duration = Duration::from_mins(1);

/// Lets slow members fall `backlog` messages behind.
pub fn run(setting: &Setting, size: Size, backlog: usize) -> anyhow::Result<Findings> {
    let title = format!("{} members that do not read, {backlog} messages behind", size.slow);
    let mut findings = Findings::new("r7", &title, setting.seed);
    let folder = setting.folder()?;
    let subject = setting.launch(folder.path(), &Database::Sqlite)?.start()?;
    let mut room = Room::found(setting, size, subject)?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let (mut growth, mut catch_up) = (0, Duration::ZERO);
    // The caches of the database fill once, whoever reads: that is no slow member's doing.
    room.send(None, Some(backlog))?;
    for _ in 0..size.rounds {
        without.push(millis(room.paced()?.delivery_latency.p99()));
        let round = room.stall(backlog)?;
        with.push(millis(round.paced.delivery_latency.p99()));
        growth = growth.max(round.growth);
        catch_up = catch_up.max(round.catch_up);
    }
    let (without, with) = (median(&without), median(&with));
    findings.measured(
        "p99 of the others, without and with slow members",
        format!("{without:.2} and {with:.2} ms"),
        "+ ≤ 10 %",
        with <= 1.1 * without,
    );
    findings.measured(
        "memory for each slow member",
        format!("{} KiB", growth >> 10),
        "≤ 1,024 KiB",
        growth <= 1 << 20,
    );
    let seconds = catch_up.as_secs_f64();
    findings.row(
        "all slow members have everything, in order, once they read",
        format!("{seconds:.1} s"),
        "all, nothing lost",
        true,
    );
    let Size { members, rounds, .. } = size;
    findings.notes.push(format!("medians of {rounds} rounds; {members} members that read"));
    Ok(findings)
}

struct Room {
    size: Size,
    subject: Subject,
    channel: String,
    slow: Vec<Account>,
    engine: Engine,
    connections: Vec<usize>,
    dialect: Dialect,
    next: u64,
}

struct Round {
    paced: Outcome,
    /// Bytes of resident memory for each slow member.
    growth: u64,
    catch_up: Duration,
}

impl Room {
    fn found(setting: &Setting, size: Size, subject: Subject) -> anyhow::Result<Self> {
        let api = Api::new(subject.address(), setting.seed);
        let community = api.found(&subject.setup_code()?)?;
        let channel = api.create_channel(&community, "busy")?;
        let fast = api.people(&community, "fast", size.members)?;
        let slow = api.people(&community, "slow", size.slow)?;
        api.join_all(&channel, &fast)?;
        api.join_all(&channel, &slow)?;
        let mut engine = Engine::new()?;
        let connections = fast
            .iter()
            .map(|account| engine.adopt(Greeter::session(subject.address(), &account.token, None)?))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let dialect = Dialect::Tidings { channels: vec![channel.clone()], run: "slow".into() };
        Ok(Self { size, subject, channel, slow, engine, connections, dialect, next: 0 })
    }

    fn send(&mut self, rate: Option<f64>, limit: Option<usize>) -> anyhow::Result<Outcome> {
        self.next += NUMBERS;
        let length = if limit.is_some() { Duration::from_mins(5) } else { self.size.length };
        let plan = Plan {
            senders: self
                .connections
                .iter()
                .take(1)
                .map(|connection| Sender { connection: *connection, room: 0 })
                .collect(),
            members: self.size.members,
            window: 64,
            rate,
            length,
            limit,
        };
        drive(&mut self.engine, &self.dialect, &plan, self.subject.process(), self.next)
    }

    fn paced(&mut self) -> anyhow::Result<Outcome> {
        self.send(Some(50.0), None)
    }

    fn head(&self) -> anyhow::Result<u64> {
        let token = &self.slow.first().context("nobody is slow")?.token;
        api::head_seq(&mut crate::http::Http::new(self.subject.address()), token, &self.channel)
    }

    /// Connects the slow ones, lets them fall behind, measures the others, and has all read.
    fn stall(&mut self, backlog: usize) -> anyhow::Result<Round> {
        let server = self.subject.address();
        let stalled = self
            .slow
            .iter()
            .map(|account| Greeter::session(server, &account.token, None))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let before = self.head()?;
        let memory = self.subject.process().resident_bytes()?;
        self.send(None, Some(backlog))?;
        let grown = self.subject.process().resident_bytes()?.saturating_sub(memory);
        let paced = self.paced()?;
        let head = self.head()?;
        let watch = Stopwatch::start();
        for greeter in stalled {
            read_all(greeter, before, head)?;
        }
        let slow = u64::try_from(self.size.slow.max(1))?;
        Ok(Round { paced, growth: grown / slow, catch_up: watch.elapsed() })
    }
}

/// Reads every message after `before` up to `head`; fails on a gap, a repeat or a wrong order.
fn read_all(greeter: Greeter, before: u64, head: u64) -> anyhow::Result<()> {
    let Greeter { mut stream, mut carry } = greeter;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut last = before;
    let mut chunk = vec![0; 256 << 10];
    while last < head {
        let mut at = 0;
        while let Some(found) = crate::frame::scan(carry.get(at..).unwrap_or_default())? {
            let frame = carry.get(at..at + found.end()).unwrap_or_default();
            let payload = frame.get(found.payload.clone()).unwrap_or_default();
            match found.opcode {
                crate::frame::CLOSE => {
                    bail!("closed at {last} of {head}: {}", String::from_utf8_lossy(payload));
                }
                crate::frame::PING => {
                    let mut out = Vec::new();
                    let mask = crate::frame::MASK;
                    crate::frame::put_client(&mut out, crate::frame::PONG, payload, mask);
                    stream.write_all(&out)?;
                }
                _ => {
                    if let Some(seq) = seq_of(payload) {
                        ensure!(seq == last + 1, "a slow member got seq {seq} after {last}");
                        last = seq;
                    }
                }
            }
            at += found.end();
        }
        carry.drain(..at);
        if last < head {
            let count = stream.read(&mut chunk).context("read the backlog")?;
            ensure!(count > 0, "the server ended the connection at {last} of {head}");
            carry.extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }
    Ok(())
}

/// The `seq` of an event in a conversation; it stands behind the data, near the end.
fn seq_of(event: &[u8]) -> Option<u64> {
    let tail = event.get(event.len().saturating_sub(200)..)?;
    memmem::find(tail, b"\"log\":\"c:")?;
    let at = memmem::rfind(tail, b"\"seq\":")? + 6;
    let digits = tail.get(at..)?.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seq_of_an_event_is_the_one_behind_its_data() {
        let event = br#"{"v":1,"t":"event","body":{"next":"c","event":{"data":{"body":"x","seq":3},"log":"c:1","seq":812,"timestamp":"t","type":"message.created"}}}"#;
        assert_eq!(seq_of(event), Some(812));
        assert_eq!(seq_of(br#"{"log":"u:1","seq":4,"type":"read.updated"}"#), None);
    }
}

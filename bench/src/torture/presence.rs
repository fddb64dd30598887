//! R13: what presence tells, how often, and to whom.
//!
//! Somebody flips between two states as fast as answers come while others watch; a lease ends by
//! itself; and who may not be seen is asked for as often as who is not there, by one who compares
//! every byte and the times.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;

use super::findings::Findings;
use super::socket::Socket;
use super::{Database, Setting};
use crate::api::{Account, Api};
use crate::clock::Stopwatch;
use crate::http::Http;
use crate::subject::Launch;

/// How large, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Who watch the one that flips.
    pub watchers: usize,
    /// How long it flips.
    pub length: Duration,
    /// Questions about each person who looks as if they were not there.
    pub probes: usize,
}

impl Size {
    /// What the bar is about.
    pub const FULL: Self = Self { watchers: 200, length: Duration::from_mins(5), probes: 2_000 };
}

/// How often watchers are told at most, in seconds; the server is set to it.
const BATCH_S: u64 = 5;
/// The shortest lease.
const LEASE: Duration = Duration::from_secs(15);
/// How long after a change the last word may come: a batch, and as long again on a busy machine.
const SETTLE: Duration = Duration::from_secs(2 * BATCH_S);
/// 1 % of samples of one distribution differ more than this, times √((n+m)/nm) (Kolmogorov-Smirnov).
const KS_FACTOR: f64 = 1.628;

/// Runs all parts against one server.
pub fn run(setting: &Setting, size: Size) -> anyhow::Result<Findings> {
    let title = format!("{} watch one who flips; {} probes of each", size.watchers, size.probes);
    let mut findings = Findings::new("r13", &title, setting.seed);
    let folder = setting.folder()?;
    let mut launch = setting.launch(folder.path(), &Database::Sqlite)?;
    let batch = ("TIDINGS__SERVER__PRESENCE_BATCH_S".to_owned(), BATCH_S.to_string());
    launch.environment.push(batch);
    let subject = launch.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let community = api.found(&subject.setup_code()?)?;
    let people = api.people(&community, "watcher", size.watchers)?;
    let known = api.people(&community, "known", 5)?;
    let [flipper, prober, unwanted, averse, hidden] = &known[..] else { bail!("five people") };
    let mut http = api.connect();
    let absent = api.people(&community, "absent", 1)?.pop().context("somebody absent")?;
    let stranger = api.register(&mut http, "stranger", None, None)?;

    flip(&mut findings, subject.address(), &people, flipper, size.length)?;
    expire(&mut findings, &mut http, flipper, prober)?;
    for (who, whom) in [(prober, unwanted), (averse, prober)] {
        let path = format!("/v1/me/blocks/{}", whom.user_id);
        http.request("PUT", &path, Some(&who.token), None)?.success()?;
    }
    for (who, sign) in [
        (unwanted, json!({"ttl_s": 300})),
        (averse, json!({"ttl_s": 300})),
        (&stranger, json!({"ttl_s": 300})),
        (hidden, json!({"ttl_s": 300, "state": "invisible"})),
    ] {
        beat(&mut http, who, &sign)?;
    }
    let unseen = [
        ("absent", &absent),
        ("blocked", unwanted),
        ("blocker", averse),
        ("invisible", hidden),
        ("stranger", &stranger),
    ];
    probe(&mut findings, &mut http, prober, &unseen, size.probes)?;
    drop(subject);
    on_disk(&mut findings, &launch)?;
    Ok(findings)
}

fn beat(http: &mut Http, who: &Account, sign: &serde_json::Value) -> anyhow::Result<()> {
    let sign = sign.to_string();
    http.request("POST", "/v1/heartbeat", Some(&who.token), Some(&sign))?.success()
}

#[derive(Debug, Deserialize)]
struct Frame {
    #[serde(rename = "t")]
    kind: String,
    body: serde_json::Value,
}

/// How often one who watches was told, and what at last.
#[derive(Debug, Default)]
struct Heard {
    times: u64,
    last: String,
}

async fn watch(
    server: SocketAddr,
    token: String,
    whom: String,
    until: Duration,
) -> anyhow::Result<Heard> {
    let mut socket = Socket::connect(server).await?;
    let start = json!({"v": 1, "t": "session.start", "body": {"token": token}}).to_string();
    let watch = json!({"v": 1, "t": "presence.watch", "body": {"users": [whom]}}).to_string();
    socket.send(&[start, watch]).await?;
    let mut heard = Heard::default();
    let listening = async {
        loop {
            let frame: Frame = serde_json::from_str(&socket.receive().await?)?;
            if frame.kind == "error" {
                bail!("{}", frame.body);
            }
            let event = &frame.body["event"];
            if event["type"] == "presence.changed" && event["data"]["user_id"] == whom {
                heard.times += 1;
                event["data"]["state"].as_str().unwrap_or_default().clone_into(&mut heard.last);
            }
        }
    };
    match tokio::time::timeout(until, listening).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(never)) => never,
        Err(_) => Ok(heard),
    }
}

/// Flips as fast as answers come while all watch.
fn flip(
    findings: &mut Findings,
    server: SocketAddr,
    watchers: &[Account],
    flipper: &Account,
    length: Duration,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let token = flipper.token.clone();
    let flips = std::thread::spawn(move || -> anyhow::Result<u64> {
        let mut http = Http::new(server);
        let (watch, mut flips) = (Stopwatch::start(), 0);
        while watch.elapsed() < length {
            let state = if flips % 2 == 0 { "away" } else { "online" };
            let sign = json!({"state": state, "ttl_s": 300}).to_string();
            http.request("POST", "/v1/heartbeat", Some(&token), Some(&sign))?.success()?;
            flips += 1;
        }
        let sign = json!({"state": "online", "ttl_s": 300}).to_string();
        http.request("POST", "/v1/heartbeat", Some(&token), Some(&sign))?.success()?;
        Ok(flips)
    });
    let heard = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for one in watchers {
            let (token, whom) = (one.token.clone(), flipper.user_id.clone());
            tasks.spawn(watch(server, token, whom, length + SETTLE));
        }
        let mut all = Vec::new();
        while let Some(task) = tasks.join_next().await {
            all.push(task.context("a watcher panicked")??);
        }
        anyhow::Ok(all)
    })?;
    let flips = flips.join().ok().context("the one that flips panicked")??;
    findings.notes.push(format!("{flips} flips in {} s", length.as_secs()));
    // The first answer, one for each batch, and one that had begun.
    let most = 2 + (length + SETTLE).as_secs() / BATCH_S;
    let times = heard.iter().map(|heard| heard.times).max().unwrap_or_default();
    findings.row(
        "updates that one watcher got at most",
        times.to_string(),
        &format!("≤ {most}: one in {BATCH_S} s"),
        times <= most,
    );
    let wrong = heard.iter().filter(|heard| heard.last != "online").count();
    findings.row("watchers whose last word is not the truth", wrong.to_string(), "0", wrong == 0);
    Ok(())
}

#[derive(Debug, Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    state: String,
}

fn expire(
    findings: &mut Findings,
    http: &mut Http,
    whose: &Account,
    viewer: &Account,
) -> anyhow::Result<()> {
    beat(http, whose, &json!({"state": "online", "ttl_s": LEASE.as_secs()}))?;
    let path = format!("/v1/presence?users={}", whose.user_id);
    let mut state = || -> anyhow::Result<String> {
        let list: List = http.call("GET", &path, Some(&viewer.token), None)?;
        Ok(list.items.into_iter().next().context("an answer")?.state)
    };
    let watch = Stopwatch::start();
    while state()? != "offline" {
        if watch.elapsed() > 2 * LEASE {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = watch.elapsed();
    findings.row(
        "a lease ends by itself, and not before its time",
        format!("{:.1} s", took.as_secs_f64()),
        "not before 15 s",
        took + Duration::from_millis(100) >= LEASE && took <= 2 * LEASE,
    );
    findings.measured(
        "how long after its time",
        format!("{:.2} s", took.saturating_sub(LEASE).as_secs_f64()),
        "≤ 1 s",
        took <= LEASE + Duration::from_secs(1),
    );
    Ok(())
}

/// What is answered about somebody: each different answer, and how long each took.
#[derive(Debug, Default)]
struct Answers {
    seen: BTreeMap<(u16, String), u64>,
    millis: Vec<f64>,
}

/// Asks for each in turn, so that all meet the same noise.
fn probe(
    findings: &mut Findings,
    http: &mut Http,
    asker: &Account,
    unseen: &[(&str, &Account)],
    probes: usize,
) -> anyhow::Result<()> {
    let mut answers: Vec<Answers> = unseen.iter().map(|_| Answers::default()).collect();
    for _ in 0..probes {
        for ((_, whom), answers) in unseen.iter().zip(&mut answers) {
            let path = format!("/v1/presence?users={}", whom.user_id);
            let watch = Stopwatch::start();
            let answer = http.request("GET", &path, Some(&asker.token), None)?;
            answers.millis.push(watch.seconds() * 1e3);
            let body = String::from_utf8(answer.body)?.replace(&whom.user_id, "ID");
            *answers.seen.entry((answer.status, body)).or_default() += 1;
        }
    }
    let (first, others) = answers.split_first().context("nobody to ask for")?;
    let same = first.seen.len() == 1 && others.iter().all(|other| other.seen == first.seen);
    findings.row(
        "answers about who may not be seen, other than about who is not there",
        if same { "none".to_owned() } else { format!("{answers:?}") },
        "none: status, size, every byte",
        same,
    );
    for ((name, _), other) in unseen.iter().skip(1).zip(others) {
        let distance = distance(&first.millis, &other.millis);
        #[expect(clippy::cast_precision_loss, reason = "thousands of probes")]
        let most = KS_FACTOR * (2.0 / probes as f64).sqrt();
        findings.measured(
            &format!("time of an answer: {name} and absent"),
            format!("D = {distance:.3}"),
            &format!("< {most:.3}: p > 0.01"),
            distance < most,
        );
    }
    Ok(())
}

/// The largest distance of the two samples' shares below a time (Kolmogorov-Smirnov).
fn distance(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, f64)> = Vec::with_capacity(one.len() + other.len());
    for (sample, sign) in [(one, 1.0), (other, -1.0)] {
        #[expect(clippy::cast_precision_loss, reason = "thousands of probes")]
        let share = sign / sample.len() as f64;
        all.extend(sample.iter().map(|millis| (*millis, share)));
    }
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut height, mut largest) = (0.0_f64, 0.0_f64);
    for same in all.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        height += same.iter().map(|(_, share)| share).sum::<f64>();
        largest = largest.max(height.abs());
    }
    largest
}

/// Nothing of presence is on the disk but when people were last seen, once each.
fn on_disk(findings: &mut Findings, launch: &Launch) -> anyhow::Result<()> {
    let file = launch.data.join("tidings.db");
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
    let entries = count("SELECT COUNT(*) FROM entries WHERE kind LIKE 'presence%'")?;
    findings.row("entries of presence in the log", entries.to_string(), "0", entries == 0);
    let tables = count(
        "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'
         AND (name LIKE '%presence%' OR name LIKE '%lease%' OR name LIKE '%watch%')",
    )?;
    findings.row("tables of presence", tables.to_string(), "0", tables == 0);
    let (seen, people) =
        (count("SELECT COUNT(*) FROM last_seen")?, count("SELECT COUNT(*) FROM users")?);
    findings.row(
        "people of whom it is kept when they were last seen",
        seen.to_string(),
        &format!("≤ {people}, once each"),
        seen <= people,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_have_no_distance_and_apart_ones_the_whole() {
        assert!(distance(&[1.0, 2.0, 2.0], &[2.0, 1.0, 2.0]) < 1e-9);
        assert!((distance(&[1.0, 2.0], &[3.0, 4.0]) - 1.0).abs() < 1e-9);
        assert!((distance(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0]) - 0.5).abs() < 1e-9);
    }
}

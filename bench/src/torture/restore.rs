//! R16: copies are made under load, everything is deleted, and each copy is put back.
//!
//! Writers note what they sent and what was acknowledged. Of each copy must come back: everything
//! that was acknowledged before it was begun, nothing that was sent after it had ended, and of each
//! writer's messages the first ones without a hole. Whoever follows from an old cursor is told.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::findings::Findings;
use super::{Database, Setting};
use crate::api::{self, Account, Api};
use crate::clock::{self, Stopwatch};
use crate::http::Http;

/// People who write at the same time, each as fast as answers come.
const WRITERS: usize = 4;
/// Messages that are said after a copy was put back.
const FURTHER: usize = 100;
/// A copy of 1 GB comes back within a minute (70-quality).
const BYTES_PER_SECOND: f64 = 1e9 / 60.0;

/// A message that somebody sent.
#[derive(Debug)]
struct Sent {
    body: String,
    at: u64,
    acked_at: u64,
}

/// When a copy was begun and ended.
#[derive(Debug)]
struct Window {
    begun: u64,
    ended: u64,
}

/// Makes a copy in the middle of `length` under load and one near its end, and restores both.
pub fn run(setting: &Setting, length: Duration) -> anyhow::Result<Findings> {
    let mut findings =
        Findings::new("r16", "copies under load, everything deleted, restored", setting.seed);
    let folder = setting.folder()?;
    let launch = setting.launch(folder.path(), &Database::Sqlite)?;
    let mut subject = launch.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let community = api.found(&subject.setup_code()?)?;
    let people = api.people(&community, "writer", WRITERS)?;
    let channel = api.create_channel(&community, "load")?;
    api.join_all(&channel, &people)?;

    let (old, new) = (folder.path().join("old.zip"), folder.path().join("new.zip"));
    let writing = AtomicBool::new(true);
    let (sent, windows) = std::thread::scope(|scope| -> anyhow::Result<_> {
        let writers: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(number, person)| {
                let (api, channel, writing) = (&api, &channel, &writing);
                scope.spawn(move || write(api, person, number, channel, writing))
            })
            .collect();
        let copies = copy_twice(setting, &launch.data, length, [&old, &new]);
        writing.store(false, Ordering::Relaxed);
        let sent = writers
            .into_iter()
            .map(|writer| writer.join().ok().context("a writer panicked")?)
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok((sent, copies?))
    })?;
    let total: usize = sent.iter().map(Vec::len).sum();
    findings.notes.push(format!("{total} messages were acknowledged while copies were made"));
    let person = people.first().context("nobody writes")?;
    let cursor = api::cursor(&mut api.connect(), &person.token)?;

    for (name, file, window, keeps) in
        [("newest copy", &new, &windows[1], true), ("older copy", &old, &windows[0], false)]
    {
        subject.process_mut().kill();
        std::fs::remove_dir_all(&launch.data)?;
        let watch = Stopwatch::start();
        let mut words = vec!["restore".as_ref(), file.as_os_str(), "--data".as_ref()];
        words.push(launch.data.as_os_str());
        if keeps {
            words.push("--keep-sessions".as_ref());
        }
        tidingsd(setting, &words)?;
        let took = watch.seconds();
        tidingsd(setting, &["doctor".as_ref(), "--data".as_ref(), launch.data.as_os_str()])?;
        subject = launch.start()?;
        judge(&mut findings, name, &api, person, &channel, &cursor, &sent, window, keeps)?;
        #[expect(clippy::cast_precision_loss, reason = "a size, for people")]
        let bytes = crate::process::bytes_on_disk(&launch.data)? as f64;
        findings.measured(
            &format!("{name}: restored"),
            format!("{:.1} MB in {took:.1} s", bytes / 1e6),
            "≤ 60 s for 1 GB, and 5 s",
            took <= 5.0 + bytes / BYTES_PER_SECOND,
        );
    }
    Ok(findings)
}

fn copy_twice(
    setting: &Setting,
    data: &Path,
    length: Duration,
    files: [&Path; 2],
) -> anyhow::Result<[Window; 2]> {
    let copy = |file: &Path| -> anyhow::Result<Window> {
        std::thread::sleep(length / 2);
        let begun = clock::nanos();
        let words = [
            "backup".as_ref(),
            "--data".as_ref(),
            data.as_os_str(),
            "--out".as_ref(),
            file.as_os_str(),
        ];
        tidingsd(setting, &words)?;
        Ok(Window { begun, ended: clock::nanos() })
    };
    Ok([copy(files[0])?, copy(files[1])?])
}

fn tidingsd(setting: &Setting, words: &[&std::ffi::OsStr]) -> anyhow::Result<()> {
    let output = Command::new(&setting.tidingsd).args(words).output()?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stdout);
        bail!("tidingsd {words:?}: {told}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn write(
    api: &Api,
    person: &Account,
    number: usize,
    channel: &str,
    writing: &AtomicBool,
) -> anyhow::Result<Vec<Sent>> {
    let mut http = api.connect();
    let mut sent = Vec::new();
    while writing.load(Ordering::Relaxed) {
        let body = format!("writer {number} message {}", sent.len());
        let at = clock::nanos();
        say(&mut http, &person.token, channel, &body)?;
        sent.push(Sent { body, at, acked_at: clock::nanos() });
    }
    Ok(sent)
}

fn say(http: &mut Http, token: &str, channel: &str, body: &str) -> anyhow::Result<()> {
    let path = format!("/v1/channels/{channel}/messages");
    let message = json!({ "client_id": Uuid::now_v7().to_string(), "body": body }).to_string();
    http.call::<Value>("POST", &path, Some(token), Some(&message)).map(drop)
}

#[derive(Debug, Deserialize)]
struct Message {
    seq: u64,
    body: String,
}

fn timeline(http: &mut Http, token: &str, channel: &str) -> anyhow::Result<Vec<Message>> {
    #[derive(Deserialize)]
    struct Page {
        items: Vec<Message>,
    }
    let mut all: Vec<Message> = Vec::new();
    loop {
        let after = all.last().map_or(0, |message| message.seq);
        let path = format!("/v1/channels/{channel}/messages?after={after}&limit=200");
        let page: Page = http.call("GET", &path, Some(token), None)?;
        if page.items.is_empty() {
            return Ok(all);
        }
        all.extend(page.items);
    }
}

#[expect(clippy::too_many_arguments, reason = "one call for each copy, and nothing to keep")]
fn judge(
    findings: &mut Findings,
    name: &str,
    api: &Api,
    person: &Account,
    channel: &str,
    cursor: &str,
    sent: &[Vec<Sent>],
    window: &Window,
    keeps: bool,
) -> anyhow::Result<()> {
    let mut http = api.connect();
    let status = |http: &mut Http, token: &str, path: &str| -> anyhow::Result<u16> {
        Ok(http.request("GET", path, Some(token), None)?.status)
    };
    let known = status(&mut http, &person.token, "/v1/communities")?;
    let expected = if keeps { 200 } else { 401 };
    findings.row(
        &format!("{name}: the old session"),
        known.to_string(),
        &expected.to_string(),
        known == expected,
    );
    let token = if keeps { person.token.clone() } else { api.login(&mut http, person)? };
    let expired = status(&mut http, &token, &format!("/v1/sync?since={cursor}&timeout=0"))?;
    findings.row(&format!("{name}: the old cursor"), expired.to_string(), "410", expired == 410);

    let found = timeline(&mut http, &token, channel)?;
    let bodies: HashSet<&str> = found.iter().map(|message| &*message.body).collect();
    let (mut lost, mut early, mut holes) = (0, 0, 0);
    for messages in sent {
        let mut is_over = false;
        for message in messages {
            let is_there = bodies.contains(&*message.body);
            lost += usize::from(!is_there && message.acked_at < window.begun);
            early += usize::from(is_there && message.at > window.ended);
            holes += usize::from(is_there && is_over);
            is_over |= !is_there;
        }
    }
    let doubled = found.len() - bodies.len();
    for (what, count) in [
        ("acknowledged before the copy and lost", lost),
        ("sent after the copy and there", early),
        ("there behind one of the same writer that is not", holes),
        ("there twice", doubled),
    ] {
        findings.row(&format!("{name}: messages {what}"), count.to_string(), "0", count == 0);
    }
    let whole = sent.iter().map(Vec::len).sum::<usize>();
    findings.notes.push(format!("{name}: {} of {whole} messages came back", found.len()));

    let mut next = api::cursor(&mut http, &token)?;
    let mut heard = 0;
    for number in 0..FURTHER {
        say(&mut http, &token, channel, &format!("{number} after the {name}"))?;
        let mut own = 0;
        next = api::read_to_head::<Value>(&mut http, &token, &next, |events| own += events.len())?;
        heard += usize::from(own > 0);
    }
    let after = timeline(&mut http, &token, channel)?.len();
    findings.row(
        &format!("{name}: acknowledged and heard at once from a new snapshot on"),
        heard.to_string(),
        &FURTHER.to_string(),
        heard == FURTHER && after == found.len() + FURTHER,
    );
    Ok(())
}

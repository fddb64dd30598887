//! B11: importing a Slack export on a stopped server.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Setting, rig};
use crate::api::Api;
use crate::clock::Stopwatch;
use crate::load::body;
use crate::process::Process;
use crate::report::{Line, Report};
use crate::stats::count;
use crate::subject::Launch;

const CHANNELS: usize = 50;
const USERS: usize = 500;
const DAYS: usize = 10;

/// Messages of the small and of the large export; memory must not grow with the size.
const SMALL: usize = 20_000;
const LARGE: usize = 200_000;

/// Longest time for one import.
const PATIENCE: Duration = Duration::from_mins(10);

/// Imports made-up exports of two sizes, the large one also with a kill in its middle.
pub(super) fn run(setting: &Setting) -> anyhow::Result<Report> {
    let folder = rig::folder(setting)?;
    let mut report = Report::new("b11", "import of a Slack export");
    let (mut peaks, mut seconds) = (Vec::new(), 0.0);
    let mut whole = BTreeMap::new();
    for (name, messages) in [("small", SMALL), ("large", LARGE)] {
        let export = folder.path().join(format!("{name}.zip"));
        write_export(&export, messages)?;
        let import = Import { setting, export, data: folder.path().join(name) };
        let run = import.run(None)?;
        ensure!(run.finished, "the import was not finished");
        let rate = count(messages) / run.seconds;
        report.lines.push(line(
            &format!("{messages} messages, {USERS} users, {CHANNELS} channels"),
            format!("{rate:.0} messages/s, {:.1} CPU-s, peak {} MiB", run.cpu, run.peak >> 20),
            "≥ 10,000/s",
            rate >= 10_000.0,
        ));
        peaks.push(run.peak);
        seconds = run.seconds;
        whole = import.contents()?;
    }
    let (small, large) = (peaks.first().copied().unwrap_or(1), peaks.last().copied().unwrap_or(0));
    report.lines.push(line(
        "peak memory, ten times the messages",
        format!("{} and {} MiB", small >> 20, large >> 20),
        "flat (≤ 1.25 ×)",
        large <= small + small / 4,
    ));

    let export = folder.path().join("large.zip");
    let import = Import { setting, export, data: folder.path().join("killed") };
    let killed = import.run(Some(Duration::from_secs_f64(seconds / 2.0)))?;
    let again = import.run(None)?;
    let same = import.contents()? == whole;
    report.lines.push(line(
        "killed in its middle and run again",
        format!(
            "killed {}, then {:.1} s; contents {}",
            if killed.finished { "too late" } else { "half-way" },
            again.seconds,
            if same { "the same" } else { "different" }
        ),
        "ends in the same state",
        again.finished && same && !killed.finished,
    ));
    Ok(report)
}

fn line(work: &str, figure: String, bar: &str, met: bool) -> Line {
    Line {
        work: work.to_owned(),
        figure,
        ceiling: None,
        ratio: None,
        cpu: None,
        ceiling_cpu: None,
        bar: bar.to_owned(),
        met,
    }
}

struct Import<'a> {
    setting: &'a Setting,
    export: PathBuf,
    data: PathBuf,
}

struct Run {
    finished: bool,
    seconds: f64,
    cpu: f64,
    peak: u64,
}

impl Import<'_> {
    /// Runs the importer, to its end or for `limit`.
    fn run(&self, limit: Option<Duration>) -> anyhow::Result<Run> {
        std::fs::create_dir_all(&self.data)?;
        let log = self.data.with_extension("import.log");
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(&self.setting.tidingsd);
        command
            .args(["import", "slack"])
            .arg(&self.export)
            .args(["--community", "bench", "--data"])
            .arg(&self.data)
            .stdout(Stdio::from(output.try_clone()?))
            .stderr(Stdio::from(output));
        let watch = Stopwatch::start();
        let mut process = Process::spawn(&mut command)?;
        let mut run = Run { finished: false, seconds: 0.0, cpu: 0.0, peak: 0 };
        loop {
            // Fails when the process has just ended: the last figures stand.
            if let (Ok(peak), Ok(cpu)) = (process.peak_bytes(), process.cpu_seconds()) {
                run.peak = run.peak.max(peak);
                run.cpu = run.cpu.max(cpu);
            }
            run.seconds = watch.seconds();
            if let Some(code) = process.exited()? {
                let words = std::fs::read_to_string(&log).unwrap_or_default();
                ensure!(code == 0, "the import ended with {code}:\n{words}");
                run.finished = true;
                return Ok(run);
            }
            if limit.is_some_and(|limit| watch.elapsed() > limit) {
                process.kill();
                return Ok(run);
            }
            if watch.elapsed() > PATIENCE {
                bail!("the import takes longer than {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Where the log of each channel ends, by name, as a server on this folder shows it.
    fn contents(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let subject = Launch::new(&self.setting.tidingsd, &self.data)?.start()?;
        let api = Api::new(subject.address(), self.setting.seed);
        let mut http = api.connect();
        let code = subject.setup_code()?;
        let owner = api.register(&mut http, "owner", Some(&code), None)?;
        let token = Some(owner.token.as_str());
        let communities: Value = http.call("GET", "/v1/communities", token, None)?;
        let id = communities.pointer("/items/0/id").and_then(Value::as_str);
        let id = id.context("the owner is in no community")?;
        let path = format!("/v1/communities/{id}/channels?limit=200");
        let channels: Value = http.call("GET", &path, token, None)?;
        let items = channels.get("items").and_then(Value::as_array).context("no channels")?;
        let contents: Option<BTreeMap<String, u64>> = items
            .iter()
            .filter(|channel| channel.get("name").is_none_or(|name| name != "general"))
            .map(|channel| {
                let name = channel.get("name")?.as_str()?.to_owned();
                Some((name, channel.get("head_seq")?.as_u64()?))
            })
            .collect();
        contents.context("a channel without name or head")
    }
}

/// Writes a made-up export of a workspace.
fn write_export(path: &Path, messages: usize) -> anyhow::Result<()> {
    let mut zip = ZipWriter::new(File::create(path)?);
    let options = SimpleFileOptions::default();
    let users: Vec<Value> = (0..USERS)
        .map(|number| {
            let profile = json!({ "real_name": format!("Person {number}"), "display_name": "" });
            json!({ "id": user(number), "name": format!("person{number}"), "profile": profile })
        })
        .collect();
    let channels: Vec<Value> = (0..CHANNELS)
        .map(|number| {
            json!({
                "id": format!("C{number:08}"), "name": format!("channel-{number}"),
                "created": 1_500_000_000, "creator": user(0), "is_archived": false,
                "is_general": false, "members": [user(0)], "topic": { "value": "" },
                "purpose": { "value": "" },
            })
        })
        .collect();
    for (name, content) in [("users.json", users), ("channels.json", channels)] {
        zip.start_file(name, options)?;
        serde_json::to_writer(&mut zip, &content)?;
    }
    let each = messages / (CHANNELS * DAYS);
    for channel in 0..CHANNELS {
        for day in 0..DAYS {
            zip.start_file(format!("channel-{channel}/2018-02-{:02}.json", day + 1), options)?;
            let first = (channel * DAYS + day) * each;
            let day: Vec<Value> = (first..first + each)
                .map(|number| {
                    let seconds = 1_517_443_200 + 86_400 * day + number - first;
                    json!({
                        "type": "message", "user": user(number % USERS),
                        "text": body(number as u64), "ts": format!("{seconds}.{:06}", channel),
                    })
                })
                .collect();
            serde_json::to_writer(&mut zip, &day)?;
        }
    }
    zip.finish()?.flush()?;
    Ok(())
}

fn user(number: usize) -> String {
    format!("U{number:08}")
}

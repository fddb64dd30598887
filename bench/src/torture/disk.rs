//! R5: the disk is full and later has room again; an fsync fails.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use tempfile::TempDir;

use super::checker::check;
use super::findings::Findings;
use super::record::Act;
use super::town::{Population, Town};
use super::workload::{Pace, Workload};
use super::{Database, Setting};
use crate::api::Api;
use crate::http::{Answer, Http};
use crate::subject::Launch;

/// How long the server may take to end itself after an fsync that failed.
const END: Duration = Duration::from_secs(10);

/// The disk is full for `length` under load; then there is room again.
pub fn full(setting: &Setting, length: Duration) -> anyhow::Result<Findings> {
    let mut findings = Findings::new("r5", "disk full, then freed", setting.seed);
    let folder = setting.folder()?;
    let disk = Disk::mount(&folder, 64)?;
    let launch = setting.launch(disk.path(), &Database::Sqlite)?;
    let subject = launch.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let town = Town::found(&api, &subject.setup_code()?, Population::COMMON)?;
    let mut workload = Workload::start(&town, subject.address(), Pace::COMMON, setting.seed)?;
    std::thread::sleep(length / 2);
    workload.note(Act::Down);
    let filler = disk.fill()?;
    std::thread::sleep(length);

    let post = post(&town, "while the disk is full")?;
    let text = String::from_utf8_lossy(&post.body).into_owned();
    findings.row(
        "a message while the disk is full",
        format!("{} {text}", post.status),
        "507 `storage_full`",
        post.status == 507 && text.contains("\"storage_full\""),
    );
    let read = read(&town)?;
    findings.row(
        "reading while the disk is full",
        read.status.to_string(),
        "200",
        read.status == 200,
    );

    std::fs::remove_file(filler)?;
    workload.note(Act::Up);
    std::thread::sleep(length / 2);
    let records = workload.finish(&town)?;
    findings.judge(&check(&records));
    drop(subject);
    let again = launch.start();
    findings.row(
        "starts again without repair",
        again.as_ref().map_or_else(|error| format!("{error:#}"), |_| "yes".to_owned()),
        "yes",
        again.is_ok(),
    );
    Ok(findings)
}

/// The n-th fsync fails with EIO, for each of `numbers`; the server must end itself, and what it
/// had acknowledged must be there when it is started again.
pub fn failing(setting: &Setting, numbers: &[usize]) -> anyhow::Result<Findings> {
    let mut findings = Findings::new("r5-eio", "EIO on the n-th fsync", setting.seed);
    for number in numbers {
        let folder = setting.folder()?;
        let healthy = setting.launch(folder.path(), &Database::Sqlite)?;
        let subject = healthy.start()?;
        let api = Api::new(subject.address(), setting.seed);
        let town = Town::found(&api, &subject.setup_code()?, Population::COMMON)?;
        drop(subject);

        let sick = Launch { wrapper: strace(*number, folder.path()), ..healthy.clone() };
        let mut subject = sick.start()?;
        let mut workload = Workload::start(&town, subject.address(), Pace::COMMON, setting.seed)?;
        let ended = subject.process_mut().wait(END)?;
        findings.row(
            &format!("fsync {number} fails: the server ends itself"),
            ended.map_or_else(|| "it goes on".to_owned(), |code| format!("exit code {code}")),
            "an exit code that is not 0",
            ended.is_some_and(|code| code > 0),
        );
        workload.note(Act::Down);
        drop(subject);
        workload.note(Act::Starting);
        let subject = healthy.start()?;
        workload.note(Act::Up);
        std::thread::sleep(Duration::from_secs(1));
        let records = workload.finish(&town)?;
        findings.judge(&check(&records));
        drop(subject);
    }
    Ok(findings)
}

/// Runs the server as the parent of a tracer that makes one fsync fail, whichever thread does it.
fn strace(number: usize, folder: &Path) -> Vec<String> {
    let calls = "fsync,fdatasync";
    [
        "strace",
        "-DD",
        "-f",
        "--seccomp-bpf",
        "-o",
        &folder.join("strace.log").to_string_lossy(),
        "-e",
        &format!("trace={calls}"),
        "-e",
        &format!("inject={calls}:error=EIO:when={number}"),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn post(town: &Town, body: &str) -> anyhow::Result<Answer> {
    let channel = town.channels.first().context("no channel")?;
    let path = format!("/v1/channels/{channel}/messages");
    let body = json!({ "client_id": "full", "body": body }).to_string();
    Http::new(town.server).request("POST", &path, Some(&town.owner.token), Some(&body))
}

fn read(town: &Town) -> anyhow::Result<Answer> {
    let channel = town.channels.first().context("no channel")?;
    let path = format!("/v1/channels/{channel}/messages");
    Http::new(town.server).request("GET", &path, Some(&town.owner.token), None)
}

/// A small file system in memory that goes with this value.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts `mebibytes` of memory in `folder`; only root may.
    fn mount(folder: &TempDir, mebibytes: usize) -> anyhow::Result<Self> {
        let path = folder.path().join("disk");
        std::fs::create_dir(&path)?;
        let size = format!("size={mebibytes}m");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tidings-torture"])
            .arg(&path)
            .status()
            .context("run mount")?;
        if !status.success() {
            bail!("a full disk needs a small one, and only root may mount it");
        }
        Ok(Self { path })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// Takes all room that is left and returns the file that holds it.
    fn fill(&self) -> anyhow::Result<PathBuf> {
        let path = self.path.join("filler");
        let mut file = File::create(&path)?;
        let chunk = vec![0; 4096];
        while file.write_all(&chunk).is_ok() {}
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever sits in it has been ended before; a mount that stays is seen by its name.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

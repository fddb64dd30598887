//! R5: the disk is full and later has room again; an fsync fails.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sys::signal::Signal;
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
use crate::process::Process;
use crate::subject::{Attempt, Launch};

/// How long the server may take to end itself after an fsync that failed.
const END: Duration = Duration::from_secs(10);

/// Why there is no room for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// Its file system is full: a small one in memory, which takes the right to mount. Without that
    /// right it is [`Shortage::FileSize`].
    Room,
    /// Its limit of file sizes is reached (`setrlimit(2)`, `RLIMIT_FSIZE`), which anyone may cause.
    FileSize,
}

/// There is no room for `length` under load; then there is again.
pub fn full(setting: &Setting, shortage: Shortage, length: Duration) -> anyhow::Result<Findings> {
    let folder = setting.folder()?;
    let disk = Disk::make(&folder, shortage)?;
    let title = match disk.shortage {
        Shortage::Room => "disk full, then freed",
        Shortage::FileSize => "limit of file sizes reached, then raised",
    };
    let mut findings = Findings::new("r5", title, setting.seed);
    let mut launch = setting.launch(disk.path(), &Database::Sqlite)?;
    launch.wrapper = disk.wrapper();
    let subject = launch.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let town = Town::found(&api, &subject.setup_code()?, Population::COMMON)?;
    let mut workload = Workload::start(&town, subject.address(), Pace::COMMON, setting.seed)?;
    std::thread::sleep(length / 2);
    workload.note(Act::Down);
    disk.fill(subject.process())?;
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

    disk.free(subject.process())?;
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

/// The n-th fsync of the log fails with EIO, for each of `numbers`, under `rate` messages a second;
/// the server must end itself, and what it had acknowledged must be there when it is started again.
pub fn failing(setting: &Setting, numbers: &[usize], rate: f64) -> anyhow::Result<Findings> {
    ensure_tracing(&setting.folder()?)?;
    let title = format!("EIO on the n-th fsync, {rate} messages a second");
    let mut findings = Findings::new("r5-eio", &title, setting.seed);
    let pace = Pace { rate, ..Pace::COMMON };
    for number in numbers {
        let folder = setting.folder()?;
        let healthy = setting.launch(folder.path(), &Database::Sqlite)?;
        let mut subject = healthy.start()?;
        let api = Api::new(subject.address(), setting.seed);
        let town = Town::found(&api, &subject.setup_code()?, Population::COMMON)?;
        // An orderly stop writes what is left of the index, so that the fsync that fails is one of
        // the workload and not of the start.
        subject.process().signal(Signal::SIGTERM)?;
        subject.process_mut().wait(END)?.context("the healthy server does not stop")?;
        drop(subject);

        let sick = Launch { wrapper: strace(*number, &healthy), ..healthy.clone() };
        // Whatever the server writes at its start may meet the failing fsync before anybody came.
        let (ended, mut workload) = match sick.attempt()? {
            Attempt::Ended(code) => (Some(code), None),
            Attempt::Ready(mut subject) => {
                let workload = Workload::start(&town, subject.address(), pace, setting.seed)?;
                (subject.process_mut().wait(END)?, Some(workload))
            }
        };
        findings.row(
            &format!("fsync {number} fails: the server ends itself"),
            ended.map_or_else(|| "it goes on".to_owned(), |code| format!("exit code {code}")),
            "an exit code that is not 0",
            ended.is_some_and(|code| code > 0),
        );
        if let Some(workload) = &mut workload {
            workload.note(Act::Down);
            workload.note(Act::Starting);
        }
        let subject = healthy.start()?;
        let workload = match workload {
            Some(mut workload) => {
                workload.note(Act::Up);
                workload
            }
            None => Workload::start(&town, subject.address(), pace, setting.seed)?,
        };
        std::thread::sleep(Duration::from_secs(1));
        let records = workload.finish(&town)?;
        findings.judge(&check(&records));
        drop(subject);
    }
    Ok(findings)
}

/// Fails with a reason when this machine does not let programs be traced.
fn ensure_tracing(folder: &TempDir) -> anyhow::Result<()> {
    let output = Command::new("strace")
        .args(["-f", "-e", "trace=fsync", "-o"])
        .arg(folder.path().join("strace.log"))
        .arg("true")
        .output()
        .context("a failing fsync needs Debian's package strace; cargo xtask test installs it")?;
    if !output.status.success() {
        bail!(
            "a failing fsync needs strace, which may not trace here (in a container: allow \
             SYS_PTRACE): {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Runs the server as the parent of a tracer that makes the n-th fsync of the write-ahead log fail
/// (counted for each thread). SQLite looks past a directory that cannot be synced, as many file
/// systems cannot: those calls are no part of it.
fn strace(number: usize, server: &Launch) -> Vec<String> {
    let calls = "fsync,fdatasync";
    [
        "strace",
        "-DD",
        "-f",
        "-o",
        &server.data.with_extension("strace").to_string_lossy(),
        "-P",
        &server.data.join("tidings.db-wal").to_string_lossy(),
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

/// A program that may write beyond the limit of file sizes without being ended for it: the write
/// fails instead, as on a full disk.
const DEAF: [&str; 4] = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

/// A place for data whose room can be taken and given back; it goes with this value.
struct Disk {
    path: PathBuf,
    shortage: Shortage,
}

impl Disk {
    fn make(folder: &TempDir, shortage: Shortage) -> anyhow::Result<Self> {
        let path = folder.path().join("disk");
        std::fs::create_dir(&path)?;
        let shortage = match shortage {
            Shortage::Room if mount(&path)? => Shortage::Room,
            _ => Shortage::FileSize,
        };
        Ok(Self { path, shortage })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// What the server has to run under.
    fn wrapper(&self) -> Vec<String> {
        match self.shortage {
            Shortage::Room => Vec::new(),
            Shortage::FileSize => DEAF.map(str::to_owned).to_vec(),
        }
    }

    /// From now on `server` can write nothing more.
    fn fill(&self, server: &Process) -> anyhow::Result<()> {
        match self.shortage {
            Shortage::Room => {
                let mut file = File::create(self.filler())?;
                let chunk = vec![0; 4096];
                while file.write_all(&chunk).is_ok() {}
                Ok(())
            }
            Shortage::FileSize => limit(server, "0:"),
        }
    }

    /// From now on it can again.
    fn free(&self, server: &Process) -> anyhow::Result<()> {
        match self.shortage {
            Shortage::Room => Ok(std::fs::remove_file(self.filler())?),
            Shortage::FileSize => limit(server, "unlimited:"),
        }
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.shortage == Shortage::Room {
            // Whoever sits in it has been ended before; a mount that stays is seen by its name.
            let _ = Command::new("umount").arg("-l").arg(&self.path).status();
        }
    }
}

/// Mounts a file system of 64 MiB in memory at `path`; says whether that is allowed here.
fn mount(path: &Path) -> anyhow::Result<bool> {
    let output = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64m", "tidings-torture"])
        .arg(path)
        .output()
        .context("run mount")?;
    Ok(output.status.success())
}

/// Sets the soft limit of file sizes of a process that runs.
fn limit(process: &Process, size: &str) -> anyhow::Result<()> {
    let output = Command::new("prlimit")
        .arg(format!("--pid={}", process.id()))
        .arg(format!("--fsize={size}"))
        .output()
        .context("run prlimit, of Debian's package util-linux")?;
    if !output.status.success() {
        bail!("limit file sizes: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

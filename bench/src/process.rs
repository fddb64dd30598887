//! Child processes under measurement: what they print, the processor time and memory they use,
//! and their end.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::clock::Stopwatch;

/// Clock ticks per second in `/proc/PID/stat`; Linux shows 100 to every process (`USER_HZ`).
const TICKS: f64 = 100.0;

/// A process that is killed when this value goes.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts `command` with its standard input closed.
    pub fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        Ok(Self(child))
    }

    /// Starts `command` and returns what follows `prefix` on the first line that begins with it.
    pub fn spawn_until(command: &mut Command, prefix: &str) -> anyhow::Result<(Self, String)> {
        let mut process = Self::spawn(command.stdout(Stdio::piped()))?;
        let output = process.0.stdout.take().context("the child has no standard output")?;
        for line in BufReader::new(output).lines() {
            if let Some(rest) = line?.strip_prefix(prefix) {
                return Ok((process, rest.trim().to_owned()));
            }
        }
        bail!("{} ended without saying {prefix:?}", command.get_program().display());
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends `signal`; fails when the process is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = i32::try_from(self.0.id()).context("a process id beyond i32")?;
        kill(Pid::from_raw(id), signal).with_context(|| format!("send {signal} to {id}"))
    }

    /// Kills at once (`SIGKILL`) and waits for the end.
    pub fn kill(&mut self) {
        // Only fails when the process has ended already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// The exit code when the process has ended by itself; `None` while it runs, -1 for a signal.
    pub fn exited(&mut self) -> anyhow::Result<Option<i32>> {
        Ok(self.0.try_wait()?.map(|status| status.code().unwrap_or(-1)))
    }

    /// Waits at most `limit` for the end and returns the exit code, or `None` when it still runs.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<Option<i32>> {
        let watch = Stopwatch::start();
        loop {
            if let Some(code) = self.exited()? {
                return Ok(Some(code));
            }
            if watch.elapsed() > limit {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Processor seconds used so far, user and system, all threads.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let path = format!("/proc/{}/stat", self.0.id());
        let stat = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        parse_cpu(&stat).with_context(|| format!("unexpected content of {path}"))
    }

    /// Resident memory in bytes (`VmRSS`).
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// Highest resident memory so far in bytes (`VmHWM`).
    pub fn peak_bytes(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.0.id());
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let kib: u64 = text
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|rest| rest.trim().strip_suffix("kB"))
            .and_then(|number| number.trim().parse().ok())
            .with_context(|| format!("no {field} in {path}"))?;
        Ok(kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Fields 14 and 15 of `proc_pid_stat(5)`; the name in field 2 may hold spaces and parentheses.
fn parse_cpu(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS)
}

/// Processor seconds that this process has used so far, user and system, all threads.
pub fn own_cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("read /proc/self/stat")?;
    parse_cpu(&stat).context("unexpected content of /proc/self/stat")
}

/// Raises the limit of open files to what the system allows and fails when that is under `needed`.
pub fn allow_files(needed: u64) -> anyhow::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    if hard < needed {
        bail!("{needed} open files are needed and {hard} allowed: raise `ulimit -n`");
    }
    Ok(())
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Bytes of all files under `path`.
pub fn bytes_on_disk(path: &Path) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        total += if meta.is_dir() { bytes_on_disk(&entry.path())? } else { meta.len() };
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_parentheses() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 99 0 0 0 150 50 0 0 20 0 1 0 5 1 1";
        assert!((parse_cpu(stat).unwrap() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_child_is_measured_and_ends_with_its_value() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo ready 7; exec sleep 60"]);
        let (mut child, rest) = Process::spawn_until(&mut command, "ready").unwrap();
        assert_eq!(rest, "7");
        assert!(child.resident_bytes().unwrap() > 0);
        assert!(child.cpu_seconds().unwrap() < 5.0);
        assert_eq!(child.exited().unwrap(), None);
        child.signal(Signal::SIGTERM).unwrap();
        assert_eq!(child.wait(Duration::from_secs(10)).unwrap(), Some(-1));
    }
}

//! The server under test: a `tidingsd serve` of its own folder and port, started and ended here.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::clock::Stopwatch;
use crate::http::Http;
use crate::process::{self, Process};

/// How long a server may take to be ready; the bars are far below.
const PATIENCE: Duration = Duration::from_mins(1);

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The `tidingsd` to run.
    pub binary: PathBuf,
    /// Its data folder; made when it is not there.
    pub data: PathBuf,
    /// Where it listens: the same after every restart.
    pub address: SocketAddr,
    /// The PostgreSQL database to use instead of SQLite in `data`.
    pub database: Option<String>,
    /// A program and its arguments to run the server under (`strace …`), empty for none.
    pub wrapper: Vec<String>,
    /// Environment on top of open registration without limits.
    pub environment: Vec<(String, String)>,
}

impl Launch {
    /// A server in `data` on a free port of 127.0.0.1, with SQLite.
    pub fn new(binary: &Path, data: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            binary: binary.to_owned(),
            data: data.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], process::free_port()?)),
            database: None,
            wrapper: Vec::new(),
            environment: Vec::new(),
        })
    }

    /// Starts the server and waits until it says that it is ready.
    pub fn start(&self) -> anyhow::Result<Subject> {
        match self.attempt()? {
            Attempt::Ready(subject) => Ok(subject),
            Attempt::Ended(code) => bail!("the server ended with {code}:\n{}", self.last_words()),
        }
    }

    /// Starts the server and waits until it is ready or has ended by itself.
    pub fn attempt(&self) -> anyhow::Result<Attempt> {
        let watch = Stopwatch::start();
        let process = Process::spawn(&mut self.command()?)?;
        let mut subject = Subject { launch: self.clone(), process, ready_after: Duration::ZERO };
        if let Some(code) = subject.wait_ready()? {
            return Ok(Attempt::Ended(code));
        }
        subject.ready_after = watch.elapsed();
        Ok(Attempt::Ready(subject))
    }

    /// The command line, with its output appended to `server.log` beside the data folder.
    fn command(&self) -> anyhow::Result<Command> {
        std::fs::create_dir_all(&self.data)?;
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut words = self.wrapper.iter().map(PathBuf::from).chain([self.binary.clone()]);
        let mut command = Command::new(words.next().context("no program")?);
        command
            .args(words)
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &self.address.to_string()])
            .env("TIDINGS__SERVER__REGISTRATION", "open")
            .env("TIDINGS__LIMITS__ENABLED", "false")
            .envs(self.database.iter().map(|url| ("TIDINGS__STORAGE__URL", url)))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log));
        Ok(command)
    }

    /// Where everything that the server prints goes.
    pub fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// The last lines of the log, for error messages.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
    }
}

/// What came of a start.
#[derive(Debug)]
pub enum Attempt {
    /// The server runs and is ready.
    Ready(Subject),
    /// It ended before it was ready, with this exit code.
    Ended(i32),
}

/// A server that runs.
#[derive(Debug)]
pub struct Subject {
    launch: Launch,
    process: Process,
    ready_after: Duration,
}

impl Subject {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.launch.address
    }

    /// How it was started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its process, to end it.
    pub fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }

    /// From the start of the process to the first `200` of `/readyz`.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The code with which the first account registers.
    pub fn setup_code(&self) -> anyhow::Result<String> {
        let path = self.launch.data.join("setup-code");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Ok(text.trim().to_owned())
    }

    /// Returns the exit code of a server that ended before it was ready.
    fn wait_ready(&mut self) -> anyhow::Result<Option<i32>> {
        let watch = Stopwatch::start();
        loop {
            let answer = Http::new(self.launch.address).request("GET", "/readyz", None, None);
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(None);
            }
            if let Some(code) = self.process.exited()? {
                return Ok(Some(code));
            }
            if watch.elapsed() > PATIENCE {
                bail!("the server is not ready:\n{}", self.launch.last_words());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

//! Starting the binary.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tidings_client::Client;
use tidings_client::login::Registration;
use tidings_server::{Clock as _, SystemClock};
use tidings_testkit::{Person, TestEntropy};

/// A command in `folder`, with an empty environment.
pub(crate) fn tidingsd(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidingsd"));
    command.current_dir(folder).stdin(Stdio::null()).env_clear();
    command
}

/// Runs to the end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ran {
    Ran::of(tidingsd(folder).args(arguments).output().unwrap())
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let Output { status, stdout, stderr } = output;
        let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(!err.contains("panicked"), "{err}");
        Self { status, out, err }
    }

    /// What it printed, if it went well.
    pub(crate) fn ok(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.out
    }

    /// What it complained about, if it ended with this code.
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self.err
    }
}

/// A place with a server that can be started and stopped.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    entropy: TestEntropy,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), entropy: TestEntropy::new(11) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory that the server uses when nobody names one.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("tidings-data")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(self.folder(), arguments)
    }

    /// Starts a server on a free port and waits until it has said where it is.
    pub(crate) fn serve(&self) -> Daemon {
        self.serve_with(|_| {})
    }

    pub(crate) fn serve_with(&self, change: impl FnOnce(&mut Command)) -> Daemon {
        let mut command = tidingsd(self.folder());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.env("TIDINGS__LIMITS__ENABLED", "false");
        change(&mut command);
        Daemon::start(command, self.folder().join("log"))
    }

    /// Registers somebody. `invite` is not needed by the first, nor when registration is open.
    pub(crate) async fn register(
        &self,
        daemon: &Daemon,
        username: &str,
        invite: Option<&str>,
    ) -> Person {
        let registration = Registration {
            username: username.to_owned(),
            setup_code: daemon.setup_code().map(str::to_owned),
            invite: invite.map(str::to_owned),
            ..Registration::default()
        };
        let now = SystemClock::new().now();
        Person::register(daemon.client(), &self.entropy, &registration, now).await
    }
}

/// A server that runs; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    printed: String,
    log: PathBuf,
}

impl Daemon {
    fn start(mut command: Command, log: PathBuf) -> Self {
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = String::new();
        // The last line that every start prints.
        while !printed.contains("tidings invite create") {
            let Some(line) = lines.next() else {
                let status = child.wait().unwrap();
                panic!("the server ended with {status}: {}", fs::read_to_string(&log).unwrap());
            };
            printed.push_str(&line.unwrap());
            printed.push('\n');
        }
        Self { child, printed, log }
    }

    /// What it printed on standard output.
    pub(crate) fn printed(&self) -> &str {
        &self.printed
    }

    pub(crate) fn url(&self) -> &str {
        self.printed.lines().next().unwrap().strip_prefix("Tidings is at ").unwrap()
    }

    pub(crate) fn setup_code(&self) -> Option<&str> {
        self.printed.lines().find_map(|line| line.strip_prefix("Setup code: "))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.url().parse().unwrap()).unwrap()
    }

    /// What it wrote to its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().try_into().unwrap()), signal).unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

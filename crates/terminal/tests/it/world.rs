//! A server and people, each a process with a temporary directory.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// How long to wait for what must come: only a broken program waits that long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process that ends with the test.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        let (sender, lines) = sync_channel(10_000);
        for stream in [Box::new(stdout) as Box<dyn Read + Send>, Box::new(stderr)] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self { child, lines }
    }

    /// The next line of either stream for which `wanted` holds.
    pub(crate) fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut passed = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => passed.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line with {what}, only:\n{}", passed.join("\n"))
                }
            }
        }
    }

    /// The next line of either stream that has `text` in it.
    pub(crate) fn line_with(&self, text: &str) -> String {
        self.line(text, |line| line.contains(text))
    }

    /// Whether a line with `text` is there or comes within a moment; for tests that go on trying.
    pub(crate) fn has_line_with(&self, text: &str) -> bool {
        while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(100)) {
            if line.contains(text) {
                return true;
            }
        }
        false
    }

    /// Presses Ctrl-C and waits; gives the exit code and what was still said.
    pub(crate) fn interrupt(mut self) -> (Option<i32>, Vec<String>) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(id), Signal::SIGINT).expect("a signal");
        let status = self.child.wait().expect("an end");
        (status.code(), self.lines.iter().collect())
    }
}

impl Running {
    /// Waits until it ends by itself; gives the exit code and what was still said.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.child.wait().expect("an end");
        (status.code(), self.lines.iter().collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `tidingsd`, with a data directory that survives its restarts.
pub(crate) struct Server {
    data: TempDir,
    url: String,
    running: Option<Running>,
    settings: Vec<(&'static str, &'static str)>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With settings in its environment.
    pub(crate) fn start_with(settings: &[(&'static str, &'static str)]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let url = "http://127.0.0.1:0".to_owned();
        let mut server = Self { data, url, running: None, settings: settings.to_vec() };
        server.start_again();
        server
    }

    /// Starts it again after [`Server::stop`], under the same address.
    pub(crate) fn start_again(&mut self) {
        let listen = self.url.strip_prefix("http://").expect("an address");
        let mut command = self.operator(&["serve", "--listen", listen]);
        let running = Running::start(&mut command);
        let said = running.line_with("Tidings is at ");
        let url = said.split_whitespace().find(|word| word.starts_with("http://"));
        url.expect("an address").clone_into(&mut self.url);
        self.running = Some(running);
    }

    /// A command of the operator for this server's data.
    pub(crate) fn operator(&self, args: &[&str]) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_tidings")).with_file_name("tidingsd");
        assert!(
            program.exists(),
            "{} is missing: build the workspace, not one package",
            program.display()
        );
        let mut command = Command::new(program);
        command.env_clear().args(args).arg("--data").arg(self.data.path());
        command.envs(self.settings.iter().copied());
        command
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Ends it without a warning.
    pub(crate) fn stop(&mut self) {
        self.running = None;
    }

    /// Runs `tidingsd export` into `file` and gives the key that signed it.
    pub(crate) fn export(&self, what: &[&str], file: &Path) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_tidings")).with_file_name("tidingsd");
        let mut command = Command::new(program);
        command.env_clear().arg("export").args(what).arg("--data").arg(self.data.path());
        let output = command.arg("--json").arg("--out").arg(file).output().expect("an end");
        let told: Value = serde_json::from_slice(&output.stdout).expect("a JSON value");
        told["key"].as_str().expect("a key").to_owned()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn setup_code(&self) -> String {
        let file = self.data.path().join("setup-code");
        std::fs::read_to_string(file).expect("the setup code").trim().to_owned()
    }
}

/// Somebody at a terminal of their own.
pub(crate) struct Person {
    home: TempDir,
}

impl Person {
    /// Somebody who has never used `tidings`.
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a directory") }
    }

    /// The first account of a server, with the community `acme`.
    pub(crate) fn owner(server: &Server, username: &str) -> Self {
        let person = Self::new();
        let code = server.setup_code();
        person.ok(&[
            "register",
            "--server",
            server.url(),
            "--username",
            username,
            "--setup-code",
            &code,
        ]);
        person.ok(&["community", "create", "Acme"]);
        person
    }

    /// Somebody whom `host` has invited.
    pub(crate) fn guest(server: &Server, host: &Self, username: &str) -> Self {
        let person = Self::new();
        let link = host.ok(&["invite", "create"]);
        person.ok(&[
            "register",
            "--server",
            server.url(),
            "--username",
            username,
            "--invite",
            link.trim(),
        ]);
        person
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file of theirs.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        command.env_clear().env("TIDINGS_HOME", self.home.path()).env("TZ", "UTC").args(args);
        command
    }

    /// Runs `tidings` to its end with `input` as its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A program that does not care for its input may be gone by now.
        let _ = child.stdin.take().expect("a pipe").write_all(input);
        child.wait_with_output().expect("an end")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, b"")
    }

    /// What `tidings` prints; it must succeed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The values that `tidings --json` prints; it must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let said = self.ok(&args);
        said.lines().map(|line| serde_json::from_str(line).expect("a JSON value")).collect()
    }

    /// What `tidings` says on standard error; it must fail with `code` and keep to two lines, the
    /// second of which says what to do.
    pub(crate) fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            matches!(&lines[..], [what, next] if what.starts_with("tidings: ") && next.starts_with("  next: ")),
            "{args:?}: {said}"
        );
        said
    }

    /// The bodies in a channel, oldest first.
    pub(crate) fn bodies(&self, channel: &str) -> Vec<String> {
        let messages = self.json(&["read", channel, "-n", "1000"]);
        messages
            .iter()
            .map(|message| message["body"].as_str().expect("a body").to_owned())
            .collect()
    }

    /// Starts a program that goes on.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::start(&mut self.command(args))
    }

    /// Reaches `server` at another address from now on.
    pub(crate) fn dial(&self, server: &Server, address: &str) {
        let file = self.file("profiles/default/account.toml");
        let account = std::fs::read_to_string(&file).expect("an account");
        assert!(account.contains(server.url()), "{account}");
        std::fs::write(&file, account.replace(server.url(), address)).expect("a file");
    }

    /// The cursor of this moment.
    pub(crate) fn cursor(&self) -> String {
        let sync = self.json(&["api", "GET", "/v1/sync"]).remove(0);
        sync["next"].as_str().expect("a cursor").to_owned()
    }

    /// Starts a tail that shows everything from now on, however long it takes to connect.
    pub(crate) fn tail(&self, args: &[&str]) -> Running {
        let cursor = self.cursor();
        let args: Vec<&str> =
            ["tail", "--since", &cursor].into_iter().chain(args.iter().copied()).collect();
        self.start(&args)
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! The first start: one command, no configuration.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A server that ends with the test.
struct Serving {
    child: Child,
    /// What it announced, up to the line with the command that registers.
    announced: String,
}

impl Serving {
    fn start(data: &Path) -> Self {
        let mut child = serve(data).stdout(Stdio::piped()).spawn().expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut announced = String::new();
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            announced.push_str(&line);
            announced.push('\n');
            if line.contains("tidings invite create") {
                break;
            }
        }
        Self { child, announced }
    }

    /// The word after `label` in the announcement.
    fn word_after(&self, label: &str) -> &str {
        let (_, rest) = self.announced.split_once(label).expect("the label");
        rest.split_whitespace().next().expect("a word")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidingsd"));
    command.env_clear().args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn get(url: &str, path: &str) -> String {
    let address = url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn serve_says_where_it_is_and_how_to_begin() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    let serving = Serving::start(&data);
    let url = serving.word_after("Tidings is at ");
    let code = std::fs::read_to_string(data.join("setup-code")).expect("the setup code");
    assert_eq!(serving.word_after("Setup code: "), code.trim());
    assert!(serving.announced.contains(&format!("tidings register --server {url} --username")));
    assert!(get(url, "/healthz").starts_with("HTTP/1.1 200"));
    let discovery = get(url, "/.well-known/tidings");
    assert!(discovery.contains("\"registration\":\"setup\""), "{discovery}");
    assert!(discovery.contains(&format!("\"origin\":\"{url}\"")), "{discovery}");
}

#[test]
fn a_data_directory_has_one_server_at_a_time() {
    let home = tempfile::tempdir().expect("a directory");
    let mut serving = Serving::start(home.path());
    let second = serve(home.path()).output().expect("an end");
    assert_eq!(second.status.code(), Some(3));
    let id = i32::try_from(serving.child.id()).expect("a process id");
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("a signal");
    assert!(serving.child.wait().expect("an end").success());
    // Nobody has registered, so the code is the same.
    let again = Serving::start(home.path());
    assert_eq!(serving.word_after("Setup code: "), again.word_after("Setup code: "));
}

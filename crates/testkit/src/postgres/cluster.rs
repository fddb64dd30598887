//! A PostgreSQL of this process alone, for whoever runs a test without `cargo xtask test`.
//!
//! It listens on a socket in a temporary directory, never on a port. A test process may be killed
//! at any time and runs no destructors of statics, so the one that cleans up is another process,
//! started first: a shell that waits for the end of a pipe whose other end only we hold.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::unistd::Uid;

/// Debian keeps each version in a directory of its own.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Durable as in production; on no port.
const SETTINGS: &str = "\
listen_addresses = ''
max_connections = 100
";

/// Waits for the end of its input, then stops the cluster in `$1` with the programs in `$2` as the
/// user that the other arguments switch to, and removes the directory.
const GUARD: &str = r#"
trap "" HUP INT TERM
cat >/dev/null
folder=$1; programs=$2; shift 2
cd "$folder" && "$@" "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop
cd / && rm -rf "$folder"
"#;

/// A running cluster; it ends soon after this process does.
#[derive(Debug)]
pub(super) struct Cluster {
    url: String,
    /// Holds the pipe open.
    _guard: Child,
}

impl Cluster {
    /// Makes and starts one; takes about three seconds.
    pub(super) fn start() -> Self {
        let programs = programs().unwrap_or_else(|| {
            panic!(
                "this test needs PostgreSQL: install Debian's package postgresql, or run `cargo \
                 xtask test`, which does"
            )
        });
        let folder = tempfile::Builder::new()
            .prefix("tidings-pg-")
            .tempdir()
            .expect("a directory for PostgreSQL")
            // The guard removes it.
            .keep();
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(&folder)
            .arg(&programs)
            .args(switch_user())
            // A group of its own, so that a Ctrl-C in the terminal does not reach it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell that cleans up");
        if Uid::effective().is_root() {
            run(Command::new("chown").arg("postgres:postgres").arg(&folder));
        }
        let arguments = ["--pgdata=data", "--username=postgres", "--auth=trust", "--encoding=UTF8"];
        run(program(&programs, "initdb", &folder).args(arguments).arg("--locale=C.UTF-8"));
        let sockets = folder.display();
        let settings = format!("{SETTINGS}unix_socket_directories = '{sockets}'\n");
        // The file is there, and belongs to the right user.
        fs::write(folder.join("data/postgresql.auto.conf"), settings).expect("the settings");
        let arguments = ["--pgdata=data", "--wait", "--timeout=60", "--log=server.log", "start"];
        run(program(&programs, "pg_ctl", &folder).args(arguments));
        Self { url: format!("postgres://postgres@/postgres?host={sockets}"), _guard: guard }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// The directory with the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| folder.join("bin/initdb").is_file())
        .max_by_key(|folder| version(folder))
        .map(|folder| folder.join("bin"))
}

/// PostgreSQL refuses to run as root; then it runs as the user that Debian's package made.
fn switch_user() -> &'static [&'static str] {
    if Uid::effective().is_root() {
        &["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    } else {
        &["env"]
    }
}

fn program(programs: &Path, name: &str, folder: &Path) -> Command {
    let mut words = switch_user().iter();
    let mut command = Command::new(words.next().unwrap_or(&"env"));
    command.args(words).arg(programs.join(name)).current_dir(folder);
    command
}

/// Runs to the end; what it printed is shown when it failed.
fn run(command: &mut Command) {
    let name = command.get_program().to_string_lossy().into_owned();
    // A server that is started keeps these open; a pipe would never end.
    let log = tempfile::NamedTempFile::new().expect("a file for what a program prints");
    let file = || log.reopen().expect("a second handle to a file");
    let status = command
        .stdin(Stdio::null())
        .stdout(file())
        .stderr(file())
        .status()
        .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
    let printed = || fs::read_to_string(log.path()).unwrap_or_default();
    assert!(status.success(), "{name} ended with {status}:\n{}", printed());
}

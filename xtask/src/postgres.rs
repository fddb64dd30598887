//! A PostgreSQL of our own for as long as the tests run: a fresh cluster in a temporary folder, on
//! a free port of the loopback interface, with fsync on as in real life.
//!
//! Nothing of it may outlive the task, whether the tests fail, the task panics or somebody presses
//! Ctrl-C. So the one that cleans up is another process, started first: a shell that waits for the
//! end of a pipe whose other end only we hold. The kernel closes that end however we end.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{process, report, surroundings};

/// The variable by which the tests find the database: a URL of a superuser on an empty cluster.
pub(crate) const URL_VARIABLE: &str = "TIDINGS_TEST_POSTGRES_URL";

/// How often another port is tried when somebody took the free one before PostgreSQL did.
const ATTEMPTS: u32 = 3;

/// What the tests want of a cluster: many connections from many test processes, and durability as
/// in production, since a test of durability without fsync tests nothing.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
max_connections = 300
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 128MB
";

/// Waits for the end of its input, then stops the cluster at `$1` with the programs of `$2` as the
/// user that `$3` and following switch to, and removes the folder.
const GUARD: &str = r#"
trap "" HUP INT TERM
cat >/dev/null
folder=$1; programs=$2; shift 2
cd "$folder" && "$@" "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop
cd / && rm -rf "$folder"
"#;

/// A running cluster; it stops and disappears when this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Cluster {
    url: String,
    guard: Child,
}

/// The folder of `initdb` and `pg_ctl`: the newest of Debian, else the one on `PATH`.
pub(crate) fn programs() -> Option<PathBuf> {
    let version = |folder: &Path| {
        folder.parent()?.file_name()?.to_str()?.split('.').next()?.parse::<u32>().ok()
    };
    let of_debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
        .max_by_key(|folder| version(folder));
    of_debian.or_else(|| {
        let initdb = fs::canonicalize(surroundings::find_program("initdb")?).ok()?;
        initdb.parent().filter(|folder| folder.join("pg_ctl").is_file()).map(Path::to_owned)
    })
}

impl Cluster {
    /// Makes and starts a cluster; takes about three seconds.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs().context("find the programs of PostgreSQL")?;
        let folder = create_folder()?;
        let guard = start_guard(&folder, &programs)?;
        let mut cluster = Self { url: String::new(), guard };

        let password = random_password()?;
        fs::write(folder.join("password"), &password).context("write the password file")?;
        give_to_postgres(&folder)?;
        let initdb = programs.join("initdb");
        quietly(as_postgres(&initdb, &folder).args([
            "--pgdata=data",
            "--username=postgres",
            "--pwfile=password",
            // The client sends the password as it is, over loopback: hashing it thousands of times
            // for each connection would be the slowest part of many a test.
            "--auth=password",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]))?;

        let port = (0..ATTEMPTS)
            .find_map(|attempt| match start_server(&programs, &folder) {
                Err(_) if attempt + 1 < ATTEMPTS => None,
                outcome => Some(outcome),
            })
            .context("no port was tried")??;
        cluster.url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
        report::say(format_args!("PostgreSQL listens on 127.0.0.1:{port}"));
        Ok(cluster)
    }

    /// Where the cluster is reached, as a superuser.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The end of the pipe is what the guard waits for; then it needs a moment to clean up.
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            report::say(format_args!("the guard of PostgreSQL was lost: {error}"));
        }
    }
}

/// A new folder that only its owner may enter, with a path short enough for a socket.
fn create_folder() -> Result<PathBuf> {
    let base = std::env::temp_dir();
    let process = std::process::id();
    for number in 0..1000 {
        let folder = base.join(format!("tidings-pg-{process}-{number}"));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("create {}", folder.display()));
            }
        }
    }
    bail!("find a free name in {}", base.display())
}

fn start_guard(folder: &Path, programs: &Path) -> Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", GUARD, "guard"]).arg(folder).arg(programs).args(switch_user());
    // A group of its own, so that a Ctrl-C in the terminal does not reach it.
    command
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("start the guard of PostgreSQL")
}

/// PostgreSQL refuses to run as root; then it runs as the user that Debian's package made.
fn switch_user() -> &'static [&'static str] {
    if surroundings::is_root() {
        &["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    } else {
        &["env"]
    }
}

fn as_postgres(program: &Path, folder: &Path) -> Command {
    let mut words = switch_user().iter();
    let mut command = Command::new(words.next().unwrap_or(&"env"));
    command.args(words).arg(program).current_dir(folder);
    command
}

fn give_to_postgres(folder: &Path) -> Result<()> {
    if surroundings::is_root() {
        process::run(Command::new("chown").args(["-R", "postgres:postgres"]).arg(folder))?;
    }
    Ok(())
}

/// Starts the server on a port that was free a moment ago and says which.
fn start_server(programs: &Path, folder: &Path) -> Result<u16> {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .context("find a free port")?
        .port();
    let sockets = folder.display();
    let settings = format!("{SETTINGS}port = {port}\nunix_socket_directories = '{sockets}'\n");
    fs::write(folder.join("data/postgresql.auto.conf"), settings).context("write the settings")?;
    give_to_postgres(folder)?;
    let log = folder.join("server.log");
    quietly(as_postgres(&programs.join("pg_ctl"), folder).args([
        "--pgdata=data",
        "--wait",
        "--timeout=60",
        "--log=server.log",
        "start",
    ]))
    .with_context(|| format!("its log says:\n{}", fs::read_to_string(&log).unwrap_or_default()))?;
    Ok(port)
}

/// Runs to the end and shows the output only when it failed.
fn quietly(command: &mut Command) -> Result<()> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("start {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// 128 random bits in hexadecimal: other users of the machine can reach the port too.
fn random_password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("draw a password")?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn passwords_are_long_and_differ() {
        let (first, second) = (random_password().unwrap(), random_password().unwrap());
        assert_eq!(first.len(), 32);
        assert_ne!(first, second);
    }

    #[test]
    fn postgres_cluster_is_reachable_and_gone_when_dropped() {
        let cluster = Cluster::start().unwrap();
        let address = cluster.url().split(['@', '/']).nth(3).unwrap().to_owned();
        TcpStream::connect(&address).unwrap();
        let folder = std::env::temp_dir().join(format!("tidings-pg-{}-0", std::process::id()));
        assert!(folder.join("data/PG_VERSION").is_file());

        drop(cluster);
        assert!(TcpStream::connect(&address).is_err());
        assert!(!folder.exists());
    }
}

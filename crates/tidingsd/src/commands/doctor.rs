//! `tidingsd doctor`: tests a deployment, line by line.

mod disk;
mod network;

use std::fmt;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tidings_server::{Clock as _, SystemClock};
use tidings_storage::{AccountRepository as _, OperationRepository as _};

use super::open_existing_store;
use crate::cli::Place;
use crate::config::Config;
use crate::data::DataDir;
use crate::{failure, logs, progress, stdout, system};

/// Test this deployment and say what to do about what is wrong.
///
/// Each line is ok, warn or fail. The exit code is 1 when one of them is fail.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    place: Place,
}

/// How a test went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    /// It works, but somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
}

/// One line of the doctor's.
#[derive(Debug)]
struct Finding {
    verdict: Verdict,
    subject: &'static str,
    told: String,
    /// What to do about it.
    next: &'static str,
}

impl Finding {
    fn ok(subject: &'static str, told: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, subject, told: told.into(), next: "" }
    }

    fn warn(subject: &'static str, told: impl Into<String>, next: &'static str) -> Self {
        Self { verdict: Verdict::Warn, subject, told: told.into(), next }
    }

    fn fail(subject: &'static str, told: impl Into<String>, next: &'static str) -> Self {
        Self { verdict: Verdict::Fail, subject, told: told.into(), next }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        write!(f, "{verdict:<4}  {:<14}  {}", self.subject, self.told)?;
        if !self.next.is_empty() {
            write!(f, "\n                      {}", self.next)?;
        }
        Ok(())
    }
}

impl Doctor {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        // Settings that cannot be read are an error of their own, with exit code 2.
        let loaded = self.place.load()?;
        let config = loaded.config;
        logs::start_quiet(&config.log);
        let mut worst = Verdict::Ok;
        let mut tell = |finding: Finding| {
            if finding.verdict == Verdict::Fail || worst == Verdict::Ok {
                worst = finding.verdict;
            }
            stdout::say(finding)
        };
        tell(Finding::ok(
            "settings",
            match &loaded.file {
                Some(file) => format!("read from {}", file.display()),
                None => "defaults, environment and flags; there is no file".to_owned(),
            },
        ))?;
        let data = config.server.data.is_dir().then(|| DataDir::create(&config.server.data));
        let Some(data) = data.transpose()? else {
            let told = format!("{} does not exist", config.server.data.display());
            tell(Finding::fail(
                "data",
                told,
                "Name the data directory with --data; `tidingsd serve` makes a new one.",
            ))?;
            return Ok(ExitCode::from(failure::FAILED));
        };
        let holder = data.holder();
        tell(disk::directory(data.path(), holder.as_ref()))?;
        tell(disk::space(data.path()))?;
        tell(disk::sync_speed(data.path()))?;
        tell(files())?;
        tell(clock(&config))?;
        for finding in database(&config, holder.is_some()).await {
            tell(finding)?;
        }
        tell(network::listener(config.server.listen, holder.as_ref()))?;
        for finding in network::public_url(&config, holder.as_ref()).await {
            tell(finding)?;
        }
        Ok(match worst {
            Verdict::Fail => ExitCode::from(failure::FAILED),
            Verdict::Ok | Verdict::Warn => ExitCode::SUCCESS,
        })
    }
}

/// Open files that are enough for the default number of connections.
const FILES: u64 = 10_500;

fn files() -> Finding {
    match system::raise_file_limit() {
        Some(limit) if limit >= FILES => {
            Finding::ok("open files", format!("at most {limit} at a time"))
        }
        Some(limit) => Finding::warn(
            "open files",
            format!("at most {limit} at a time, one for each connection"),
            "Raise the hard limit (`ulimit -Hn`, LimitNOFILE= of systemd) when more people come.",
        ),
        None => Finding::warn("open files", "the limit cannot be read", ""),
    }
}

/// The year 2026 begins, in milliseconds: this program did not exist before.
const EARLIEST: i64 = 1_767_225_600_000;
/// How far ahead of the clock a file may seem to be, in milliseconds: network file systems have
/// clocks of their own.
const AHEAD: i64 = 120_000;

fn clock(config: &Config) -> Finding {
    let now = SystemClock::new().now().0;
    let told = format!("it is {}", tidings_wire::Time::from(tidings_domain::Timestamp(now)));
    let written = config.database().file().and_then(disk::written_at);
    let next = "Set the clock, and let it be kept right (chrony, systemd-timesyncd).";
    if now < EARLIEST {
        return Finding::fail("clock", format!("{told}, which is past"), next);
    }
    if written.is_some_and(|written| written > now + AHEAD) {
        return Finding::warn(
            "clock",
            format!("{told}, but the database was written later than that"),
            next,
        );
    }
    Finding::ok("clock", told)
}

async fn database(config: &Config, running: bool) -> Vec<Finding> {
    let url = config.database();
    let store = match open_existing_store(config).await {
        Ok(store) => store,
        Err(error) => {
            let told = error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
            return vec![Finding::fail(
                "database",
                told,
                "Check [storage] url. A SQLite file that is damaged must be restored from a copy.",
            )];
        }
    };
    let mut findings = Vec::new();
    let look = async {
        let totals = store.totals().await.context("cannot count what it holds")?;
        let owner = store.has_accounts().await.context("cannot read the accounts")?;
        anyhow::Ok((totals, owner))
    };
    match look.await {
        Ok((totals, owner)) => {
            findings.push(Finding::ok(
                "database",
                format!(
                    "{url}: {} accounts, {} channels, {} messages, {} MiB",
                    totals.users,
                    totals.channels,
                    totals.messages,
                    totals.bytes >> 20
                ),
            ));
            if !owner {
                findings.push(Finding::warn(
                    "owner",
                    "nobody has registered yet",
                    "Register with the code that `tidingsd serve` prints.",
                ));
            }
        }
        Err(error) => findings.push(Finding::fail(
            "database",
            format!("{error:#}"),
            "Look whether the disk or PostgreSQL is well.",
        )),
    }
    findings.push(if running {
        Finding::warn(
            "integrity",
            "not looked at while a server writes",
            "Stop the server and run this again to have every entry checked.",
        )
    } else {
        integrity(&store).await
    });
    store.close().await;
    findings
}

/// Findings about the log that are shown; the rest is counted.
const SHOWN: usize = 5;

async fn integrity(store: &tidings_storage_sql::SqlStore) -> Finding {
    let bar = progress::bar("Checking", "entries");
    let wrong = store
        .check(&|done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await;
    bar.finish_and_clear();
    let next = "Restore a copy of the data. If only derived tables are wrong, `tidingsd rebuild` \
                makes them anew.";
    match wrong {
        Ok(wrong) if wrong.is_empty() => {
            Finding::ok("integrity", "every entry is in its place and its hash is right")
        }
        Ok(wrong) => {
            let mut told = wrong.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
            if wrong.len() > SHOWN {
                let more = wrong.len() - SHOWN;
                told = format!("{told}; and {more} more");
            }
            Finding::fail("integrity", told, next)
        }
        Err(error) => Finding::fail("integrity", format!("cannot be checked: {error}"), next),
    }
}

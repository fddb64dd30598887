//! `tidings-bench`: ceilings, benches, replay and torture.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tidings_bench::bench::{self, Name};
use tidings_bench::ceiling;
use tidings_bench::replay;
use tidings_bench::report::{Report, say};
use tidings_bench::torture::disk::Shortage;
use tidings_bench::torture::findings::Findings;
use tidings_bench::torture::mangler::Bug;
use tidings_bench::torture::workload::Pace;
use tidings_bench::torture::{
    self, Database, crash, disk, honesty, presence, restore, slow, storm,
};

/// Measures and tortures a Tidings server.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, beside a ceiling where there is one.
    Bench(Bench),
    /// Do harm to a server under load, and judge what its clients saw.
    Torture(Torture),
    /// Replay real days of a community through the public API and compare what comes out.
    Replay(Replay),
    /// Run a ceiling program (the benches start it themselves).
    Ceiling {
        #[command(subcommand)]
        program: Program,
    },
}

#[derive(Debug, Args)]
struct Place {
    /// The server to run; the `tidingsd` beside this program when absent
    #[arg(long, env = "TIDINGSD_BIN")]
    tidingsd: Option<PathBuf>,

    /// A folder on a real disk for data; that of this program when absent
    #[arg(long)]
    scratch: Option<PathBuf>,

    /// Decides all chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct Bench {
    /// What to measure; `all` for everything
    name: Selection,

    #[command(flatten)]
    place: Place,

    /// How many runs the medians are of
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// How long each run sends
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,

    /// Messages in the long room of B4, B5 and B7
    #[arg(long, default_value_t = 100_000)]
    messages: usize,

    /// Connections of B3, accounts of B12
    #[arg(long, default_value_t = 5_000)]
    crowd: usize,

    /// Where each report is appended as a line of JSON
    #[arg(long, default_value = "target/bench-results.jsonl")]
    results: PathBuf,

    /// The page that `all` writes
    #[arg(long, default_value = "docs/benchmarks.md")]
    page: PathBuf,
}

/// One bench, or all of them.
#[derive(Debug, Clone)]
enum Selection {
    One(Name),
    All,
}

impl std::str::FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" { Ok(Self::All) } else { Name::from_str(text, true).map(Self::One) }
    }
}

#[derive(Debug, Args)]
struct Torture {
    /// What to do
    #[command(subcommand)]
    harm: Harm,
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    place: Place,

    /// An empty PostgreSQL server, by the URL of its superuser; R1 and R22 then run on it too
    #[arg(long, env = "TIDINGS_TEST_POSTGRES_URL")]
    postgres: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Harm {
    /// Twelve planted bugs: is the checker honest?
    R0 {
        #[command(flatten)]
        common: Common,
        /// How long each bug has
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// `kill -9` under load.
    R1 {
        #[command(flatten)]
        common: Common,
        /// How often
        #[arg(long, default_value_t = 200)]
        rounds: usize,
    },
    /// Disk full, then freed; then EIO on the n-th fsync.
    R5 {
        #[command(flatten)]
        common: Common,
        /// How long the disk is full
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Which fsyncs fail, one server for each
        #[arg(long, value_delimiter = ',', default_value = "1,2,3,5,8,13,21,34,50")]
        failing: Vec<usize>,
    },
    /// Members that do not read.
    R7 {
        #[command(flatten)]
        common: Common,
        /// How far they fall behind
        #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
        backlog: Vec<usize>,
    },
    /// Presence that flips, ends by itself, and is hidden from some.
    R13 {
        #[command(flatten)]
        common: Common,
        /// How long somebody flips
        #[arg(long, default_value_t = 300)]
        seconds: u64,
    },
    /// Many clients reconnect at once.
    R15 {
        #[command(flatten)]
        common: Common,
        /// How many
        #[arg(long, default_value_t = 2_000)]
        clients: u32,
    },
    /// Copies under load, everything deleted, restored.
    R16 {
        #[command(flatten)]
        common: Common,
        /// How long the load lasts; the older copy is from its middle
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// `SIGTERM` under load.
    R22 {
        #[command(flatten)]
        common: Common,
        /// How often
        #[arg(long, default_value_t = 50)]
        rounds: usize,
    },
}

#[derive(Debug, Args)]
struct Replay {
    #[command(flatten)]
    place: Place,

    /// Events, one JSON object a line, `.gz` or plain
    #[arg(long)]
    events: PathBuf,

    /// The export of the same days, `.zip`
    #[arg(long)]
    export: PathBuf,

    /// `max`, or how many times as fast as it was
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    speed: replay::Speed,
}

fn parse_speed(text: &str) -> Result<replay::Speed, String> {
    match text.parse() {
        _ if text == "max" => Ok(replay::Speed::Max),
        Ok(times) if times > 0.0 => Ok(replay::Speed::Times(times)),
        _ => Err("`max` or a number above 0".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
enum Program {
    /// WebSocket broadcaster over SQLite: durable, then acknowledged, then delivered.
    Broadcast {
        /// Address to listen on
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Folder for the database
        #[arg(long)]
        data: PathBuf,
        /// Payload length of delivered frames, in bytes
        #[arg(long, default_value_t = 1250)]
        pad: usize,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let met = match Arguments::parse().command {
        Command::Ceiling { program: Program::Broadcast { listen, data, pad } } => {
            ceiling::broadcast::run(&ceiling::broadcast::Options { listen, data, pad })?;
            true
        }
        Command::Replay(arguments) => arguments.run()?,
        Command::Bench(arguments) => measure(&arguments)?,
        Command::Torture(Torture { harm }) => harm.run()?,
    };
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the benches; says whether every bar is met.
fn measure(arguments: &Bench) -> anyhow::Result<bool> {
    let names = match arguments.name {
        Selection::One(name) => vec![name],
        Selection::All => {
            let all = Name::value_variants().iter().copied();
            all.filter(|name| *name != Name::Ceiling).collect()
        }
    };
    let (tidingsd, scratch) = arguments.place.find()?;
    let setting = bench::Setting {
        tidingsd,
        tool: std::env::current_exe()?,
        scratch,
        runs: arguments.runs,
        seconds: arguments.seconds,
        messages: arguments.messages,
        crowd: arguments.crowd,
        seed: arguments.place.seed,
    };
    let mut reports = Vec::new();
    for name in names {
        let report = bench::run(name, &setting).with_context(|| format!("bench {name:?}"))?;
        say(&report.markdown());
        report.append_to(&arguments.results)?;
        reports.push(report);
    }
    if matches!(arguments.name, Selection::All) {
        std::fs::write(&arguments.page, Report::page(&reports))
            .with_context(|| format!("write {}", arguments.page.display()))?;
    }
    Ok(reports.iter().all(Report::met))
}

impl Replay {
    /// Replays and prints the report; says whether nothing differs.
    fn run(&self) -> anyhow::Result<bool> {
        let (tidingsd, scratch) = self.place.find()?;
        let outcome = replay::run(&replay::Setting {
            tidingsd,
            scratch,
            events: self.events.clone(),
            export: self.export.clone(),
            speed: self.speed,
            seed: self.place.seed,
        })?;
        say(&outcome.report);
        Ok(outcome.differences == 0)
    }
}

impl Place {
    /// The server's binary and the scratch folder.
    fn find(&self) -> anyhow::Result<(PathBuf, PathBuf)> {
        let own = std::env::current_exe()?;
        let folder = own.parent().context("this program is in no folder")?;
        let tidingsd = self.tidingsd.clone().unwrap_or_else(|| folder.join("tidingsd"));
        if !tidingsd.is_file() {
            bail!("no server at {}: build it, or name it with --tidingsd", tidingsd.display());
        }
        Ok((tidingsd, self.scratch.clone().unwrap_or_else(|| folder.to_owned())))
    }
}

impl Common {
    fn setting(&self) -> anyhow::Result<torture::Setting> {
        let (tidingsd, scratch) = self.place.find()?;
        say(&format!("seed {}", self.place.seed));
        Ok(torture::Setting { tidingsd, scratch, seed: self.place.seed })
    }

    fn databases(&self) -> Vec<Database> {
        let postgres = self.postgres.iter().cloned().map(Database::Postgres);
        std::iter::once(Database::Sqlite).chain(postgres).collect()
    }
}

impl Harm {
    /// Does it and prints what was found; says whether every bar is met.
    fn run(&self) -> anyhow::Result<bool> {
        let mut met = true;
        let mut tell = |findings: Findings| {
            say(&findings.markdown());
            met &= findings.met();
        };
        match self {
            Self::R0 { common, seconds } => {
                let length = Duration::from_secs(*seconds);
                let setting = common.setting()?;
                for bug in std::iter::once(None).chain(Bug::ALL.map(Some)) {
                    tell(honesty::run(&setting, bug, length)?);
                }
            }
            Self::R1 { common, rounds } => {
                let setting = common.setting()?;
                for database in common.databases() {
                    tell(crash::kill(&setting, &database, *rounds)?);
                }
            }
            Self::R5 { common, seconds, failing } => {
                let setting = common.setting()?;
                for shortage in [Shortage::Room, Shortage::FileSize] {
                    tell(disk::full(&setting, shortage, Duration::from_secs(*seconds))?);
                }
                let common = Pace::COMMON.rate;
                tell(disk::failing(&setting, failing, common)?);
                // So little to do that the search index follows each message in a commit of its own.
                tell(disk::failing(&setting, &[2, 3], 2.0)?);
            }
            Self::R7 { common, backlog } => {
                let setting = common.setting()?;
                for backlog in backlog {
                    tell(slow::run(&setting, slow::Size::FULL, *backlog)?);
                }
            }
            Self::R13 { common, seconds } => {
                let length = Duration::from_secs(*seconds);
                let size = presence::Size { length, ..presence::Size::FULL };
                tell(presence::run(&common.setting()?, size)?);
            }
            Self::R15 { common, clients } => tell(storm::run(&common.setting()?, *clients, 2)?),
            Self::R16 { common, seconds } => {
                tell(restore::run(&common.setting()?, Duration::from_secs(*seconds))?);
            }
            Self::R22 { common, rounds } => {
                let setting = common.setting()?;
                for database in common.databases() {
                    tell(crash::stop(&setting, &database, *rounds)?);
                }
            }
        }
        Ok(met)
    }
}

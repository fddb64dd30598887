//! The benches of 70-quality, one file for each kind of work.

mod alone;
mod catchup;
mod connect;
mod fanout;
mod filled;
mod history;
mod idle;
mod import;
mod ingest;
mod rig;
mod search;
mod start;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::report::Report;

/// What is measured; the names are those of the quality bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Name {
    /// The ceiling of B1 and B2 alone.
    Ceiling,
    /// Fan-out: one room, 200 members, as fast as acknowledged.
    B1,
    /// Fan-out: one room, 1,000 members.
    B1b,
    /// Fan-out at 50 messages per second: latency.
    B1c,
    /// Durable ingest: 50 senders in 50 rooms.
    B2,
    /// Idle connections: memory of each.
    B3,
    /// Pages of history.
    B4,
    /// Full-text search.
    B5,
    /// Catch-up from a cursor far behind.
    B6,
    /// Start of the server.
    B7,
    /// Memory of the server.
    B8,
    /// Import of a Slack export.
    B11,
    /// Logins and joins.
    B12,
}

/// How to measure.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The server.
    pub tidingsd: PathBuf,
    /// This program, which runs the ceilings.
    pub tool: PathBuf,
    /// A folder on a real disk for everything that is written.
    pub scratch: PathBuf,
    /// How many runs the medians are of.
    pub runs: usize,
    /// How long each run sends, in seconds.
    pub seconds: f64,
    /// Messages in the long room of B4, B5 and B7.
    pub messages: usize,
    /// Connections of B3 and accounts of B12.
    pub crowd: usize,
    /// Decides keys and other chance.
    pub seed: u64,
}

/// Measures `name`.
pub fn run(name: Name, setting: &Setting) -> anyhow::Result<Report> {
    match name {
        Name::Ceiling => alone::run(setting),
        Name::B1 => fanout::unpaced(setting, "b1", 200),
        Name::B1b => fanout::unpaced(setting, "b1b", 1_000),
        Name::B1c => fanout::paced(setting),
        Name::B2 => ingest::run(setting),
        Name::B3 => idle::connections(setting, setting.crowd),
        Name::B4 => history::run(setting, setting.messages),
        Name::B5 => search::run(setting, setting.messages),
        Name::B6 => catchup::run(setting),
        Name::B7 => start::run(setting, setting.messages),
        Name::B8 => idle::memory(setting),
        Name::B11 => import::run(setting),
        Name::B12 => connect::run(setting, setting.crowd),
    }
}

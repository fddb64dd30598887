//! `tidings-bench`: ceilings, benches, replay and torture.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tidings_bench::ceiling;

/// Measures and tortures a Tidings server.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a ceiling program (the benches start it themselves).
    Ceiling {
        #[command(subcommand)]
        program: Program,
    },
}

#[derive(Debug, Subcommand)]
enum Program {
    /// WebSocket broadcaster over `SQLite`: durable, then acknowledged, then delivered.
    Broadcast {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Folder for the database.
        #[arg(long)]
        data: PathBuf,
        /// Payload length of delivered frames, in bytes.
        #[arg(long, default_value_t = 1250)]
        pad: usize,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Ceiling { program: Program::Broadcast { listen, data, pad } } => {
            ceiling::broadcast::run(&ceiling::broadcast::Options { listen, data, pad })
        }
    }
}

//! A server with people in it, and a ceiling beside it, for as long as a bench runs.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context as _;
use tempfile::TempDir;

use super::Setting;
use crate::api::{Account, Api, Community};
use crate::engine::{Engine, Greeter};
use crate::process::{self, Process};
use crate::subject::{Launch, Subject};

/// Open files that the largest bench needs: its connections, and some more.
const FILES: u64 = 8_192;

/// Numbers of messages that one run may use.
pub(super) const NUMBERS: u64 = 100_000_000;

/// A fresh server with a community.
pub(super) struct Rig {
    pub(super) api: Api,
    pub(super) community: Community,
    pub(super) subject: Subject,
    pub(super) folder: TempDir,
}

impl Rig {
    /// Starts a server on an empty folder and founds the community.
    pub(super) fn start(setting: &Setting) -> anyhow::Result<Self> {
        process::allow_files(FILES)?;
        let folder = folder(setting)?;
        let subject = Launch::new(&setting.tidingsd, &folder.path().join("data"))?.start()?;
        let api = Api::new(subject.address(), setting.seed);
        let community = api.found(&subject.setup_code()?)?;
        Ok(Self { api, community, subject, folder })
    }

    /// Kills the server and starts it again on the same folder.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        self.subject.process_mut().kill();
        self.subject = self.subject.launch().start()?;
        Ok(())
    }

    /// A WebSocket session of `account` that starts at the head.
    pub(super) fn greet(&self, account: &Account) -> anyhow::Result<Greeter> {
        Greeter::session(self.subject.address(), &account.token, None)
    }

    /// Connects all of `accounts`, in order; the numbers are those of the engine.
    pub(super) fn connect(
        &self,
        engine: &mut Engine,
        accounts: &[Account],
    ) -> anyhow::Result<Vec<usize>> {
        accounts.iter().map(|account| engine.adopt(self.greet(account)?)).collect()
    }
}

/// A temporary folder on the disk that is measured.
pub(super) fn folder(setting: &Setting) -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("tidings-bench-")
        .tempdir_in(&setting.scratch)
        .with_context(|| format!("make a folder in {}", setting.scratch.display()))
}

/// The broadcaster in a process of its own.
pub(super) struct Ceiling {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
}

impl Ceiling {
    /// Starts it on an empty folder beside the server's; its frames are `pad` bytes long.
    pub(super) fn start(setting: &Setting, folder: &TempDir, pad: usize) -> anyhow::Result<Self> {
        let data = folder.path().join("ceiling");
        std::fs::create_dir_all(&data)?;
        let mut command = Command::new(&setting.tool);
        command.args(["ceiling", "broadcast", "--pad", &pad.to_string(), "--data"]).arg(data);
        let (process, address) = Process::spawn_until(&mut command, "listening on")?;
        Ok(Self { process, address: address.parse().context("read the ceiling's address")? })
    }

    /// Connects a member of `room`.
    pub(super) fn connect(&self, engine: &mut Engine, room: usize) -> anyhow::Result<usize> {
        engine.adopt(Greeter::connect(self.address, &format!("/room/{room}"))?)
    }
}

//! The store in memory: the reference for the others, and what tests of the server run on.
//!
//! All state is behind one lock that is never held across an await. Nothing survives the process.

mod account;
mod attention;
mod block;
mod bot;
mod change;
mod channel;
mod command;
mod community;
mod draft;
mod entry;
mod import;
mod job;
mod join;
mod media;
mod message;
mod moderation;
mod operation;
mod outgoing;
mod presence;
mod preview;
mod projection;
mod reminder;
mod report;
mod search;
mod session;
mod signin;
mod webhook;
mod writer;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidings_domain::{Timestamp, UserId};

use crate::memory::account::Accounts;
use crate::memory::block::Blocks;
use crate::memory::bot::Bots;
use crate::memory::change::Dedupes;
use crate::memory::command::Commands;
use crate::memory::community::Communities;
use crate::memory::draft::Drafts;
use crate::memory::entry::Log;
use crate::memory::import::Sources;
use crate::memory::job::Jobs;
use crate::memory::join::JoinRequests;
use crate::memory::media::Files;
use crate::memory::moderation::Moderation;
use crate::memory::operation::Operations;
use crate::memory::outgoing::Outgoing;
use crate::memory::preview::Previews;
use crate::memory::projection::Projections;
use crate::memory::reminder::Reminders;
use crate::memory::report::Reports;
use crate::memory::session::Sessions;
use crate::memory::signin::Signin;
use crate::memory::webhook::Webhooks;
use crate::memory::writer::Tail;

/// A [`Store`](crate::Store) in memory.
#[derive(Debug)]
pub struct MemoryStore {
    generation: u64,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store. `generation` is the random id of its order of commits.
    pub fn new(generation: u64) -> Self {
        Self { generation, state: Mutex::default() }
    }

    /// A panic under the lock would be a defect of ours; what it left is still read, so that one
    /// failed test does not hide behind another.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that the store holds.
#[derive(Debug, Default)]
struct State {
    log: Log,
    projections: Projections,
    accounts: Accounts,
    sessions: Sessions,
    signin: Signin,
    bots: Bots,
    blocks: Blocks,
    drafts: Drafts,
    reports: Reports,
    webhooks: Webhooks,
    seen: HashMap<UserId, Timestamp>,
    commands: Commands,
    reminders: Reminders,
    jobs: Jobs,
    outgoing: Outgoing,
    previews: Previews,
    communities: Communities,
    joins: JoinRequests,
    sources: Sources,
    files: Files,
    operations: Operations,
    moderation: Moderation,
    dedupes: Dedupes,
    tail: Tail,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Store;

    async fn make() -> (Arc<dyn Store>, ()) {
        (Arc::new(MemoryStore::new(7)), ())
    }

    crate::conformance_suite!(make);
}

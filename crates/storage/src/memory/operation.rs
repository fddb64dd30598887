//! Settings, kept answers, checks and rebuilds.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{LogId, Position, Seq, Timestamp, UserId};
use tidings_wire::chain;
use tidings_wire::event::{DecodeError, decode_data};

use crate::change::Digest;
use crate::error::StorageError;
use crate::memory::entry::{Log, LogEntry};
use crate::memory::projection::Projections;
use crate::memory::{MemoryStore, State};
use crate::operation::{OperationRepository, Rebuilt, StoredResponse, Totals};

/// How many entries pass between two reports of progress: often enough for a bar that moves,
/// seldom enough to cost nothing.
const PROGRESS_EVERY: u64 = 1_000;

#[derive(Debug, Default)]
pub(super) struct Operations {
    responses: HashMap<(UserId, Digest), StoredResponse>,
    settings: HashMap<&'static str, Vec<u8>>,
}

impl Operations {
    pub(super) fn setting(&self, name: &str) -> Option<&Vec<u8>> {
        self.settings.get(name)
    }

    pub(super) fn put_response(&mut self, response: StoredResponse) {
        self.responses.insert((response.user_id, response.key), response);
    }

    pub(super) fn put_setting(&mut self, name: &'static str, value: Vec<u8>) {
        self.settings.insert(name, value);
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        self.responses.retain(|_, response| response.expires_at >= now);
    }
}

impl Log {
    /// One line for each thing that is wrong.
    fn check(&self, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Vec<String> {
        let mut wrong = Vec::new();
        for (entry, position) in self.entries().iter().zip(1..) {
            if entry.stored.position != Position(position) {
                let found = entry.stored.position.0;
                wrong.push(format!("position {position}: the entry says that it is at {found}"));
            }
        }
        let total = self.head().0;
        let mut looked_at = 0;
        for (log, entries) in self.logs() {
            let mut expected = (Seq(1), chain::GENESIS);
            for entry in entries {
                wrong.extend(check_entry(log, entry, expected));
                expected = (entry.stored.seq.next(), entry.stored.hash);
                looked_at += 1;
                if looked_at % PROGRESS_EVERY == 0 {
                    progress(looked_at, total);
                }
            }
        }
        progress(total, total);
        wrong.sort_unstable();
        wrong
    }
}

fn check_entry(log: &LogId, entry: &LogEntry, expected: (Seq, chain::Hash)) -> Option<String> {
    let stored = &entry.stored;
    let seq = stored.seq;
    if seq != expected.0 {
        return Some(format!("{log}: after {} comes {seq}", expected.0.0 - 1));
    }
    if stored.prev != expected.1 {
        return Some(format!("{log} at {seq}: does not follow the entry before it"));
    }
    if stored.hash != chain::entry_hash(&stored.prev, &entry.header().encode(), &stored.commitment)
    {
        return Some(format!("{log} at {seq}: the hash does not match the entry"));
    }
    let (data, salt) = stored.data.as_ref()?;
    (chain::commitment(salt, data) != stored.commitment)
        .then(|| format!("{log} at {seq}: the data is not what was committed to"))
}

impl State {
    fn rebuild(
        &mut self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Rebuilt, StorageError> {
        let mut rebuilt = Rebuilt::default();
        let mut projections = Projections::default();
        let mut erased = Vec::new();
        let total = self.log.head().0;
        for entry in self.log.entries() {
            let fact = match &entry.stored.data {
                None => None,
                Some((data, _)) => match decode_data(&entry.stored.kind, data) {
                    Ok(fact) => Some(Arc::new(fact)),
                    Err(DecodeError::Kind { .. }) => {
                        rebuilt.unknown += 1;
                        None
                    }
                    Err(error) => {
                        let detail = error.to_string();
                        return Err(StorageError::Corrupt { place: "entries.data", detail });
                    }
                },
            };
            erased.extend(projections.follow(entry, fact.as_ref()));
            rebuilt.entries += 1;
            if rebuilt.entries % PROGRESS_EVERY == 0 {
                progress(rebuilt.entries, total);
            }
        }
        progress(total, total);
        for position in erased {
            self.log.erase(position);
        }
        self.projections = projections;
        Ok(rebuilt)
    }
}

#[async_trait]
impl OperationRepository for MemoryStore {
    async fn ping(&self) -> Result<(), StorageError> {
        Ok(())
    }

    async fn response(
        &self,
        user: UserId,
        key: &Digest,
    ) -> Result<Option<StoredResponse>, StorageError> {
        Ok(self.state().operations.responses.get(&(user, *key)).cloned())
    }

    async fn setting(&self, name: &'static str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.state().operations.settings.get(name).cloned())
    }

    async fn totals(&self) -> Result<Totals, StorageError> {
        let state = self.state();
        let rooms = state.projections.rooms.values();
        Ok(Totals {
            users: state.accounts.count(),
            channels: rooms.filter(|room| room.channel.is_some()).count() as u64,
            messages: state.projections.messages.len() as u64,
            entries: state.log.head().0,
            bytes: 0,
        })
    }

    async fn check(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Vec<String>, StorageError> {
        Ok(self.state().log.check(progress))
    }

    async fn rebuild(
        &self,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Rebuilt, StorageError> {
        self.state().rebuild(progress)
    }

    async fn dump_projections(&self) -> Result<Vec<String>, StorageError> {
        let state = self.state();
        let head_of = |channel| state.log.head_of(LogId::Conversation(channel));
        Ok(state.projections.lines(head_of))
    }

    async fn close(&self) {
        self.state().tail.close();
    }
}

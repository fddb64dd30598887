//! The log: every entry in order of positions, and for each log the places in it.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{LogId, Position, Seq, UserId};
use tidings_wire::chain::GENESIS;
use tidings_wire::event::{Header, decode_data};

use crate::entry::{
    CommittedEntry, EntryRepository, StoredEntry, UserLogs, VisibleEvent, VisiblePage,
};
use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::memory::projection::Projections;
use crate::projection::Remains;

/// How many entries one call of `visible` looks at. A call holds the store's lock; looking at
/// this many takes about a millisecond.
const VISIBLE_SCAN: usize = 10_000;

/// An entry with what outlives its data.
#[derive(Debug)]
pub(super) struct LogEntry {
    pub(super) stored: StoredEntry,
    pub(super) remains: Option<Remains>,
}

impl LogEntry {
    pub(super) fn header(&self) -> Header<'_> {
        let StoredEntry { actor, community, log, seq, at, kind, .. } = &self.stored;
        Header {
            actor: *actor,
            community: *community,
            log: *log,
            seq: *seq,
            at: *at,
            kind: kind.as_str(),
        }
    }

    /// As the tail would bring it.
    pub(super) fn committed(&self) -> CommittedEntry {
        let StoredEntry { position, log, seq, community, actor, kind, data, .. } = &self.stored;
        let fact = data.as_ref().and_then(|(data, _)| decode_data(kind, data).ok()).map(Arc::new);
        CommittedEntry {
            position: *position,
            log: *log,
            seq: *seq,
            community: *community,
            actor: *actor,
            fact,
            event: self.event(),
        }
    }

    fn event(&self) -> Bytes {
        let data = self.stored.data.as_ref().map_or(&b"null"[..], |(data, _)| data);
        self.header().encode_event(data).into()
    }
}

#[derive(Debug, Default)]
pub(super) struct Log {
    /// Position 1 first.
    entries: Vec<LogEntry>,
    /// For each log the positions of its entries, place 1 first.
    places: HashMap<LogId, Vec<Position>>,
}

impl Log {
    pub(super) fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// The entries of each log, in order of places.
    pub(super) fn logs(&self) -> impl Iterator<Item = (&LogId, impl Iterator<Item = &LogEntry>)> {
        self.places
            .iter()
            .map(|(log, places)| (log, places.iter().filter_map(|position| self.at(*position))))
    }

    pub(super) fn at(&self, position: Position) -> Option<&LogEntry> {
        self.entries.get(index(position)?)
    }

    pub(super) fn head(&self) -> Position {
        Position(self.entries.len() as u64)
    }

    pub(super) fn head_of(&self, log: LogId) -> Seq {
        Seq(self.places.get(&log).map_or(0, Vec::len) as u64)
    }

    pub(super) fn next_position(&self) -> Position {
        Position(self.head().0 + 1)
    }

    /// The next place in a log, and the hash that stands before it.
    pub(super) fn next_place(&self, log: LogId) -> (Seq, [u8; 32]) {
        let last = self.places.get(&log).and_then(|places| self.at(*places.last()?));
        (self.head_of(log).next(), last.map_or(GENESIS, |entry| entry.stored.hash))
    }

    pub(super) fn push(&mut self, entry: LogEntry) {
        self.places.entry(entry.stored.log).or_default().push(entry.stored.position);
        self.entries.push(entry);
    }

    pub(super) fn erase(&mut self, position: Position) {
        if let Some(entry) = index(position).and_then(|at| self.entries.get_mut(at)) {
            entry.stored.data = None;
        }
    }
}

/// Position 0 and those that memory cannot hold have no entry.
fn index(position: Position) -> Option<usize> {
    usize::try_from(position.0.checked_sub(1)?).ok()
}

impl Projections {
    fn sees(&self, user: UserId, entry: &StoredEntry) -> bool {
        let members = match entry.log {
            LogId::User(id) => return id == user,
            LogId::Community(id) => self.communities.get(&id),
            LogId::Conversation(id) => self.rooms.get(&id).map(|room| &room.members),
        };
        let member = members.and_then(|members| members.get(&user));
        member.is_some_and(|member| member.sees(entry.position))
    }
}

#[async_trait]
impl EntryRepository for MemoryStore {
    async fn generation(&self) -> Result<u64, StorageError> {
        Ok(self.generation)
    }

    async fn head(&self) -> Result<Position, StorageError> {
        Ok(self.state().log.head())
    }

    async fn log_head(&self, log: LogId) -> Result<Seq, StorageError> {
        Ok(self.state().log.head_of(log))
    }

    async fn entries(
        &self,
        log: LogId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StorageError> {
        let state = self.state();
        let places = state.log.places.get(&log).into_iter().flatten();
        let after = usize::try_from(after.0).unwrap_or(usize::MAX);
        let later = places.skip(after).take(limit);
        Ok(later.filter_map(|it| state.log.at(*it)).map(|it| it.stored.clone()).collect())
    }

    async fn visible(
        &self,
        user: UserId,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<VisiblePage, StorageError> {
        let state = self.state();
        let end = up_to.min(state.log.head());
        let mut page = VisiblePage { reached: after, ..VisiblePage::default() };
        let mut looked_at = 0;
        while page.reached < end && page.events.len() < limit && looked_at < VISIBLE_SCAN {
            looked_at += 1;
            page.reached = Position(page.reached.0 + 1);
            let Some(entry) = state.log.at(page.reached) else { continue };
            if state.projections.sees(user, &entry.stored) {
                page.events.push(VisibleEvent {
                    position: page.reached,
                    kind: Arc::from(entry.stored.kind.as_str()),
                    event: entry.event(),
                });
            }
        }
        page.has_more = page.reached < end;
        Ok(page)
    }

    async fn logs_of(&self, user: UserId) -> Result<UserLogs, StorageError> {
        let state = self.state();
        let rows = &state.projections;
        let communities = rows.communities.keys().filter(|id| rows.role(**id, user).is_some());
        let channels = rows.rooms.iter().filter(|(_, room)| room.has(user));
        let logs = std::iter::once(LogId::User(user))
            .chain(communities.copied().map(LogId::Community))
            .chain(channels.map(|(id, _)| LogId::Conversation(*id)))
            .collect();
        Ok(UserLogs { logs, at: state.log.head() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OperationRepository as _;
    use crate::conformance::world::World;

    type Damage = fn(&mut StoredEntry);

    #[tokio::test]
    async fn every_damage_is_found() {
        let store = Arc::new(MemoryStore::new(1));
        let world = World::new(Arc::<MemoryStore>::clone(&store));
        let ana = world.user("ana").await;
        let room = world.dm(&[&ana]).await;
        let message = world.say(&room, &ana, "as it was").await;
        world.say(&room, &ana, "and so on").await;
        let wrong = || async { store.check(&|_, _| ()).await.unwrap() };
        let damages: [(&str, Damage); 6] = [
            ("after 2 comes 9", |entry| entry.seq = Seq(9)),
            ("does not follow", |entry| entry.prev = [1; 32]),
            ("hash does not match", |entry| entry.actor = UserId::NIL),
            ("hash does not match", |entry| entry.commitment = [1; 32]),
            ("not what was committed", |entry| {
                entry.data = Some((Bytes::from_static(b"{}"), [0; 32]));
            }),
            ("says that it is at 99", |entry| entry.position = Position(99)),
        ];
        for (expected, damage) in damages {
            let index = usize::try_from(message.seq.0).unwrap() - 1;
            let whole = store.state().log.entries[index].stored.clone();
            damage(&mut store.state().log.entries[index].stored);
            let found = wrong().await;
            assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:?}");
            store.state().log.entries[index].stored = whole;
            assert_eq!(wrong().await, Vec::<String>::new());
        }
        // To take an entry away from the middle is found too.
        for places in store.state().log.places.values_mut() {
            places.remove(1);
        }
        assert!(!wrong().await.is_empty());
    }

    #[tokio::test]
    async fn a_call_looks_at_no_more_than_its_share() {
        let store = Arc::new(MemoryStore::new(1));
        let world = World::new(Arc::<MemoryStore>::clone(&store));
        let (ana, ben) = (world.user("ana").await, world.user("ben").await);
        let room = world.dm(&[&ben]).await;
        let mut change = crate::Change::default();
        for _ in 0..VISIBLE_SCAN {
            change.entries.push(world.sending(&world.draft(&room, &ben, "not for ana")));
        }
        world.commit(change).await;
        let own = world.read(&room, &ana, Seq(1)).await.position;
        let first = store.visible(ana.id, Position(0), own, 10).await.unwrap();
        assert_eq!((first.events.len(), first.has_more), (0, true));
        assert_eq!(first.reached, Position(VISIBLE_SCAN as u64));
        let second = store.visible(ana.id, first.reached, own, 10).await.unwrap();
        assert_eq!((second.events.len(), second.has_more), (1, false));
    }
}

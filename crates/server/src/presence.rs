//! Presence: leases, who watches whom, and diffs.
//!
//! One task owns all of it. Started by `Realtime::start`; stops when asked to, after it has written
//! when people were last seen. Its inbox is bounded: a renewal that finds no room is dropped, and
//! the next one comes in a moment. Nothing else is ever stored, and nothing survives a restart.

pub mod leases;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidings_domain::{DeviceId, Fact, Timestamp, UserId};
use tidings_storage::presence::Acquaintance;
use tidings_storage::{Change, CommittedEntry, Record};
use tidings_wire::presence::{Heartbeat, Presence as PresenceView};
use tidings_wire::{Event, Time};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::limit::Key;
use crate::realtime::delivery::{Delivery, LiveEvent};
use crate::realtime::queue::Queue;
use leases::{Leases, Shown, Sign, State};

/// Most users that one connection watches, and that one request asks for.
pub const WATCH_MAX: usize = 256;
/// Answers about one user in one minute, to all who ask.
const ANSWERS: u32 = 256;
/// Commands that wait for the task: what 10,000 connections send in six seconds.
const COMMANDS: usize = 4096;
/// How often the task looks for leases that ended.
const TICK: Duration = Duration::from_secs(1);
/// How long a change may wait that is watched from a direct conversation.
const SOON: Duration = Duration::from_secs(5);
/// How often it is written when people were last seen.
const WRITE: Duration = Duration::from_mins(1);
/// Shortest and longest lease.
const TTL_S: std::ops::RangeInclusive<u64> = 15..=300;

/// A connection that watches.
pub(crate) type ConnectionId = u64;

/// What the task is asked.
enum Command {
    Renew(UserId, DeviceId, Sign),
    Read(Vec<UserId>, oneshot::Sender<Vec<Live>>),
    Watch(ConnectionId, Watching),
    Unwatch(ConnectionId, Vec<UserId>),
    Gone(ConnectionId),
    Recheck(UserId, UserId),
    Left(UserId),
}

/// Whom a connection watches from now on.
struct Watching {
    user: UserId,
    queue: Arc<Queue>,
    /// Each with what it was told, and whether the two have a direct conversation.
    targets: Vec<(UserId, Option<State>, bool)>,
}

/// What the task knows of a user.
#[derive(Debug, Clone, Copy)]
struct Live {
    state: State,
    /// Newer than what is on the disk.
    seen: Option<Timestamp>,
}

/// The way to the task.
#[derive(Clone)]
pub struct Presence {
    app: App,
    generation: u64,
    commands: mpsc::Sender<Command>,
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").finish_non_exhaustive()
    }
}

/// Makes the task; the second value is its body.
pub(crate) fn new(
    app: App,
    generation: u64,
    stop: CancellationToken,
) -> (Presence, impl Future<Output = ()> + Send + 'static) {
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let task = Task {
        app: app.clone(),
        generation,
        leases: Leases::default(),
        connections: HashMap::new(),
        watched: HashMap::new(),
        changed: HashSet::new(),
        changed_soon: HashSet::new(),
        seen: HashMap::new(),
    };
    (Presence { app, generation, commands }, task.run(inbox, stop))
}

/// Reads what a sign of life says.
///
/// # Errors
/// `unprocessable` for a state or time that is none.
fn parse(sign: &Heartbeat) -> Result<Sign, ApiError> {
    let shown = match sign.state.as_deref() {
        None => None,
        Some("online") => Some(Shown::Online),
        Some("away") => Some(Shown::Away),
        Some("invisible") => Some(Shown::Invisible),
        Some(_) => {
            let detail = "expected one of: online, away, invisible";
            return Err(ApiError::field("state", "unknown", detail));
        }
    };
    if sign.ttl_s.is_some_and(|ttl| !TTL_S.contains(&ttl)) {
        return Err(ApiError::field("ttl_s", "out_of_range", "15 to 300 seconds"));
    }
    Ok(Sign { shown, ttl: sign.ttl_s.map(Duration::from_secs) })
}

impl Presence {
    /// A sign of life of the caller's device. Never waits.
    ///
    /// # Errors
    /// `unprocessable` for a state or time that is none.
    pub fn beat(&self, caller: &Caller, sign: &Heartbeat) -> Result<(), ApiError> {
        let command = Command::Renew(caller.user_id(), caller.device_id(), parse(sign)?);
        // When there is no room, the next sign comes in a moment.
        let _ = self.commands.try_send(command);
        Ok(())
    }

    /// What the caller may know of these users, in the order of the question: of each the same is
    /// looked up, and whoever may not be seen looks like somebody who is not there.
    ///
    /// # Errors
    /// `rate_limited` when too many have asked for one of them within a minute, known or not.
    pub async fn read(
        &self,
        caller: &Caller,
        users: &[UserId],
    ) -> Result<Vec<PresenceView>, ApiError> {
        check_count(users.len())?;
        for user in users {
            self.app.limit(Key::Presence(*user), ANSWERS)?;
        }
        let viewer = caller.user_id();
        let known = self.app.store().acquaintances(viewer, users).await?;
        let (answer, answered) = oneshot::channel();
        let command = Command::Read(users.to_vec(), answer);
        self.commands.send(command).await.map_err(|_| ApiError::restarting())?;
        let live = answered.await.map_err(|_| ApiError::restarting())?;
        let now = self.app.now();
        let all = users.iter().zip(known).zip(live);
        Ok(all.map(|((user, known), live)| view(*user, known, live, now)).collect())
    }

    /// Watches users from now on; the first answers come as events like all that follow. About
    /// whom too many have asked within a minute is told with a later batch.
    ///
    /// # Errors
    /// `unprocessable` for too many users.
    pub(crate) async fn watch(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        queue: &Arc<Queue>,
        users: Vec<UserId>,
    ) -> Result<(), ApiError> {
        check_count(users.len())?;
        let viewer = caller.user_id();
        let (now_told, later): (Vec<_>, Vec<_>) = users
            .into_iter()
            .partition(|user| self.app.limit(Key::Presence(*user), ANSWERS).is_ok());
        let known = self.app.store().acquaintances(viewer, &now_told).await?;
        let (answer, answered) = oneshot::channel();
        let command = Command::Read(now_told.clone(), answer);
        self.commands.send(command).await.map_err(|_| ApiError::restarting())?;
        let live = answered.await.map_err(|_| ApiError::restarting())?;
        let now = self.app.now();
        let mut targets = Vec::with_capacity(now_told.len() + later.len());
        let mut views = Vec::with_capacity(now_told.len());
        for ((user, known), live) in now_told.into_iter().zip(known).zip(live) {
            let mut pair = [viewer, user];
            pair.sort_unstable();
            let close = self.app.store().dm(&pair).await?.is_some();
            targets.push((user, Some(told(known, live).0), close));
            views.push(view(user, known, live, now));
        }
        targets.extend(later.into_iter().map(|user| (user, None, false)));
        let watching = Watching { user: viewer, queue: Arc::clone(queue), targets };
        let command = Command::Watch(connection, watching);
        self.commands.send(command).await.map_err(|_| ApiError::restarting())?;
        tell(queue, self.generation, &views, now);
        Ok(())
    }

    /// Does not watch these users any more.
    pub(crate) async fn unwatch(
        &self,
        connection: ConnectionId,
        users: Vec<UserId>,
    ) -> Result<(), ApiError> {
        let command = Command::Unwatch(connection, users);
        self.commands.send(command).await.map_err(|_| ApiError::restarting())
    }

    /// The connection is gone. When there is no room, its closed queue is found later.
    pub(crate) fn gone(&self, connection: ConnectionId) {
        let _ = self.commands.try_send(Command::Gone(connection));
    }

    /// One of the two has blocked or unblocked the other: what they see of each other is true no
    /// more.
    pub async fn recheck(&self, one: UserId, other: UserId) {
        // Without the task there is nobody to tell.
        let _ = self.commands.send(Command::Recheck(one, other)).await;
    }

    /// Follows the log: who leaves a channel may not see its people any more, nor they them.
    pub(crate) fn observe(&self, entry: &CommittedEntry) {
        if let Some(Fact::MemberLeft { user }) = entry.fact.as_deref() {
            // When there is no room, the next change of state tells.
            let _ = self.commands.try_send(Command::Left(user.id));
        }
    }
}

fn check_count(count: usize) -> Result<(), ApiError> {
    if count > WATCH_MAX {
        let detail = format!("at most {WATCH_MAX} users, not {count}");
        return Err(ApiError::field("users", "too_many", detail));
    }
    Ok(())
}

/// What is told of somebody: the state, and when they were last seen.
fn told(known: Acquaintance, live: Live) -> (State, Option<Timestamp>) {
    if known.allowed {
        (live.state, known.last_seen.max(live.seen))
    } else {
        (State::Offline, None)
    }
}

fn view(user: UserId, known: Acquaintance, live: Live, now: Timestamp) -> PresenceView {
    let (state, seen) = told(known, live);
    PresenceView {
        last_seen: bucket(state, seen, now).to_owned(),
        state: state.as_str().to_owned(),
        user_id: user.0,
    }
}

/// A time as coarse as others may know it: at least so long ago.
fn bucket(state: State, seen: Option<Timestamp>, now: Timestamp) -> &'static str {
    const MINUTE: i64 = 60_000;
    let Some(seen) = seen.filter(|_| state == State::Offline) else {
        return if state == State::Offline { "7d+" } else { "now" };
    };
    match now.0.saturating_sub(seen.0) / MINUTE {
        ..5 => "now",
        5..60 => "5m",
        60..1_440 => "1h",
        1_440..10_080 => "1d",
        _ => "7d+",
    }
}

/// Hands diffs to a connection, as one delivery.
fn tell(queue: &Queue, generation: u64, views: &[PresenceView], now: Timestamp) {
    let kind: Arc<str> = Arc::from("presence.changed");
    let events = views.iter().filter_map(|view| {
        // Plain structs always serialize.
        let data = serde_json::value::to_raw_value(view).ok()?;
        let event = Event {
            actor_id: None,
            channel_id: None,
            community_id: None,
            data,
            log: None,
            seq: None,
            timestamp: Time(now),
            kind: kind.to_string(),
        };
        let event = Bytes::from(serde_json::to_vec(&event).ok()?);
        Some(LiveEvent { position: None, kind: Arc::clone(&kind), event })
    });
    let events: Vec<_> = events.collect();
    if !events.is_empty() {
        queue.push(&Arc::new(Delivery::new(generation, events)));
    }
}

/// What a connection was told.
#[derive(Debug, Clone, Copy)]
struct Told {
    state: Option<State>,
    close: bool,
}

struct Connection {
    user: UserId,
    queue: Arc<Queue>,
    targets: HashMap<UserId, Told>,
}

/// The state that one task owns.
struct Task {
    app: App,
    generation: u64,
    leases: Leases,
    connections: HashMap<ConnectionId, Connection>,
    watched: HashMap<UserId, HashSet<ConnectionId>>,
    /// Who may look different since the last batch.
    changed: HashSet<UserId>,
    /// The same since the last time that direct conversations were told.
    changed_soon: HashSet<UserId>,
    /// Who was seen when, where the disk does not know yet.
    seen: HashMap<UserId, Timestamp>,
}

impl Task {
    async fn run(mut self, mut inbox: mpsc::Receiver<Command>, stop: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let start = self.app.clock().elapsed();
        let batch = self.app.settings().presence_batch;
        let (mut batched, mut soon, mut written) = (start, start, start);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                command = inbox.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break,
                },
                _ = tick.tick() => {
                    let now = self.app.clock().elapsed();
                    for user in self.leases.expire(now) {
                        self.touch(user);
                    }
                    if now.saturating_sub(batched) >= batch {
                        batched = now;
                        let changed = std::mem::take(&mut self.changed);
                        self.flush(&changed, |_, _| true).await;
                    }
                    if now.saturating_sub(soon) >= SOON.min(batch) {
                        soon = now;
                        let changed = std::mem::take(&mut self.changed_soon);
                        self.flush(&changed, |_, told| told.close).await;
                    }
                    if now.saturating_sub(written) >= WRITE {
                        written = now;
                        self.write().await;
                    }
                }
            }
        }
        self.write().await;
    }

    fn touch(&mut self, user: UserId) {
        if self.watched.contains_key(&user) {
            self.changed.insert(user);
            self.changed_soon.insert(user);
        }
    }

    async fn obey(&mut self, command: Command) {
        let now = self.app.clock().elapsed();
        match command {
            Command::Renew(user, device, sign) => {
                let before = self.leases.state(user, now);
                self.leases.renew(user, device, sign, now);
                let after = self.leases.state(user, now);
                if before != State::Offline || after != State::Offline {
                    self.seen.insert(user, self.app.now());
                }
                if before != after {
                    self.touch(user);
                }
            }
            Command::Read(users, answer) => {
                let live = users.iter().map(|user| Live {
                    state: self.leases.state(*user, now),
                    seen: self.seen.get(user).copied(),
                });
                // Who asked may have gone meanwhile.
                let _ = answer.send(live.collect());
            }
            Command::Watch(id, watching) => self.watch(id, watching),
            Command::Unwatch(id, users) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    for user in &users {
                        connection.targets.remove(user);
                    }
                    self.unlist(id, users.into_iter());
                }
            }
            Command::Gone(id) => self.drop_connection(id),
            Command::Recheck(one, other) => {
                let both = [one, other];
                let users = both.into_iter().collect();
                self.flush(&users, |viewer, _| both.contains(&viewer)).await;
            }
            Command::Left(user) => {
                self.touch(user);
                let own = self.connections.values().filter(|it| it.user == user);
                let targets: Vec<_> = own.flat_map(|it| it.targets.keys().copied()).collect();
                self.changed.extend(targets);
            }
        }
    }

    fn watch(&mut self, id: ConnectionId, watching: Watching) {
        let Watching { user, queue, targets } = watching;
        let connection = self.connections.entry(id).or_insert_with(|| Connection {
            user,
            queue,
            targets: HashMap::new(),
        });
        for (target, state, close) in targets {
            if connection.targets.len() >= WATCH_MAX && !connection.targets.contains_key(&target) {
                break;
            }
            connection.targets.insert(target, Told { state, close });
            self.watched.entry(target).or_default().insert(id);
            // What changed between the answer and now is told with the next batch.
            self.changed.insert(target);
            self.changed_soon.insert(target);
        }
    }

    fn unlist(&mut self, id: ConnectionId, users: impl Iterator<Item = UserId>) {
        for user in users {
            if let Some(watchers) = self.watched.get_mut(&user) {
                watchers.remove(&id);
                if watchers.is_empty() {
                    self.watched.remove(&user);
                }
            }
        }
    }

    fn drop_connection(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(&id) {
            self.unlist(id, connection.targets.into_keys());
        }
    }

    /// Tells those who watch the changed users what they may know now, where it is another thing
    /// than they were told, and `wanted` of the viewer and what it was told.
    async fn flush(&mut self, changed: &HashSet<UserId>, wanted: impl Fn(UserId, &Told) -> bool) {
        let mut asked: HashMap<ConnectionId, Vec<UserId>> = HashMap::new();
        for user in changed {
            for id in self.watched.get(user).into_iter().flatten() {
                let Some(connection) = self.connections.get(id) else { continue };
                let Some(told) = connection.targets.get(user) else { continue };
                if !wanted(connection.user, told) {
                    continue;
                }
                if self.app.limit(Key::Presence(*user), ANSWERS).is_err() {
                    self.changed.insert(*user);
                    break;
                }
                asked.entry(*id).or_default().push(*user);
            }
        }
        for (id, users) in asked {
            self.tell(id, users).await;
        }
    }

    async fn tell(&mut self, id: ConnectionId, users: Vec<UserId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.queue.is_closed() {
            return self.drop_connection(id);
        }
        let known = match self.app.store().acquaintances(connection.user, &users).await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(%error, "presence waits for the database");
                self.changed.extend(users);
                return;
            }
        };
        let (elapsed, now) = (self.app.clock().elapsed(), self.app.now());
        let mut views = Vec::new();
        for (user, known) in users.into_iter().zip(known) {
            let seen = self.seen.get(&user).copied();
            let live = Live { state: self.leases.state(user, elapsed), seen };
            let (state, _) = told(known, live);
            if let Some(told) = connection.targets.get_mut(&user)
                && told.state != Some(state)
            {
                told.state = Some(state);
                views.push(view(user, known, live, now));
            }
        }
        tell(&connection.queue, self.generation, &views, now);
    }

    /// Writes who was seen since the last time, and who is to be seen now.
    async fn write(&mut self) {
        let (elapsed, now) = (self.app.clock().elapsed(), self.app.now());
        for user in self.leases.visible(elapsed) {
            self.seen.insert(user, now);
        }
        let records: Vec<_> = self.seen.iter().map(|(user, at)| Record::Seen(*user, *at)).collect();
        if records.is_empty() {
            return;
        }
        match self.app.store().commit(Change { records, ..Change::default() }).await {
            Ok(_) => self.seen.clear(),
            Err(error) => tracing::warn!(%error, "it was not kept when people were last seen"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_coarsely() {
        let now = Timestamp(1_760_000_000_000);
        for (minutes, word) in [
            (0, "now"),
            (4, "now"),
            (5, "5m"),
            (59, "5m"),
            (60, "1h"),
            (1_439, "1h"),
            (1_440, "1d"),
            (10_079, "1d"),
            (10_080, "7d+"),
        ] {
            let seen = Some(Timestamp(now.0 - minutes * 60_000));
            assert_eq!(bucket(State::Offline, seen, now), word, "{minutes} minutes");
            assert_eq!(bucket(State::Away, seen, now), "now");
        }
        assert_eq!(bucket(State::Offline, None, now), "7d+");
    }
}

//! The hub: hands every committed entry to the connections that may see it.
//!
//! Started once by `Realtime::start`. Inboxes: the store's tail of committed batches and a bounded
//! queue of `Command`s. It stops when asked to, or when the tail ends, which means that the log's
//! writer has stopped. One task owns all registrations, so an entry that changes who may see a log
//! takes effect exactly at its place: whoever joins receives from the joining on, whoever leaves
//! receives the leaving as the last.

use std::collections::VecDeque;
use std::sync::Arc;

use tidings_domain::{Fact, LogId, Position, UserId};
use tidings_storage::{CommittedBatch, CommittedEntry, UserLogs};
use tokio_util::sync::CancellationToken;

use super::bounds::{COMMANDS, RECENT};
use super::delivery::{Delivery, LiveEvent};
use super::primitives::{AtomicU64, HashMap, HashSet, Ordering, mpsc, oneshot};
use super::queue::{Close, Queue};

/// What the hub is asked.
enum Command {
    Attach {
        user: UserId,
        queue: Arc<Queue>,
        logs: Option<UserLogs>,
        answer: oneshot::Sender<Attached>,
    },
    Detach {
        user: UserId,
        queue: Arc<Queue>,
    },
    Restart {
        queue: Arc<Queue>,
        answer: oneshot::Sender<Position>,
    },
    Publish {
        log: LogId,
        delivery: Arc<Delivery>,
    },
}

/// Whether a connection is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// From the entry after this position on. Entries up to it that come all the same are for
    /// whoever was attached before.
    From(Position),
    /// The hub does not know the user's logs at the present position; read them and ask again.
    NeedLogs,
}

/// The way to the hub.
#[derive(Debug, Clone)]
pub struct HubHandle {
    commands: mpsc::Sender<Command>,
    head: Arc<AtomicU64>,
}

/// The hub has stopped: the server is going down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server is shutting down")]
pub struct HubStopped;

impl HubHandle {
    /// Everything up to here has been handed out.
    pub fn head(&self) -> Position {
        Position(self.head.load(Ordering::Acquire))
    }

    /// Attaches a connection. `logs` are those of the user as read from the store, or `None` to try
    /// whether the hub knows them.
    pub async fn attach(
        &self,
        user: UserId,
        queue: &Arc<Queue>,
        logs: Option<UserLogs>,
    ) -> Result<Attached, HubStopped> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Attach { user, queue: Arc::clone(queue), logs, answer }).await?;
        answered.await.map_err(|_| HubStopped)
    }

    /// Empties a queue that overflowed; deliveries after the returned position go into it again.
    pub async fn restart(&self, queue: &Arc<Queue>) -> Result<Position, HubStopped> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Restart { queue: Arc::clone(queue), answer }).await?;
        answered.await.map_err(|_| HubStopped)
    }

    /// Takes a connection off. Never waits: a hub that is too busy to hear it finds the connection
    /// gone at the next delivery.
    pub fn detach(&self, user: UserId, queue: Arc<Queue>) {
        queue.close(Close::Gone);
        // When the inbox is full, the hub finds the closed queue at the user's next change.
        let _ = self.commands.try_send(Command::Detach { user, queue });
    }

    /// Hands an event that is not in the log to everyone in it. Never waits: when there is no
    /// room the event is dropped, as its kind allows.
    pub fn publish(&self, log: LogId, delivery: Arc<Delivery>) {
        let _ = self.commands.try_send(Command::Publish { log, delivery });
    }

    async fn send(&self, command: Command) -> Result<(), HubStopped> {
        self.commands.send(command).await.map_err(|_| HubStopped)
    }
}

/// Everything attached for one user.
#[derive(Debug, Default)]
struct UserState {
    queues: Vec<Arc<Queue>>,
    logs: HashSet<LogId>,
    /// Where the logs were read. The store may be ahead of the hub: joining and leaving up to here
    /// is in the logs before the hub comes to it, so that nobody may rely on the hub before that.
    read_at: Position,
}

/// The state that one task owns.
#[derive(Debug)]
struct Hub {
    generation: u64,
    head: Arc<AtomicU64>,
    users: HashMap<UserId, UserState>,
    /// The attached users of each log.
    audience: HashMap<LogId, HashSet<UserId>>,
    /// Queues of each log, made from `audience` when the log is next delivered to.
    routes: HashMap<LogId, Arc<[Arc<Queue>]>>,
    recent: VecDeque<(Position, UserId)>,
    /// Changes of membership up to here may have been forgotten.
    forgotten: Position,
    kinds: HashMap<&'static str, Arc<str>>,
}

/// Makes a hub; `run` is its task's body. `observe` is called for every entry, in order, before
/// its delivery.
pub fn new(
    generation: u64,
    head: Position,
) -> (HubHandle, impl FnOnce(Tail, Observer, CancellationToken) -> HubTask) {
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let shared = Arc::new(AtomicU64::new(head.0));
    let hub = Hub {
        generation,
        head: Arc::clone(&shared),
        users: HashMap::default(),
        audience: HashMap::default(),
        routes: HashMap::default(),
        recent: VecDeque::new(),
        forgotten: head,
        kinds: HashMap::default(),
    };
    let handle = HubHandle { commands, head: shared };
    let start = move |tail, observe, stop| HubTask { hub, inbox, tail, observe, stop };
    (handle, start)
}

/// The store's committed batches.
pub type Tail = mpsc::Receiver<Arc<CommittedBatch>>;
/// Called for every committed entry, in order.
pub type Observer = Box<dyn Fn(&CommittedEntry) + Send + Sync>;

/// The hub's task before it runs.
pub struct HubTask {
    hub: Hub,
    inbox: mpsc::Receiver<Command>,
    tail: Tail,
    observe: Observer,
    stop: CancellationToken,
}

impl std::fmt::Debug for HubTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubTask").finish_non_exhaustive()
    }
}

/// Why the hub ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// The log's writer has stopped: nothing can be written any more.
    WriterGone,
}

impl HubTask {
    /// Runs until it is asked to stop or the tail ends.
    pub async fn run(self) -> Ended {
        let Self { mut hub, mut inbox, mut tail, observe, stop } = self;
        let ended = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Ended::Stopped,
                batch = tail.recv() => match batch {
                    Some(batch) => hub.deliver(&batch, &observe),
                    None => break Ended::WriterGone,
                },
                Some(command) = inbox.recv() => hub.obey(command),
            }
        };
        for queue in hub.users.values().flat_map(|user| &user.queues) {
            queue.close(Close::Restart);
        }
        ended
    }
}

impl Hub {
    fn obey(&mut self, command: Command) {
        match command {
            Command::Attach { user, queue, logs, answer } => {
                let attached = self.attach(user, queue, logs);
                // A connection that went away meanwhile detaches by itself.
                let _ = answer.send(attached);
            }
            Command::Detach { user, queue } => self.detach(user, &queue),
            Command::Restart { queue, answer } => {
                queue.restart();
                let _ = answer.send(Position(self.head.load(Ordering::Acquire)));
            }
            Command::Publish { log, delivery } => self.push(log, &delivery),
        }
    }

    fn attach(&mut self, user: UserId, queue: Arc<Queue>, logs: Option<UserLogs>) -> Attached {
        let head = Position(self.head.load(Ordering::Acquire));
        if !self.users.contains_key(&user) {
            let Some(UserLogs { logs, at: read_at }) = logs else { return Attached::NeedLogs };
            let missed = |(at, who): &(Position, UserId)| *at > read_at && *who == user;
            if read_at < self.forgotten || self.recent.iter().any(missed) {
                return Attached::NeedLogs;
            }
            for log in &logs {
                self.audience.entry(*log).or_default().insert(user);
            }
            let logs = logs.into_iter().collect();
            let state = UserState { queues: Vec::new(), logs, read_at };
            self.users.insert(user, state);
        }
        let Some(state) = self.users.get_mut(&user) else { return Attached::NeedLogs };
        state.queues.retain(|queue| !queue.is_closed());
        state.queues.push(queue);
        for log in &state.logs {
            self.routes.remove(log);
        }
        Attached::From(head.max(state.read_at))
    }

    fn detach(&mut self, user: UserId, queue: &Arc<Queue>) {
        let Some(state) = self.users.get_mut(&user) else { return };
        state.queues.retain(|other| !Arc::ptr_eq(other, queue) && !other.is_closed());
        for log in &state.logs {
            self.routes.remove(log);
        }
        if state.queues.is_empty() {
            for log in &state.logs {
                if let Some(users) = self.audience.get_mut(log) {
                    users.remove(&user);
                    if users.is_empty() {
                        self.audience.remove(log);
                    }
                }
            }
            self.users.remove(&user);
        }
    }

    fn deliver(&mut self, batch: &CommittedBatch, observe: &Observer) {
        let mut run: Option<(LogId, Vec<LiveEvent>)> = None;
        // The tail was taken before the head was read, so its beginning may be known already.
        let head = self.head.load(Ordering::Acquire);
        for entry in batch.entries.iter().filter(|entry| entry.position.0 > head) {
            observe(entry);
            let change = entry.fact.as_deref().and_then(membership);
            // Whoever joins must not receive what was committed just before.
            let joins = matches!(change, Some(Membership::Joined(_)));
            if let Some((log, events)) = run.take_if(|(log, _)| joins || *log != entry.log) {
                self.send(log, events);
            }
            if let Some(Membership::Joined(user)) = change {
                self.subscribe(user, entry);
            }
            let event = LiveEvent {
                position: Some(entry.position),
                kind: self.kind(entry),
                event: entry.event.clone(),
            };
            run.get_or_insert_with(|| (entry.log, Vec::new())).1.push(event);
            if let Some(change) = change {
                // Who comes or goes changes the audience between this entry and the next.
                if let Some((log, events)) = run.take() {
                    self.send(log, events);
                }
                let (Membership::Joined(user) | Membership::Left(user)) = change;
                self.remember(entry.position, user);
                if matches!(change, Membership::Left(_)) {
                    self.unsubscribe(user, entry);
                }
            }
        }
        if let Some((log, events)) = run.take() {
            self.send(log, events);
        }
        if let Some(last) = batch.entries.last() {
            self.head.store(last.position.0.max(head), Ordering::Release);
        }
    }

    fn kind(&mut self, entry: &CommittedEntry) -> Arc<str> {
        let kind = entry.fact.as_deref().map_or("erased", Fact::kind);
        Arc::clone(self.kinds.entry(kind).or_insert_with(|| Arc::from(kind)))
    }

    fn send(&mut self, log: LogId, events: Vec<LiveEvent>) {
        if self.audience.contains_key(&log) {
            let delivery = Arc::new(Delivery::new(self.generation, events));
            self.push(log, &delivery);
        }
    }

    fn push(&mut self, log: LogId, delivery: &Arc<Delivery>) {
        let Some(users) = self.audience.get(&log) else { return };
        let known = &self.users;
        let route = self.routes.entry(log).or_insert_with(|| {
            users
                .iter()
                .filter_map(|user| known.get(user))
                .flat_map(|state| state.queues.iter().map(Arc::clone))
                .collect()
        });
        for queue in route.iter() {
            queue.push(delivery);
        }
    }

    fn subscribe(&mut self, user: UserId, joined: &CommittedEntry) {
        let &CommittedEntry { log, position, .. } = joined;
        if let Some(state) = self.users.get_mut(&user)
            && position > state.read_at
        {
            state.logs.insert(log);
            self.audience.entry(log).or_default().insert(user);
            self.routes.remove(&log);
        }
    }

    fn unsubscribe(&mut self, user: UserId, left: &CommittedEntry) {
        let &CommittedEntry { log, position, .. } = left;
        if let Some(state) = self.users.get_mut(&user)
            && position > state.read_at
        {
            state.logs.remove(&log);
            if let Some(users) = self.audience.get_mut(&log) {
                users.remove(&user);
                if users.is_empty() {
                    self.audience.remove(&log);
                }
            }
            self.routes.remove(&log);
        }
    }

    fn remember(&mut self, position: Position, user: UserId) {
        if self.recent.len() >= RECENT
            && let Some((forgotten, _)) = self.recent.pop_front()
        {
            self.forgotten = forgotten;
        }
        self.recent.push_back((position, user));
    }
}

#[derive(Debug, Clone, Copy)]
enum Membership {
    Joined(UserId),
    Left(UserId),
}

fn membership(fact: &Fact) -> Option<Membership> {
    match fact {
        Fact::MemberJoined { user, .. } => Some(Membership::Joined(user.id)),
        Fact::MemberLeft { user } | Fact::MemberBanned { user, .. } => {
            Some(Membership::Left(user.id))
        }
        _ => None,
    }
}

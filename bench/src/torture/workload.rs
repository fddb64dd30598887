//! The common workload against a real server: an open loop of messages, one task for each client.
//!
//! Started by a torture run, which meanwhile does harm to the server; ended by
//! [`Workload::finish`], which lets everything that is under way arrive, has the last message of
//! each channel sent, waits for it everywhere, and has the owner read the whole log again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::{Client, LogEvent};
use super::person::{self, Wish};
use super::record::{Act, ClientNumber, OPERATOR, Record};
use super::town::Town;
use crate::api;
use crate::clock::{self, Stopwatch};
use crate::http::Http;

/// Wishes that may wait for one client.
const QUEUE: usize = 1024;

/// How hard to work.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Messages per second over all clients.
    pub rate: f64,
    /// Departures from a channel per second over all clients, each followed by a return.
    pub leaves: f64,
    /// How long the last messages may take once the load has ended.
    pub patience: Duration,
}

impl Pace {
    /// 200 messages per second and nobody leaves.
    pub const COMMON: Self = Self { rate: 200.0, leaves: 0.0, patience: Duration::from_secs(30) };
}

/// How far one client is; the run looks at it to know when to end.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Unacknowledged messages, and one for a departure or return that is under way.
    pub(super) busy: AtomicUsize,
    pub(super) whole: AtomicBool,
    pub(super) ready: AtomicBool,
    /// Nothing that was wished before the load ended is still in the client's inbox.
    pub(super) returned: AtomicBool,
}

/// Clients at work.
#[derive(Debug)]
pub struct Workload {
    runtime: Runtime,
    clients: JoinSet<Client>,
    wishes: Vec<mpsc::Sender<Wish>>,
    progress: Vec<Arc<Progress>>,
    loader: JoinSet<()>,
    loading: Arc<AtomicBool>,
    pace: Pace,
    operations: Vec<Record>,
}

impl Workload {
    /// Connects every client of `town` to `server` (the server itself, or a proxy before it), waits
    /// until all sessions stand, and starts to send.
    pub fn start(town: &Town, server: SocketAddr, pace: Pace, seed: u64) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("start a runtime for the clients")?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut clients = JoinSet::new();
        let (mut wishes, mut progress) = (Vec::new(), Vec::new());
        for (number, account) in (0..).zip(&town.accounts) {
            let client = town.client(number).context("a client without account")?;
            let (sender, inbox) = mpsc::channel(QUEUE);
            let own = Arc::new(Progress::default());
            let person = person::Person {
                client,
                server,
                rest: town.server,
                token: account.token.clone(),
                channels: town.channels.clone(),
                inbox,
                progress: Arc::clone(&own),
                random: ChaCha8Rng::seed_from_u64(random.random()),
                departing: None,
                returned: false,
            };
            clients.spawn_on(person.live(), runtime.handle());
            wishes.push(sender);
            progress.push(own);
        }
        let mut workload = Self {
            runtime,
            clients,
            wishes,
            progress,
            loader: JoinSet::new(),
            loading: Arc::new(AtomicBool::new(true)),
            pace,
            operations: Vec::new(),
        };
        let patience = Duration::from_mins(1);
        workload.wait_for(patience, |one| one.ready.load(Ordering::Relaxed));
        let load = load(
            town.population,
            workload.wishes.clone(),
            pace,
            Arc::clone(&workload.loading),
            random,
        );
        workload.loader.spawn_on(load, workload.runtime.handle());
        Ok(workload)
    }

    /// Notes what the operator does to the server.
    pub fn note(&mut self, act: Act) {
        self.operations.push(Record { at: clock::nanos(), client: OPERATOR, act });
    }

    /// Waits until every client has a session, at most `limit`; says whether they have.
    pub fn all_ready(&self, limit: Duration) -> bool {
        self.wait_for(limit, |one| one.ready.load(Ordering::Relaxed))
    }

    /// Ends the load, lets everything arrive and returns all logs, those of the operator and of the
    /// auditor (the owner, who reads everything again over REST) included.
    pub fn finish(mut self, town: &Town) -> anyhow::Result<Vec<Record>> {
        self.loading.store(false, Ordering::Relaxed);
        self.runtime.block_on(async { while self.loader.join_next().await.is_some() {} });
        for wishes in &self.wishes {
            // A client that has ended is found stuck by the checker.
            let _ = wishes.blocking_send(Wish::Return);
        }
        let patience = self.pace.patience;
        // A message behind the last one of its channel would come when nobody waits any more.
        self.wait_for(patience, |one| {
            one.returned.load(Ordering::Acquire) && one.busy.load(Ordering::Relaxed) == 0
        });
        for channel in 0..town.population.channels {
            let member = channel % town.population.spread;
            if let Some(wishes) = self.wishes.get(member as usize) {
                let _ = wishes.blocking_send(Wish::Finish(channel));
            }
        }
        self.wait_for(patience, |one| one.whole.load(Ordering::Relaxed));
        self.wishes.clear();
        let mut records = std::mem::take(&mut self.operations);
        let clients = self.runtime.block_on(self.clients.join_all());
        records.extend(clients.into_iter().flat_map(Client::into_records));
        records.extend(audit(town)?.into_records());
        Ok(records)
    }

    fn wait_for(&self, limit: Duration, done: impl Fn(&Progress) -> bool) -> bool {
        let watch = Stopwatch::start();
        while !self.progress.iter().all(|one| done(one)) {
            if watch.elapsed() > limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

/// Reads everything since the set-up once more, over another transport than the clients.
fn audit(town: &Town) -> anyhow::Result<Client> {
    let mut auditor = town.auditor();
    let mut http = Http::new(town.server);
    api::read_to_head(&mut http, &town.owner.token, &town.cursor, |events: Vec<LogEvent>| {
        for event in &events {
            auditor.log_event(clock::nanos(), event);
        }
    })
    .context("read everything again at the end")?;
    Ok(auditor)
}

/// Hands out wishes at the pace, whatever becomes of them.
async fn load(
    population: super::town::Population,
    wishes: Vec<mpsc::Sender<Wish>>,
    pace: Pace,
    loading: Arc<AtomicBool>,
    mut random: ChaCha8Rng,
) {
    let watch = Stopwatch::start();
    let (mut sent, mut left) = (0.0, 0.0);
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while loading.load(Ordering::Relaxed) {
        ticks.tick().await;
        let seconds = watch.seconds();
        while sent < seconds * pace.rate {
            sent += 1.0;
            hand_out(population, &wishes, &mut random, Wish::Invoke);
        }
        while left < seconds * pace.leaves {
            left += 1.0;
            hand_out(population, &wishes, &mut random, Wish::Leave);
        }
    }
}

fn hand_out(
    population: super::town::Population,
    wishes: &[mpsc::Sender<Wish>],
    random: &mut ChaCha8Rng,
    wish: fn(u32) -> Wish,
) {
    let number: ClientNumber = random.random_range(0..population.clients.max(1));
    let channels: Vec<_> = population.channels_of(number).collect();
    if let (Some(channel), Some(wishes)) = (channels.choose(random), wishes.get(number as usize)) {
        // A full queue belongs to a client that has been away for long: it wishes nothing more.
        let _ = wishes.try_send(wish(*channel));
    }
}

//! The worker: does what is due, again until it is done, and whatever becomes of the process.
//!
//! What a kind of job does stands with its noun; here is only how one is taken, tried again and let
//! go of. See [`tidings_storage::job`] for what keeps two processes from doing the same at once.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tidings_domain::Timestamp;
use tidings_storage::job::{JobKind, StoredJob};
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::error::ApiError;

/// Jobs that one process does at a time. Each waits for the network most of the time.
const AT_A_TIME: usize = 16;
/// How long a job belongs to whoever took it, in seconds: longer than any step of one lasts. After a
/// crash it waits this long.
const LEASE_S: i64 = 60;
/// How long the worker sleeps at most: what another process leaves behind is found after this.
const LOOK: Duration = Duration::from_secs(30);
/// How long it sleeps at least, so that a job that nobody can take costs little.
const REST: Duration = Duration::from_millis(200);
/// The wait after the first attempt, in seconds; each later one is three times as long.
const FIRST_WAIT_S: i64 = 5;
/// The longest wait between attempts, in seconds: eight hours.
const LONGEST_WAIT_S: i64 = 8 * 60 * 60;

/// From [`App::jobs`].
#[derive(Debug, Clone, Copy)]
pub struct Jobs<'a>(pub(super) &'a App);

/// What becomes of a job after an attempt.
#[derive(Debug)]
pub(crate) struct After {
    /// Written together with it.
    pub(crate) change: Change,
    /// When it is tried again; `None` when it is done.
    pub(crate) again: Option<Timestamp>,
}

impl After {
    pub(crate) fn done(records: Vec<Record>) -> Self {
        Self { change: Change { records, ..Change::default() }, again: None }
    }

    pub(crate) fn again(records: Vec<Record>, at: Timestamp) -> Self {
        Self { again: Some(at), ..Self::done(records) }
    }
}

/// A job that is ours for a while.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    app: &'a App,
    job: StoredJob,
}

impl Lease<'_> {
    /// The job, with this attempt counted.
    pub(crate) const fn job(&self) -> &StoredJob {
        &self.job
    }

    const fn fence(&self) -> Precondition {
        Precondition::JobIs(self.job.id, self.job.attempts, self.job.due)
    }

    /// Writes a step that is done, and begins the next one with a new lease. `false` when the job is
    /// not ours any more: then nothing was written, and nothing more is to be done.
    pub(crate) async fn step(&mut self, mut records: Vec<Record>) -> Result<bool, ApiError> {
        let until = self.app.now().plus_seconds(LEASE_S);
        records.push(Record::RenewJob(self.job.id, until));
        let ours = self.write(Change { records, ..Change::default() }).await?;
        (self.job.attempts, self.job.due) = (1, until);
        Ok(ours)
    }

    async fn finish(self, after: After) -> Result<bool, ApiError> {
        let mut change = after.change;
        change.records.push(match after.again {
            Some(at) => Record::PutOffJob(self.job.id, at),
            None => Record::DeleteJob(self.job.id),
        });
        self.write(change).await
    }

    async fn write(&self, mut change: Change) -> Result<bool, ApiError> {
        change.preconditions.insert(0, self.fence());
        match self.app.commit(change).await {
            Ok(_) => Ok(true),
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::JobIs(..)))) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }
}

impl Jobs<'_> {
    /// Does jobs when they are due, until it is stopped. What is being done then is begun again by
    /// the next process.
    pub async fn work(&self, stop: &CancellationToken) {
        let mut running = FuturesUnordered::new();
        loop {
            match self.take(AT_A_TIME.saturating_sub(running.len())).await {
                Ok(leases) => running.extend(leases.into_iter().map(|lease| self.attempt(lease))),
                Err(error) => tracing::warn!(%error, "jobs that are due have to wait"),
            }
            let pause = if running.len() < AT_A_TIME { self.pause().await } else { LOOK };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(()) = running.next() => {}
                () = self.0.new_jobs().notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Does everything that is due now, one after the other; how many there were.
    pub async fn work_once(&self) -> Result<usize, ApiError> {
        let mut done = 0;
        loop {
            let leases = self.take(1).await?;
            if leases.is_empty() {
                return Ok(done);
            }
            for lease in leases {
                self.attempt(lease).await;
                done += 1;
            }
        }
    }

    /// How long nothing is due.
    async fn pause(&self) -> Duration {
        // When the store fails it tells of itself as soon as it is asked for jobs.
        let next = self.0.store().next_job().await.unwrap_or_default();
        let wait = next.map(|due| due.0.saturating_sub(self.0.now().0));
        let wait = wait.and_then(|wait| u64::try_from(wait.max(0)).ok());
        wait.map_or(LOOK, Duration::from_millis).clamp(REST, LOOK)
    }

    async fn take(&self, room: usize) -> Result<Vec<Lease<'_>>, ApiError> {
        let app = self.0;
        let mut leases = Vec::new();
        if room == 0 {
            return Ok(leases);
        }
        for mut job in app.store().jobs_due(app.now(), room).await? {
            let until = app.now().plus_seconds(LEASE_S);
            let change = Change {
                preconditions: vec![Precondition::JobIs(job.id, job.attempts, job.due)],
                records: vec![Record::BeginJob(job.id, until)],
                ..Change::default()
            };
            match app.commit(change).await {
                Ok(_) => {
                    (job.attempts, job.due) = (job.attempts.saturating_add(1), until);
                    leases.push(Lease { app, job });
                }
                // Another process was faster.
                Err(ChangeError::Refused(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(leases)
    }

    async fn attempt(&self, mut lease: Lease<'_>) {
        let app = self.0;
        let (id, kind) = (lease.job.id, lease.job.kind);
        let outcome = match kind {
            JobKind::Delivery => app.outgoing().deliver(&mut lease).await,
            JobKind::Preview => app.previews().look(&lease).await,
            other => {
                tracing::error!(%id, kind = other.as_str(), "nobody does jobs of this kind");
                return;
            }
        };
        let after = match outcome {
            Ok(Some(after)) => after,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%id, kind = kind.as_str(), %error, "a job failed and is tried again");
                After::again(Vec::new(), app.now().plus_millis(app.backoff(lease.job.attempts)))
            }
        };
        let done = after.again.is_none();
        match lease.finish(after).await {
            Ok(true) if done && kind == JobKind::Delivery => app.outgoing().look_again(id).await,
            Ok(_) => {}
            Err(error) => tracing::warn!(%id, %error, "what became of a job could not be written"),
        }
    }
}

impl App {
    /// How long to wait after so many attempts, in milliseconds: three times as long each time, and a
    /// little more or less, so that what failed together does not come back together.
    pub(crate) fn backoff(&self, attempts: u32) -> i64 {
        let factor = 3_i64.saturating_pow(attempts.saturating_sub(1));
        let millis = FIRST_WAIT_S.saturating_mul(factor).min(LONGEST_WAIT_S) * 1000;
        // Between 80 and 120 percent.
        let jitter = i64::from(u16::from_be_bytes(self.random())) * 40 / i64::from(u16::MAX);
        millis / 100 * (80 + jitter)
    }
}

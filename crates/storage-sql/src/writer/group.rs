//! Group commit, without knowing what a transaction is: one transaction for all that wait, one answer
//! for each caller, and the tail told of everything in order of positions.

use std::future::Future;
use std::sync::Arc;

use tidings_storage::{
    Change, ChangeError, Committed, CommittedBatch, CommittedEntry, StorageError,
};

use super::primitives::{AtomicU64, Mutex, Ordering, PoisonError, mpsc, oneshot};

/// Where committed batches go once somebody has asked for them.
pub(crate) type TailSlot = Arc<Mutex<Option<mpsc::Sender<Arc<CommittedBatch>>>>>;

pub(crate) type Answer = oneshot::Sender<Result<Committed, ChangeError>>;

/// A change and whoever waits to hear of it.
pub(crate) type Submitted = (Box<Change>, Answer);

/// What became of each change of a transaction, in order.
pub(crate) type Outcomes = Vec<Result<Committed, ChangeError>>;

/// What a transaction has done.
pub(crate) struct Done {
    /// One for each change.
    pub(crate) outcomes: Outcomes,
    /// What was appended, in order of positions.
    pub(crate) entries: Vec<CommittedEntry>,
    /// The newest position.
    pub(crate) head: u64,
}

/// Whatever transactions are written to.
pub(crate) trait Database: Send {
    /// One transaction with these changes, whole or not at all.
    fn transact(
        &mut self,
        changes: &[Box<Change>],
    ) -> impl Future<Output = Result<Done, StorageError>> + Send;

    /// Everything after a position and up to another, whoever wrote it.
    fn committed(
        &mut self,
        after: u64,
        up_to: u64,
    ) -> impl Future<Output = Result<Vec<CommittedEntry>, StorageError>> + Send;
}

/// The system cannot make data durable: nothing may be written any more.
pub(crate) struct NotDurable;

/// What group commit remembers from one transaction to the next.
pub(crate) struct Group {
    tail: TailSlot,
    /// The newest committed position, for everyone.
    head: Arc<AtomicU64>,
    /// Up to where the tail has been told; a jump beyond it is another process's work.
    told: u64,
}

impl Group {
    pub(crate) fn new(tail: TailSlot, head: Arc<AtomicU64>) -> Self {
        let told = head.load(Ordering::Acquire);
        Self { tail, head, told }
    }

    /// The newest position that this process has committed.
    pub(crate) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Lets whoever listens to the tail know that nothing more will come.
    pub(crate) fn close(&self) {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Commits changes together and answers each caller.
    pub(crate) async fn commit(
        &mut self,
        database: &mut impl Database,
        changes: Vec<Submitted>,
    ) -> Result<(), NotDurable> {
        if changes.is_empty() {
            return Ok(());
        }
        let (changes, answers): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        let first = self.transact(database, &changes).await;
        let outcomes = match first {
            Ok(outcomes) => outcomes,
            // One change that cannot be written must not take its neighbors with it.
            Err(StorageError::Internal { .. } | StorageError::Corrupt { .. })
                if changes.len() > 1 =>
            {
                let mut outcomes = Vec::with_capacity(changes.len());
                for change in changes.chunks(1) {
                    match self.transact(database, change).await {
                        Ok(mut outcome) => outcomes.append(&mut outcome),
                        Err(error) => outcomes.push(Err(error.into())),
                    }
                }
                outcomes
            }
            Err(error) => changes.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let fatal = outcomes.iter().any(|outcome| {
            matches!(outcome, Err(ChangeError::Storage(StorageError::NotDurable { .. })))
        });
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that went away does not undo its change.
            let _ = answer.send(outcome);
        }
        if fatal { Err(NotDurable) } else { Ok(()) }
    }

    async fn transact(
        &mut self,
        database: &mut impl Database,
        changes: &[Box<Change>],
    ) -> Result<Outcomes, StorageError> {
        let Done { outcomes, entries, head } = database.transact(changes).await?;
        if !entries.is_empty() {
            self.publish(database, entries, head).await;
        }
        Ok(outcomes)
    }

    /// Tells the tail; before that, what other processes have committed in between.
    async fn publish(
        &mut self,
        database: &mut impl Database,
        entries: Vec<CommittedEntry>,
        head: u64,
    ) {
        let first = entries.first().map_or(0, |entry| entry.position.0);
        self.head.store(head, Ordering::Release);
        if first == self.told + 1 {
            self.told = head;
            self.tell(entries).await;
        } else {
            self.catch_up(database).await;
        }
    }

    /// Whether something is committed that the tail was not told of.
    pub(crate) fn is_behind(&self) -> bool {
        self.told < self.head()
    }

    /// Tells the tail what is committed, read back from the database. When that fails, the tail
    /// stays behind, so that it never has a gap, and catches up later.
    pub(crate) async fn catch_up(&mut self, database: &mut impl Database) {
        let head = self.head();
        match database.committed(self.told, head).await {
            Ok(missed) => {
                self.told = head;
                self.tell(missed).await;
            }
            Err(error) => {
                tracing::error!(%error, "committed entries could not be read for the tail");
            }
        }
    }

    async fn tell(&self, entries: Vec<CommittedEntry>) {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(tail) = tail
            && !entries.is_empty()
        {
            // Whoever listened may have gone; writing goes on without them.
            let _ = tail.send(Arc::new(CommittedBatch { entries })).await;
        }
    }
}

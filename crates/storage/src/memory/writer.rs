//! The log's writer: each change is applied when it is submitted.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::change::{Change, LogWriter, Pending};
use crate::entry::CommittedBatch;
use crate::error::StorageError;
use crate::memory::{MemoryStore, State};

/// How many batches may wait for the consumer of the tail. One change is one batch here, so this
/// is what a burst of concurrent senders leaves while the consumer is not scheduled; more would
/// only hide a consumer that does not keep up.
const TAIL_BATCHES: usize = 1_024;

/// Where committed batches go.
#[derive(Debug, Default)]
pub(super) struct Tail {
    sender: Option<mpsc::Sender<Arc<CommittedBatch>>>,
    taken: bool,
    closed: bool,
}

impl Tail {
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.sender = None;
    }
}

#[async_trait]
impl LogWriter for MemoryStore {
    async fn submit(&self, change: Change) -> Result<Pending, StorageError> {
        loop {
            let sender = self.state().tail.sender.clone();
            // Room in the tail comes first: once a change is applied, its batch has to follow at
            // once, under the same lock, for batches to go out in order of positions.
            let permit = match &sender {
                Some(sender) => sender.reserve().await.ok(),
                None => None,
            };
            let mut state = self.state();
            if state.tail.closed {
                return Err(StorageError::Unavailable {
                    detail: "the store in memory has been closed".to_owned(),
                });
            }
            let tail_came_between = sender.is_none() && state.tail.sender.is_some();
            if !tail_came_between {
                return Ok(state.write(change, permit));
            }
        }
    }

    fn take_tail(&self) -> Option<mpsc::Receiver<Arc<CommittedBatch>>> {
        let mut state = self.state();
        if state.tail.taken {
            return None;
        }
        let (sender, receiver) = mpsc::channel(TAIL_BATCHES);
        state.tail.taken = true;
        if !state.tail.closed {
            state.tail.sender = Some(sender);
        }
        Some(receiver)
    }
}

impl State {
    fn write(
        &mut self,
        change: Change,
        permit: Option<mpsc::Permit<'_, Arc<CommittedBatch>>>,
    ) -> Pending {
        let (answer, pending) = oneshot::channel();
        let outcome = self.apply(change).map(|(committed, batch)| {
            if let (Some(permit), false) = (permit, batch.entries.is_empty()) {
                permit.send(Arc::new(batch));
            }
            committed
        });
        // Whoever submitted may have gone: the change stays.
        drop(answer.send(outcome));
        pending
    }
}

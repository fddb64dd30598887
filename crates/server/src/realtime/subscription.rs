//! A connection's place in the stream of events: the log up to the hub's head, then the hub.

use std::sync::Arc;

use tidings_domain::{Position, UserId};
use tidings_storage::entry::VisibleEvent;
use tidings_storage::{EntryRepository, StorageError};

use super::bounds::PAGE;
use super::delivery::{Delivery, LiveEvent};
use super::hub::{Attached, HubHandle, HubStopped};
use super::queue::{Close, Queue, Taken};

/// Why a subscription ends.
#[derive(Debug)]
pub enum End {
    /// The server ends it.
    Closed(Close),
    /// The store failed; the client comes back with its cursor.
    Storage(StorageError),
}

impl From<HubStopped> for End {
    fn from(_: HubStopped) -> Self {
        Self::Closed(Close::Restart)
    }
}

impl From<StorageError> for End {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Everything that one user may see after a cursor, in order and without gaps. Who takes too
/// slowly is sent through the log instead of filling memory.
#[derive(Debug)]
pub struct Subscription {
    store: Arc<dyn EntryRepository>,
    hub: HubHandle,
    user: UserId,
    queue: Arc<Queue>,
    generation: u64,
    /// Everything up to here was taken.
    cursor: Position,
    /// The log has to be read up to here before the queue goes on.
    behind: Option<Position>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.detach(self.user, Arc::clone(&self.queue));
    }
}

impl Subscription {
    /// Begins after `since`, or at the head.
    pub async fn begin(
        store: Arc<dyn EntryRepository>,
        hub: HubHandle,
        user: UserId,
        generation: u64,
        since: Option<Position>,
    ) -> Result<Self, End> {
        let queue = Arc::new(Queue::default());
        let mut attached = hub.attach(user, &queue, None).await?;
        while attached == Attached::NeedLogs {
            let logs = store.logs_of(user).await?;
            attached = hub.attach(user, &queue, Some(logs)).await?;
        }
        let Attached::From(head) = attached else {
            return Err(End::Closed(Close::Restart));
        };
        let cursor = since.unwrap_or(head);
        let behind = (cursor < head).then_some(head);
        Ok(Self { store, hub, user, queue, generation, cursor, behind })
    }

    /// What waits for the connection: where events that are in no log go.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Everything up to here was taken.
    pub const fn cursor(&self) -> Position {
        self.cursor
    }

    /// What came and was not taken yet; empty when nothing did. Safe to drop: what was not
    /// returned comes again.
    pub async fn take(&mut self) -> Result<Vec<Arc<Delivery>>, End> {
        if self.behind.is_none() {
            match self.queue.take() {
                Taken::Deliveries(deliveries) => return Ok(self.pass(deliveries)),
                Taken::Closed(why) => return Err(End::Closed(why)),
                Taken::Lagged => self.behind = Some(self.hub.restart(&self.queue).await?),
            }
        }
        while let Some(up_to) = self.behind {
            if self.queue.is_closed() {
                return Err(End::Closed(Close::Restart));
            }
            let page = self.store.visible(self.user, self.cursor, up_to, PAGE).await?;
            self.cursor = page.reached.max(self.cursor);
            if !page.has_more || self.cursor >= up_to {
                self.behind = None;
                self.cursor = self.cursor.max(up_to);
            }
            if !page.events.is_empty() {
                return Ok(vec![Arc::new(Delivery::new(self.generation, live(page.events)))]);
            }
        }
        Ok(Vec::new())
    }

    /// Waits until [`Subscription::take`] may find something. Safe to drop.
    pub async fn filled(&self) {
        if self.behind.is_none() {
            self.queue.filled().await;
        }
    }

    // Events that the cursor has passed already are left out.
    fn pass(&mut self, deliveries: Vec<Arc<Delivery>>) -> Vec<Arc<Delivery>> {
        let mut fresh = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            match (delivery.first(), delivery.last()) {
                (Some(first), Some(last)) => {
                    if first > self.cursor {
                        fresh.push(delivery);
                    } else if last > self.cursor {
                        let events = delivery.events().iter();
                        let later = events.filter(|e| e.position.is_none_or(|p| p > self.cursor));
                        let later = later.cloned().collect();
                        fresh.push(Arc::new(Delivery::new(self.generation, later)));
                    }
                    self.cursor = self.cursor.max(last);
                }
                _ => fresh.push(delivery),
            }
        }
        fresh
    }
}

fn live(events: Vec<VisibleEvent>) -> Vec<LiveEvent> {
    events
        .into_iter()
        .map(|event| LiveEvent {
            position: Some(event.position),
            kind: event.kind,
            event: event.event,
        })
        .collect()
}

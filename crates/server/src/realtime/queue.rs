//! What waits for one connection: bounded, and dropped in favor of the log when it overflows.

use std::collections::VecDeque;
use std::sync::Arc;

use super::bounds::{BYTES, DELIVERIES};
use super::delivery::Delivery;
use super::primitives::{Mutex, MutexGuard, Notify, PoisonError};

/// Why the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The session or its device was ended: 4001.
    Unauthorized,
    /// The server restarts: 1012.
    Restart,
    /// The connection itself went away.
    Gone,
}

/// What a connection finds when it looks.
#[derive(Debug)]
pub enum Taken {
    /// These came, in order; maybe none.
    Deliveries(Vec<Arc<Delivery>>),
    /// More came than may wait: the rest is in the log.
    Lagged,
    /// The connection is to end.
    Closed(Close),
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Delivery>>,
    bytes: usize,
    lagged: bool,
    closed: Option<Close>,
}

/// The inbox of one connection, filled by the hub.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    filled: Notify,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it was held cannot leave it half-changed: each change is one statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a delivery, or gives up on all of them when there are too many.
    pub fn push(&self, delivery: &Arc<Delivery>) {
        let mut state = self.lock();
        if state.lagged || state.closed.is_some() {
            return;
        }
        let size = delivery.size();
        if state.waiting.len() >= DELIVERIES || state.bytes + size > BYTES.max(size) {
            state.lagged = true;
            state.bytes = 0;
            state.waiting = VecDeque::new();
        } else {
            state.bytes += size;
            state.waiting.push_back(Arc::clone(delivery));
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Ends the connection; what waits is not delivered any more.
    pub fn close(&self, why: Close) {
        let mut state = self.lock();
        state.closed.get_or_insert(why);
        state.waiting = VecDeque::new();
        drop(state);
        self.filled.notify_one();
    }

    /// Whether it takes nothing any more.
    pub fn is_closed(&self) -> bool {
        self.lock().closed.is_some()
    }

    /// Forgets what waits and that too much came: the connection goes on from the log.
    pub fn restart(&self) {
        let mut state = self.lock();
        state.lagged = false;
        state.bytes = 0;
        state.waiting.clear();
    }

    /// Takes all that waits.
    pub fn take(&self) -> Taken {
        let mut state = self.lock();
        if let Some(why) = state.closed {
            return Taken::Closed(why);
        }
        if state.lagged {
            return Taken::Lagged;
        }
        state.bytes = 0;
        Taken::Deliveries(state.waiting.drain(..).collect())
    }

    /// Waits until there may be something to take. Safe to drop: what came stays.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidings_domain::Position;

    use super::*;
    use crate::realtime::delivery::LiveEvent;

    fn delivery(position: u64, size: usize) -> Arc<Delivery> {
        let event = LiveEvent {
            position: Some(Position(position)),
            kind: Arc::from("x"),
            event: Bytes::from(vec![b' '; size]),
        };
        Arc::new(Delivery::new(1, vec![event]))
    }

    #[test]
    fn an_overflow_gives_up_everything_until_restarted() {
        let queue = Queue::default();
        for position in 0..=DELIVERIES as u64 {
            queue.push(&delivery(position, 1));
        }
        assert!(matches!(queue.take(), Taken::Lagged));
        queue.push(&delivery(1000, 1));
        assert!(matches!(queue.take(), Taken::Lagged), "nothing is taken out of order");
        queue.restart();
        queue.push(&delivery(1001, 1));
        assert!(matches!(queue.take(), Taken::Deliveries(some) if some.len() == 1));
    }

    #[test]
    fn bytes_are_bounded_but_one_large_event_passes() {
        let queue = Queue::default();
        queue.push(&delivery(1, 2 * BYTES));
        assert!(matches!(queue.take(), Taken::Deliveries(some) if some.len() == 1));
        queue.push(&delivery(2, BYTES / 2));
        queue.push(&delivery(3, BYTES / 2 + 1));
        assert!(matches!(queue.take(), Taken::Lagged));
    }

    #[tokio::test]
    async fn closing_wakes_and_wins() {
        let queue = Queue::default();
        queue.push(&delivery(1, 1));
        queue.close(Close::Unauthorized);
        queue.close(Close::Restart);
        queue.filled().await;
        assert!(matches!(queue.take(), Taken::Closed(Close::Unauthorized)));
    }
}

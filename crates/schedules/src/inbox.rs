//! The inbox of one connection, in every order of pushing, taking, restarting and closing.

use std::sync::Arc;

use bytes::Bytes;
use shuttle::future::block_on;
use shuttle::thread;
use tidings_domain::Position;

use super::realtime::delivery::{Delivery, LiveEvent};
use super::realtime::queue::{Close, Queue, Taken};
use crate::exhaust;

fn delivery(position: u64) -> Arc<Delivery> {
    let position = Some(Position(position));
    let event = LiveEvent { position, kind: Arc::from("x"), event: Bytes::new() };
    Arc::new(Delivery::new(1, vec![event]))
}

/// Asserts that positions come in order, each at most once, and that none is missing without notice.
fn assert_honest(taken: &[Option<u64>]) {
    let mut last = 0;
    let mut told = false;
    for it in taken {
        match it {
            None => told = true,
            Some(position) => {
                assert!(*position > last, "{taken:?}");
                assert!(told || *position == last + 1, "lost without notice: {taken:?}");
                (last, told) = (*position, false);
            }
        }
    }
}

/// What is taken at once, and whether something was missing before it.
fn look(queue: &Queue, taken: &mut Vec<Option<u64>>) {
    match queue.take() {
        Taken::Deliveries(deliveries) => {
            taken.extend(deliveries.iter().map(|it| it.last().map(|position| position.0)));
        }
        Taken::Lagged => {
            // Only a restart lets anything through again.
            assert!(matches!(queue.take(), Taken::Lagged));
            taken.push(None);
            queue.restart();
        }
        Taken::Closed(why) => assert_eq!(why, Close::Gone, "nobody closes it"),
    }
}

/// One pushes more than may wait while one takes: every schedule; how many those were.
///
/// # Panics
/// When anything is lost without notice, comes twice or out of order.
pub fn pushing_and_taking() -> usize {
    exhaust(|| {
        let queue = Arc::new(Queue::default());
        let inbox = Arc::clone(&queue);
        let pusher = thread::spawn(move || {
            for position in 1..=4 {
                inbox.push(&delivery(position));
            }
        });
        let mut taken = Vec::new();
        for _ in 0..2 {
            look(&queue, &mut taken);
        }
        assert!(pusher.join().is_ok());
        for _ in 0..2 {
            look(&queue, &mut taken);
        }
        assert_honest(&taken);
        // What came last is there, or known to be missing.
        assert!(matches!(taken.last(), Some(None | Some(4))), "{taken:?}");
    })
}

/// One pushes and closes while one waits until the end: every schedule; how many those were.
///
/// # Panics
/// When the taker is not woken, or the reason for the end changes.
pub fn closing_and_waiting() -> usize {
    exhaust(|| {
        let queue = Arc::new(Queue::default());
        let inbox = Arc::clone(&queue);
        let pusher = thread::spawn(move || {
            inbox.push(&delivery(1));
            inbox.close(Close::Unauthorized);
            inbox.close(Close::Restart);
            inbox.push(&delivery(2));
        });
        let mut taken = Vec::new();
        let why = loop {
            match queue.take() {
                Taken::Deliveries(deliveries) if deliveries.is_empty() => block_on(queue.filled()),
                Taken::Deliveries(deliveries) => {
                    taken.extend(deliveries.iter().map(|it| it.last()));
                }
                Taken::Lagged => assert!(taken.is_empty(), "one delivery is not too many"),
                Taken::Closed(why) => break why,
            }
        };
        assert_eq!(why, Close::Unauthorized);
        assert!(taken.is_empty() || taken == [Some(Position(1))], "{taken:?}");
        assert!(pusher.join().is_ok());
        assert!(matches!(queue.take(), Taken::Closed(Close::Unauthorized)));
    })
}

//! The parts of the server that race, tried in hundreds of thousands of orders.
//!
//! The modules `realtime` and `writer` are built from the very sources of `tidings-server` and
//! `tidings-storage-sql`, on locks, atomics and tasks of [shuttle], whose scheduler decides who
//! goes on at each step, and with bounds so small that each is met. The checks are [`inbox`] (the
//! queue of one connection), [`fan_out`] (hub, queues and subscriptions against the log) and
//! [`sequence`] (group commit and the tail). A check that fails prints its schedule;
//! [`shuttle::replay`] runs that one again. [`planted`] has the same sources with bugs in them, which
//! the checks must find.
//!
//! Channels and notifications are those of tokio: whoever waits on one is woken by the scheduler,
//! and what happens within one call of them is tokio's to test. This crate must never be known by
//! another.

// The sources bring their own unit tests, which run where they live.
#![cfg(not(test))]

pub mod fan_out;
pub mod inbox;
pub mod planted;
pub mod realtime;
pub mod sequence;
pub mod writer;

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// What the schedules follow from.
const SEED: u64 = 0x7469_6469_6e67_7323;

fn config() -> Config {
    let mut config = Config::new();
    // Unoptimized futures are large.
    config.stack_size = 256 << 10;
    config
}

/// How many schedules are tried, always the same ones, and how each is chosen.
#[derive(Debug, Clone, Copy)]
pub enum Schedules {
    /// Anyone goes on at each step: finds what many orders have in common.
    Random(usize),
    /// Whoever comes first in a random ranking goes on, and the ranking changes now and then:
    /// finds what happens when somebody stands still for long.
    Ranked(usize),
}

/// How many steps a bug may need in one order for [`Schedules::Ranked`] to find it well.
const DEPTH: usize = 3;

/// Runs `check` under each of these schedules.
fn explore(which: Schedules, check: impl Fn() + Send + Sync + 'static) {
    let (wanted, tried) = match which {
        Schedules::Random(count) => {
            let scheduler = RandomScheduler::new_from_seed(SEED, count);
            (count, Runner::new(scheduler, config()).run(check))
        }
        Schedules::Ranked(count) => {
            let scheduler = PctScheduler::new_from_seed(SEED, DEPTH, count);
            (count, Runner::new(scheduler, config()).run(check))
        }
    };
    assert_eq!(tried, wanted);
}

/// Most schedules of an exhaustive check: past it the check has grown too large to be one.
const EXHAUSTIVE: usize = 1_000_000;

/// Runs `check` under every schedule that there is, and says how many that were.
fn exhaust(check: impl Fn() + Send + Sync + 'static) -> usize {
    let tried = Runner::new(DfsScheduler::new(Some(EXHAUSTIVE), false), config()).run(check);
    assert!(tried < EXHAUSTIVE, "not every schedule was tried");
    tried
}

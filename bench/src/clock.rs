//! The one monotonic clock of the benches: nanoseconds since the first reading in this process.
//!
//! Logs of the torture clients, latencies and deadlines all use it, so that instants taken on
//! different threads can be compared.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

static ORIGIN: OnceLock<Instant> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "the home of real time in a program that measures")]
fn read() -> Instant {
    Instant::now()
}

/// Nanoseconds since the first call in this process; never goes back.
pub fn nanos() -> u64 {
    u64::try_from(ORIGIN.get_or_init(read).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// A span that started when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts counting now.
    pub fn start() -> Self {
        Self(read())
    }

    /// Time since [`Stopwatch::start`].
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Seconds since [`Stopwatch::start`].
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

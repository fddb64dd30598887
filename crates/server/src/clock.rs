//! The one place that reads the machine's clocks.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidings_domain::Timestamp;

/// Where time comes from.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day. It may jump: people and NTP set it.
    fn now(&self) -> Timestamp;

    /// Time that passed since some fixed moment; it never goes back. Limits and caches measure
    /// with it, so that a clock that jumps neither locks people out nor lets floods in.
    fn elapsed(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Begins to measure now.
    #[expect(clippy::disallowed_methods, reason = "this is the server's home of the clock")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the server's home of the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

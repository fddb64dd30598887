//! A clock that stands still until a test turns it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tidings_domain::Timestamp;
use tidings_server::Clock;

/// Where a world's time begins: 2026-01-01T00:00:00Z, in milliseconds.
const BEGINNING: i64 = 1_767_225_600_000;

/// Time of day and time that has passed, each turned by hand.
#[derive(Debug)]
pub struct TestClock {
    now: AtomicI64,
    elapsed: AtomicU64,
}

impl TestClock {
    /// At the beginning of 2026.
    pub fn new() -> Self {
        // Zero would be a moment at which everything looks as if it had just begun.
        Self { now: AtomicI64::new(BEGINNING), elapsed: AtomicU64::new(1_000_000) }
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let millis = time.as_millis();
        self.now.fetch_add(i64::try_from(millis).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.elapsed.fetch_add(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Sets the time of day, as people and NTP do; no time passes.
    pub fn set(&self, now: Timestamp) {
        self.now.store(now.0, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_time_of_day_is_no_time_that_passes() {
        let clock = TestClock::new();
        let (now, elapsed) = (clock.now(), clock.elapsed());
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), now.plus_seconds(5));
        assert_eq!(clock.elapsed(), elapsed + Duration::from_secs(5));
        clock.set(now.plus_seconds(-7200));
        assert_eq!(clock.elapsed(), elapsed + Duration::from_secs(5));
    }
}

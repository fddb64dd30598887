//! How long to wait before trying again.

use std::time::Duration;

/// The first wait: shorter than a restart of the server takes, so one try may be wasted, but a
/// blink of the network is not felt.
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait: who closed a laptop over lunch is back within half a minute.
const LONGEST: Duration = Duration::from_secs(30);

/// Doubles from half a second to half a minute. Each wait is drawn from its upper half, so that a
/// thousand clients do not come back in the same moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait, at least `at_least` when the server asked for that.
    pub(super) fn next(&mut self, at_least: Option<Duration>) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let drawn = wait.mul_f64(rand::random_range(0.5..1.0));
        drawn.max(at_least.unwrap_or_default())
    }

    /// The connection has proved to work.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_half_a_minute_and_begin_anew() {
        let mut backoff = Backoff::default();
        for step in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let wait = backoff.next(None);
            let range = Duration::from_millis(step / 2)..=Duration::from_millis(step);
            assert!(range.contains(&wait), "{wait:?} of {step}");
        }
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
    }

    #[test]
    fn the_servers_wish_is_a_floor() {
        let wish = Duration::from_mins(1);
        assert_eq!(Backoff::default().next(Some(wish)), wish);
    }
}

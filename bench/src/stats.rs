//! Medians and percentiles of small samples.

use std::time::Duration;

/// A bag of latencies in nanoseconds.
#[derive(Debug, Default, Clone)]
pub struct Latencies(Vec<u64>);

impl Latencies {
    /// Adds one latency.
    pub fn push(&mut self, nanos: u64) {
        self.0.push(nanos);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The latency that `share` (0..=1) of all do not exceed; zero when there are none.
    pub fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into a sample, far below 2^52"
        )]
        let index = (last as f64 * share).round() as usize;
        Duration::from_nanos(sorted.get(index).copied().unwrap_or(0))
    }

    /// The middle one.
    pub fn p50(&self) -> Duration {
        self.percentile(0.50)
    }

    /// What one in a hundred exceeds.
    pub fn p99(&self) -> Duration {
        self.percentile(0.99)
    }
}

impl Extend<u64> for Latencies {
    fn extend<T: IntoIterator<Item = u64>>(&mut self, latencies: T) {
        self.0.extend(latencies);
    }
}

/// The middle value, or zero when there is none (the mean of the two in the middle when even).
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match (sorted.get(half), sorted.len() % 2) {
        (None, _) => 0.0,
        (Some(upper), 1) => *upper,
        (Some(upper), _) => (sorted.get(half - 1).unwrap_or(upper) + upper) / 2.0,
    }
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// A count as the number that tables divide.
pub fn count(value: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
    let number = value as f64;
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_members_of_the_sample() {
        let mut latencies = Latencies::default();
        latencies.extend((1..=100).rev().map(|n| n * 1_000));
        assert_eq!(latencies.percentile(0.0), Duration::from_micros(1));
        assert_eq!(latencies.p99(), Duration::from_micros(99));
        assert_eq!(latencies.percentile(1.0), Duration::from_micros(100));
        assert_eq!(Latencies::default().p50(), Duration::ZERO);
    }

    #[test]
    fn the_median_of_an_even_sample_lies_between_its_middle_two() {
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!((median(&[9.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }
}

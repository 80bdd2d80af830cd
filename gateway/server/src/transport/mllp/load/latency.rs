//! Latencies in fixed memory: a histogram whose buckets are at most 1.6 % wide, from 1 us to about an hour.

use std::time::Duration;

use serde::Serialize;

/// Buckets for each doubling.
const FINE: u64 = 64;
/// Values at and above 2^32 us share the last bucket.
const BUCKETS: usize = 64 * 27;

/// Counted latencies.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    all: u64,
    sum: u64,
    max: u64,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half were faster.
    pub p50: f64,
    /// Nine of ten were faster.
    pub p90: f64,
    /// All but one of a hundred were faster.
    pub p99: f64,
    /// All but one of a thousand were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            all: 0,
            sum: 0,
            max: 0,
        }
    }
}

impl Histogram {
    pub(super) fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count += 1;
        }
        self.all += 1;
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.all += other.all;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    pub(super) fn latency(&self) -> Latency {
        Latency {
            p50: millis(self.at(500)),
            p90: millis(self.at(900)),
            p99: millis(self.at(990)),
            p999: millis(self.at(999)),
            max: millis(self.max),
            mean: millis(self.sum.checked_div(self.all).unwrap_or(0)),
        }
    }

    /// The upper edge of the bucket that holds the value at so many thousandths (nearest rank).
    fn at(&self, thousandths: u64) -> u64 {
        let rank = (self.all * thousandths).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return edge(index as u64).min(self.max);
            }
        }
        self.max
    }
}

/// Up to 127 us each has its own bucket; then each doubling has 64.
fn bucket(micros: u64) -> usize {
    let index = match micros.checked_ilog2() {
        None | Some(0..=5) => micros,
        Some(log) => {
            let shift = u64::from(log) - 6;
            FINE * (shift + 1) + (micros >> shift) - FINE
        }
    };
    usize::try_from(index).map_or(BUCKETS - 1, |index| index.min(BUCKETS - 1))
}

/// The largest value of a bucket.
fn edge(index: u64) -> u64 {
    if index < FINE * 2 {
        return index;
    }
    let shift = index / FINE - 1;
    ((index % FINE + FINE + 1) << shift) - 1
}

#[expect(clippy::cast_precision_loss, reason = "a latency is far below 2^53 us")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_known_values_are_within_a_bucket() {
        let mut histogram = Histogram::default();
        for micros in 1..=100_000 {
            histogram.add(Duration::from_micros(micros));
        }
        let latency = histogram.latency();
        for (got, want) in [
            (latency.p50, 50.0),
            (latency.p90, 90.0),
            (latency.p99, 99.0),
            (latency.p999, 99.9),
        ] {
            assert!(got >= want && got <= want * 1.016, "{got} for {want}");
        }
        assert!((latency.max - 100.0).abs() < 1e-9);
        assert!((latency.mean - 50.0).abs() < 0.01);
    }

    #[test]
    fn every_value_lies_in_its_bucket_and_buckets_follow_each_other() {
        for micros in (0..5_000).chain([65_535, 65_536, 1 << 31, (1 << 32) - 1]) {
            let index = bucket(micros) as u64;
            assert!(micros <= edge(index), "{micros}");
            assert!(index == 0 || micros > edge(index - 1), "{micros}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn nothing_counted_is_all_zero_and_merging_adds() {
        let mut all = Histogram::default();
        assert_eq!(all.latency(), Latency::default());
        let mut one = Histogram::default();
        one.add(Duration::from_millis(2));
        all.merge(&one);
        all.merge(&one);
        assert_eq!(all.all, 2);
        assert!((all.latency().p50 - 2.0).abs() < 1e-9);
    }
}

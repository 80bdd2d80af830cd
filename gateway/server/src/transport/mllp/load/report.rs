//! What a load run found, for a machine (serde) and for a person (a table).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::latency::{Histogram, Latency};

/// What a load run found.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// Connections used.
    pub connections: usize,
    /// Messages sent.
    pub sent: u64,
    /// Messages whose replies all came.
    pub answered: u64,
    /// Messages without a reply in time, or whose connection broke.
    pub failed: u64,
    /// Replies that belonged to no message that waited.
    pub unmatched: u64,
    /// From the first message to the last reply.
    pub seconds: f64,
    /// Answered messages a second.
    pub per_second: f64,
    /// Bytes of messages sent, with framing.
    pub bytes_sent: u64,
    /// From sending to the last reply that was waited for, in milliseconds. At a given rate a message that was due while
    /// its connection was busy counts from when it was due.
    pub latency_ms: Latency,
    /// How often each acknowledgement code came; `-` is a reply without MSA.
    pub codes: BTreeMap<String, u64>,
    /// How often each failure happened.
    pub errors: BTreeMap<String, u64>,
}

impl LoadReport {
    /// Whether every message was answered, and none negatively.
    pub fn is_fine(&self) -> bool {
        let negative = |code: &String| !matches!(code.as_str(), "AA" | "CA");
        self.failed == 0 && self.errors.is_empty() && !self.codes.keys().any(negative)
    }
}

/// What one connection counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) unmatched: u64,
    pub(super) bytes_sent: u64,
    pub(super) latency: Histogram,
    pub(super) codes: BTreeMap<Vec<u8>, u64>,
    pub(super) errors: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn code(&mut self, code: &[u8]) {
        if let Some(count) = self.codes.get_mut(code) {
            *count += 1;
        } else if self.codes.len() < 64 {
            // A lying peer gets no unbounded table out of us.
            self.codes.insert(code.get(..8).unwrap_or(code).to_vec(), 1);
        }
    }

    pub(super) fn error(&mut self, text: String) {
        *self.errors.entry(text).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.failed += other.failed;
        self.unmatched += other.unmatched;
        self.bytes_sent += other.bytes_sent;
        self.latency.merge(&other.latency);
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(super) fn report(self, connections: usize, took: Duration) -> LoadReport {
        let seconds = took.as_secs_f64();
        LoadReport {
            connections,
            sent: self.sent,
            answered: self.answered,
            failed: self.failed,
            unmatched: self.unmatched,
            seconds,
            per_second: if seconds > 0.0 {
                self.answered as f64 / seconds
            } else {
                0.0
            },
            bytes_sent: self.bytes_sent,
            latency_ms: self.latency.latency(),
            codes: self
                .codes
                .into_iter()
                .map(|(code, count)| (name(&code), count))
                .collect(),
            errors: self.errors,
        }
    }
}

fn name(code: &[u8]) -> String {
    if code.is_empty() {
        return "-".to_owned();
    }
    code.escape_ascii().to_string()
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} messages over {} connections in {:.2} s: {} answered, {} failed",
            self.sent, self.connections, self.seconds, self.answered, self.failed
        )?;
        writeln!(f, "{:.0} messages/s", self.per_second)?;
        let latency = self.latency_ms;
        writeln!(
            f,
            "latency  {:>10} {:>10} {:>10} {:>10} {:>10}",
            "p50", "p90", "p99", "p99.9", "max"
        )?;
        writeln!(
            f,
            "ms       {:>10.3} {:>10.3} {:>10.3} {:>10.3} {:>10.3}",
            latency.p50, latency.p90, latency.p99, latency.p999, latency.max
        )?;
        for (code, count) in &self.codes {
            writeln!(f, "reply {code:<4} {count:>10}")?;
        }
        for (error, count) in &self.errors {
            writeln!(f, "error {count:>10}  {error}")?;
        }
        Ok(())
    }
}

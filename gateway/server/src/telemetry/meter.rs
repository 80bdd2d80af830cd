//! Counters by listener and message type: a few atomic additions a message, and a look-up without allocation. How many
//! there can be is bounded, whatever senders write.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::label::{OTHER, label};
use super::{Stages, TraceId};

/// Message types of one listener that are told apart; further ones count as `other`.
const TYPES: usize = 64;

/// What is counted of one message type of one listener.
#[derive(Debug)]
pub struct Slot {
    /// The listener.
    pub listener: Arc<str>,
    /// The message type, or `other`.
    pub message_type: Arc<str>,
    /// Messages whose work began.
    pub received: AtomicU64,
    /// Messages answered positively.
    pub accepted: AtomicU64,
    /// Messages answered negatively.
    pub refused: AtomicU64,
    /// Times that a service did not evaluate a message.
    pub not_evaluated: AtomicU64,
    /// From receipt to the kept answer.
    pub latency: Latency,
}

/// A message that was answered and is kept.
#[derive(Debug, Clone)]
pub struct Ended<'a> {
    /// Where it counts.
    pub slot: &'a Slot,
    /// Its trace.
    pub trace: TraceId,
    /// Its number.
    pub number: u64,
    /// Whether the answer was positive.
    pub positive: bool,
    /// Whether it was a resend, answered as before; such do not count as answered.
    pub again: bool,
    /// Services that did not evaluate it.
    pub not_evaluated: u64,
    /// When it was received.
    pub received: jiff::Timestamp,
    /// From receipt to the kept answer.
    pub took: Duration,
    /// Its steps, where it is traced.
    pub stages: Option<Stages>,
}

impl Slot {
    fn new(listener: &str, message_type: &str) -> Self {
        Self {
            listener: listener.into(),
            message_type: message_type.into(),
            received: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            not_evaluated: AtomicU64::new(0),
            latency: Latency::default(),
        }
    }

    pub(super) fn ended(&self, ended: &Ended<'_>) {
        self.latency.add(ended.took);
        if ended.not_evaluated > 0 {
            self.not_evaluated.fetch_add(ended.not_evaluated, Ordering::Relaxed);
        }
        let count = if ended.positive { &self.accepted } else { &self.refused };
        if !ended.again {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A histogram of durations.
#[derive(Debug, Default)]
pub struct Latency {
    counts: [AtomicU64; Self::BOUNDS.len()],
    beyond: AtomicU64,
    micros: AtomicU64,
}

impl Latency {
    /// Upper bounds of the buckets in microseconds, from half a millisecond to ten seconds.
    pub const BOUNDS: [u64; 14] = [
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000,
    ];

    fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = Self::BOUNDS
            .iter()
            .zip(&self.counts)
            .find(|(bound, _)| micros <= **bound);
        bucket
            .map_or(&self.beyond, |(_, count)| count)
            .fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// How many took at most each bound, how many there were in all, and their sum in seconds.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a process stay below 2^53")]
    pub fn read(&self) -> (Vec<(u64, u64)>, u64, f64) {
        let mut so_far = 0;
        let mut up_to = Vec::with_capacity(Self::BOUNDS.len());
        for (bound, count) in Self::BOUNDS.iter().zip(&self.counts) {
            so_far += count.load(Ordering::Relaxed);
            up_to.push((*bound, so_far));
        }
        let all = so_far + self.beyond.load(Ordering::Relaxed);
        (up_to, all, self.micros.load(Ordering::Relaxed) as f64 / 1e6)
    }
}

/// The message types of one listener.
type Types = HashMap<Arc<str>, Arc<Slot>>;

/// The counters of a gateway.
#[derive(Debug, Default)]
pub struct Meter {
    slots: RwLock<HashMap<Arc<str>, Types>>,
}

impl Meter {
    /// Where a message of a listener counts.
    pub fn slot(&self, listener: &str, message_type: &str) -> Arc<Slot> {
        let name = label(message_type);
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let found = slots.get(listener).and_then(|types| types.get(name)).cloned();
        drop(slots);
        found.unwrap_or_else(|| self.made(listener, name))
    }

    /// Listeners are configured, so only the types need a bound.
    fn made(&self, listener: &str, name: &str) -> Arc<Slot> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let types = slots.entry(listener.into()).or_default();
        let name = if types.len() < TYPES { name } else { OTHER };
        let new = || Arc::new(Slot::new(listener, name));
        Arc::clone(types.entry(name.into()).or_insert_with(new))
    }

    /// All of them, in order of listener and type.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Arc<Slot>> = slots.values().flat_map(HashMap::values).cloned().collect();
        drop(slots);
        all.sort_by(|a, b| (&a.listener, &a.message_type).cmp(&(&b.listener, &b.message_type)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_cannot_make_counters_without_end() {
        let meter = Meter::default();
        for number in 0..1_000 {
            let letter = char::from(b'A' + u8::try_from(number / 100).unwrap());
            let slot = meter.slot("lab", &format!("ADT^{letter}{:02}", number % 100));
            slot.received.fetch_add(1, Ordering::Relaxed);
        }
        let slots = meter.slots();
        assert_eq!(slots.len(), TYPES + 1);
        let other = slots.iter().find(|slot| &*slot.message_type == OTHER).unwrap();
        assert_eq!(other.received.load(Ordering::Relaxed), 1_000 - TYPES as u64);
    }

    #[test]
    fn buckets_hold_what_is_at_most_their_bound() {
        let latency = Latency::default();
        for micros in [1, 500, 501, 20_000_000] {
            latency.add(Duration::from_micros(micros));
        }
        let (up_to, all, seconds) = latency.read();
        assert_eq!(up_to[..2], [(500, 2), (1_000, 3)]);
        assert_eq!((up_to[13], all), ((10_000_000, 3), 4));
        assert!((seconds - 20.001_002).abs() < 1e-9, "{seconds}");
    }
}

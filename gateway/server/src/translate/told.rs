//! What the joint tells of one message: that its work began, and how it ended. Numbers and labels only.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use causeway_core::{Answer, Receipt};
use jiff::Timestamp;

use crate::telemetry::{self, Ended, Slot, Telemetry, TraceId};

/// A message whose work began.
#[derive(Debug)]
pub(super) struct Told {
    slot: Arc<Slot>,
    trace: TraceId,
    number: u64,
    received: Timestamp,
    not_evaluated: u64,
}

impl Told {
    /// Counts it as received; the type is empty where nothing could be made of it.
    pub(super) fn began(telemetry: &Telemetry, receipt: &Receipt, message_type: &str) -> Self {
        let frame = receipt.frame();
        let slot = telemetry.meter.slot(&frame.listener, message_type);
        slot.received.fetch_add(1, Ordering::Relaxed);
        Self {
            slot,
            trace: TraceId::of(receipt.number(), frame),
            number: receipt.number(),
            received: frame.received,
            not_evaluated: 0,
        }
    }

    /// Takes note of a part's answer.
    pub(super) fn part(&mut self, answer: &Answer) {
        let missing = answer.findings.iter().filter(|finding| finding.code == "not-evaluated");
        self.not_evaluated += missing.count() as u64;
    }

    /// The answer is kept.
    pub(super) fn ended(&self, telemetry: &Telemetry, positive: bool, again: bool) {
        let took = Timestamp::now().duration_since(self.received);
        telemetry.ended(&Ended {
            slot: &self.slot,
            trace: self.trace,
            number: self.number,
            positive,
            again,
            not_evaluated: self.not_evaluated,
            received: self.received,
            // A clock that was set back makes no time negative.
            took: took.try_into().unwrap_or_default(),
            stages: telemetry::stages(),
        });
    }
}

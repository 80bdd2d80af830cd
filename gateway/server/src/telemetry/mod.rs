//! What the gateway tells of itself while it runs: counters by listener and message type, a trace id for every message and
//! in every line of it, an invariant that is checked all the time, and all of it for Prometheus and OpenTelemetry. Nothing
//! of a patient is ever among it: labels are bounded and of a closed form, and texts of messages do not come here.

mod balance;
mod deliveries;
mod family;
mod gather;
mod label;
mod lines;
mod meter;
mod options;
mod otlp;
mod stages;
mod trace;

use std::sync::{Arc, OnceLock};

use causeway_core::Frame;

pub use balance::Balance;
pub use family::{Family, Kind, Sample, prometheus};
pub use gather::gather;
pub use label::label;
pub use lines::{Lines, subscribe};
pub use meter::{Ended, Latency, Meter, Slot};
pub use options::Telemetry as Options;
pub use otlp::{Otlp, Started};
pub use stages::Stages;
pub(crate) use trace::stages;
pub use trace::{Caller, TraceId, stage};

/// An attempt to deliver that ended.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The destination's name.
    pub destination: &'a str,
    /// Number of the message's frame.
    pub number: u64,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// When it began.
    pub begun: jiff::Timestamp,
    /// [`Delivery::DONE`], or the class of the failure.
    pub outcome: &'static str,
    /// Its own span, as the receiver was told.
    pub ours: Caller,
    /// The span that the message came from.
    pub caller: Option<Caller>,
}

impl Delivery<'_> {
    /// The outcome of one that the peer has.
    pub const DONE: &'static str = "delivered";
}

/// What the joints of a gateway tell.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Counters.
    pub meter: Meter,
    /// Whether the log's numbers agree.
    pub balance: Balance,
    otlp: OnceLock<Arc<Otlp>>,
}

impl Telemetry {
    /// Exports from now on; only the first exporter counts.
    pub fn export(&self, otlp: Arc<Otlp>) {
        drop(self.otlp.set(otlp));
    }

    /// The exporter, where one is configured.
    pub fn otlp(&self) -> Option<&Arc<Otlp>> {
        self.otlp.get()
    }

    /// Where the steps of a message are told, where somebody collects them and this one is among those that are traced.
    pub fn stages(&self, trace: TraceId, frame: &Frame) -> Option<Stages> {
        let otlp = self.otlp.get()?;
        let caller = Caller::of(frame);
        otlp.traces(trace, caller).then(|| Stages::new(caller))
    }

    /// The span of an attempt that begins now to make a delivery, by its number, of a frame's message.
    pub fn attempt(&self, number: u64, frame: &Frame, delivery: u64) -> Caller {
        let trace = TraceId::of(number, frame);
        let sampled = self
            .otlp
            .get()
            .is_some_and(|otlp| otlp.traces(trace, Caller::of(frame)));
        Caller {
            trace,
            span: trace::span(trace, delivery, jiff::Timestamp::now()),
            sampled,
        }
    }

    /// Tells of an attempt where somebody collects traces.
    pub fn delivery(&self, told: &Delivery<'_>) {
        if let Some(otlp) = self.otlp.get().filter(|_| told.ours.sampled) {
            otlp.delivery(told);
        }
    }

    /// Counts a message that was answered and is kept, and tells it where somebody collects traces.
    pub fn ended(&self, ended: &Ended<'_>) {
        ended.slot.ended(ended);
        if let (Some(otlp), Some(stages)) = (self.otlp.get(), &ended.stages) {
            otlp.message(ended, stages);
        }
    }
}

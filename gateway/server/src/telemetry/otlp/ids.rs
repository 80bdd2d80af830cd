//! Gives a span the trace id of its message, and the id under which others were told of it. The SDK asks for ids while it
//! makes a span, on the thread that makes it.

use std::cell::Cell;

use opentelemetry::trace::{SpanId, TraceId as Id};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::telemetry::TraceId;

thread_local! {
    static NEXT: Cell<u128> = const { Cell::new(0) };
    static SPAN: Cell<u64> = const { Cell::new(0) };
}

/// While it lives, spans made on this thread belong to a trace.
pub(super) struct Given;

/// Gives the spans that this thread makes a trace.
pub(super) fn this_thread(trace: TraceId) -> Given {
    NEXT.set(trace.get());
    Given
}

/// The same, and the next span its id.
pub(super) fn this_span(trace: TraceId, span: u64) -> Given {
    SPAN.set(span);
    this_thread(trace)
}

impl Drop for Given {
    fn drop(&mut self) {
        NEXT.set(0);
        SPAN.set(0);
    }
}

/// The given trace, and random ids where none is given.
#[derive(Debug, Default)]
pub(super) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> Id {
        match NEXT.get() {
            0 => self.0.new_trace_id(),
            given => Id::from(given),
        }
    }

    fn new_span_id(&self) -> SpanId {
        match SPAN.take() {
            0 => self.0.new_span_id(),
            given => SpanId::from(given),
        }
    }
}

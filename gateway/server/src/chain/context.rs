//! Opens the exchange for the stages below: the span that every log line of them stands in. It names the frame, never
//! the patient.

use causeway_core::{Answer, Exchange};
use tracing::Instrument;

use super::{Link, Next, Stage};

#[derive(Debug, Clone, Copy)]
pub(super) struct Opened;

impl Stage for Opened {
    async fn run<N: Link>(self, exchange: Exchange, next: Next<N>) -> Answer {
        let span = tracing::debug_span!(
            "exchange",
            number = exchange.receipt.number(),
            part = exchange.part,
            listener = %exchange.receipt.frame().listener,
            message_type = crate::telemetry::label(&exchange.context.message_type), // what a sender wrote there may be a name
        );
        next.run(exchange).instrument(span).await
    }
}

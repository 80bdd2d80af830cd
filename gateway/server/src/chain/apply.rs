//! Puts what the sender asks to be written in order: each resource gets its version, or the exchange what stands against it.
//! Nothing is written here; that follows from the log.

use std::sync::Arc;

use causeway_core::answer::Applied;
use causeway_core::finding::gravest;
use causeway_core::{Actor, ActorKind, Answer, Bundle, Class, Exchange, Finding, Severity, Text};

use super::{Link, Next, Stage};
use crate::resources::Sequencer;

#[derive(Debug, Clone)]
pub(super) struct Apply {
    pub(super) sequencer: Arc<Sequencer>,
}

impl Stage for Apply {
    const NAME: Option<&'static str> = Some("apply");

    async fn run<N: Link>(self, mut exchange: Exchange, next: Next<N>) -> Answer {
        if exchange.verbatim && gravest(&exchange.findings) != Some(Severity::Error) {
            self.order(&mut exchange).await;
        }
        next.run(exchange).await
    }
}

impl Apply {
    async fn order(&self, exchange: &mut Exchange) {
        if !self.sequencer.ready().await {
            exchange.remark(behind());
            return;
        }
        let (number, received) = (exchange.receipt.number(), exchange.received);
        match self.sequencer.order(&exchange.bundle.tree, number, received) {
            Ok(applied) => settle(exchange, applied),
            Err(problems) => problems.into_iter().for_each(|problem| exchange.remark(problem)),
        }
    }
}

/// What a condition found has another id than what would have been made; whoever refers to it must name that one.
fn settle(exchange: &mut Exchange, applied: Vec<Applied>) {
    if causeway_fhir::is_elsewhere(&exchange.bundle.tree, &applied) {
        let mut bundle = Bundle::clone(&exchange.bundle);
        causeway_fhir::settle(&mut bundle.tree, &applied);
        exchange.bundle = Arc::new(bundle);
    }
    exchange.applied = applied;
}

fn behind() -> Finding {
    let text = Text::new("资源库落后，请稍后重试", "the resources are behind; try again");
    let by = Actor::new(ActorKind::Gateway, "apply");
    Finding::new("behind", Severity::Error, Class::Busy, by, text)
}

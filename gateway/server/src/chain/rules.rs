//! Runs the rule packs in force. A rule that breaks is never skipped in silence: it leaves a remark, and its pack says
//! whether the message goes on, is held, or is refused.

use causeway_core::rule::Fail;
use causeway_core::{Answer, Exchange, Verdict};

use super::{Link, Next, RuleSource, Stage};
use crate::guard;

#[derive(Clone)]
pub(super) struct Rules {
    pub(super) source: RuleSource,
}

impl Stage for Rules {
    const NAME: Option<&'static str> = Some("rules");

    async fn run<N: Link>(self, mut exchange: Exchange, next: Next<N>) -> Answer {
        let ran = (self.source)(&exchange);
        exchange.rules = ran.snapshot.or(exchange.rules);
        for finding in ran.findings {
            exchange.remark(finding);
        }
        if !ran.defects.is_empty() {
            guard::count(ran.defects.len());
        }
        match ran.broken {
            Some(Fail::Hold) => exchange.answer(Verdict::Held),
            Some(Fail::Refuse) => exchange.answer(Verdict::Failed { retry: true }),
            Some(Fail::Remark) | None => next.run(exchange).await,
        }
    }
}

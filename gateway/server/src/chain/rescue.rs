//! Whatever panics below becomes an answer "failed, try again", with a finding that says it was our defect. Nothing else
//! is decided here.

use std::panic::AssertUnwindSafe;

use causeway_core::{Actor, ActorKind, Answer, Class, Exchange, Finding, Severity, Text, Verdict};
use futures_util::FutureExt;

use super::{Link, Next, Stage};
use crate::guard::defect;

#[derive(Debug, Clone, Copy)]
pub(super) struct Rescue;

impl Stage for Rescue {
    async fn run<N: Link>(self, exchange: Exchange, next: Next<N>) -> Answer {
        let spare = exchange.clone(); // a few reference counts
        match AssertUnwindSafe(next.run(exchange)).catch_unwind().await {
            Ok(answer) => answer,
            Err(panic) => {
                let _fault = defect("chain", panic.as_ref());
                rescued(spare)
            }
        }
    }
}

fn rescued(mut exchange: Exchange) -> Answer {
    let text = Text::new(
        "网关内部缺陷，消息已保存，请稍后重发",
        "a defect of the gateway; the message is kept, send it again later",
    );
    let by = Actor::new(ActorKind::Gateway, "rescue");
    exchange.remark(Finding::new(
        "gateway-defect",
        Severity::Error,
        Class::Internal,
        by,
        text,
    ));
    exchange.answer(Verdict::Failed { retry: true })
}

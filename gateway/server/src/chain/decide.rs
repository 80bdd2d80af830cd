//! The end of the chain: the verdict follows from the gravest finding and nothing else. An error refuses, any other
//! remark is a remark, silence is acceptance.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use causeway_core::finding::gravest;
use causeway_core::{Answer, Exchange, Severity, Verdict};
use tower::Service;

#[derive(Debug, Clone, Copy)]
pub(super) struct Decide;

impl Service<Exchange> for Decide {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let verdict = match gravest(&exchange.findings) {
            None => Verdict::Accepted,
            Some(Severity::Information | Severity::Warning) => Verdict::Remarked,
            Some(Severity::Error) => Verdict::Refused,
        };
        ready(Ok(exchange.answer(verdict)))
    }
}

//! Says who else is to get what was decided. It stands around all that decides, so that an answer is delivered on whichever
//! stage gave it; an answer that a defect cut short is delivered to nobody.

use std::sync::Arc;

use causeway_core::{Answer, Exchange};

use super::{Link, Next, Stage};
use crate::outbox::Post;

#[derive(Debug, Clone)]
pub(super) struct Deliver {
    pub(super) post: Post,
}

impl Stage for Deliver {
    async fn run<N: Link>(self, exchange: Exchange, next: Next<N>) -> Answer {
        let frame = Arc::clone(exchange.receipt.frame());
        let mut answer = next.run(exchange).await;
        answer.deliveries.extend(self.post.of(&frame, &answer));
        answer
    }
}

//! The parts of a large frame on their way into the log: handed over in batches while later ones are still being decided,
//! so that memory does not grow with the frame, and found again when a crash made it run a second time.

use std::collections::VecDeque;
use std::sync::Arc;

use causeway_core::store::{Decided, Facts};
use causeway_core::{Adapter, Answer, Bundle};

use super::Joint;
use super::work::{Job, keep};

/// Parts of a batch.
const PARTS: usize = 256;
/// Bytes of a batch.
const BYTES: usize = 8 << 20;
/// A frame that is smaller has fewer parts than a batch.
const SMALL: u64 = 64 << 10;

/// What is decided of a frame.
pub(super) struct Batches {
    number: u64,
    /// What an earlier run decided, in order.
    earlier: VecDeque<Decided>,
    /// What the log does not have yet.
    pub(super) last: Vec<Decided>,
    bytes: usize,
}

impl Batches {
    /// Those of a frame, with what an earlier run of it decided.
    pub(super) async fn of<A: Adapter>(joint: &Joint<A>, job: &Job<A>) -> Self {
        let number = job.receipt.number();
        let frame = job.receipt.frame();
        let large = frame
            .head
            .spooled()
            .map_or(frame.body.len() as u64, |spooled| spooled.length)
            >= SMALL;
        let earlier = if job.resumed && large {
            let store = Arc::clone(joint.house.inbox.store());
            let read = tokio::task::spawn_blocking(move || store.outcome(number)).await;
            read.ok().and_then(Result::ok).flatten().map(|ended| ended.decided)
        } else {
            None
        };
        Self {
            number,
            earlier: earlier.unwrap_or_default().into(),
            last: Vec::new(),
            bytes: 0,
        }
    }

    /// What an earlier run decided of a part. Parts are asked for in order.
    pub(super) fn earlier(&mut self, part: u32) -> Option<Answer> {
        let decided = self.earlier.pop_front_if(|decided| decided.part == part)?;
        let facts: Facts = serde_json::from_slice(&decided.facts).ok()?;
        Some(Answer {
            verdict: decided.verdict,
            part,
            bundle: Arc::new(Bundle::default()),
            context: Arc::new(facts.context),
            findings: facts.findings,
            deliveries: Vec::new(),
            applied: Vec::new(),
            rules: facts.rules.map(Arc::from),
        })
    }

    /// Takes an answer, and hands over what came together when it is enough.
    pub(super) fn push<A: Adapter>(&mut self, joint: &Joint<A>, answer: Answer) -> Answer {
        let decided = keep(&answer);
        self.bytes += decided.bundle.len() + decided.facts.len();
        self.last.push(decided);
        if self.last.len() >= PARTS || self.bytes >= BYTES {
            self.bytes = 0;
            let store = joint.house.inbox.store();
            store.decided(self.number, std::mem::take(&mut self.last));
        }
        answer
    }
}

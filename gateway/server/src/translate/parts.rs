//! The parts of a large frame on their way into the log: handed over in batches while later ones are still being decided,
//! so that memory does not grow with the frame, and found again when a crash made it run a second time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use causeway_core::store::{Decided, Facts, Parts};
use causeway_core::{Adapter, Answer, Bundle};
use tokio::sync::oneshot;

use super::Joint;
use super::work::{Job, keep};

/// Parts of a batch.
const PARTS: usize = 256;
/// Bytes of a batch.
const BYTES: usize = 8 << 20;
/// Between two attempts to read while the log is out of order.
const OUTAGE: Duration = Duration::from_millis(500);
/// A frame that is smaller has fewer parts than a batch.
const SMALL: u64 = 64 << 10;

/// What is decided of a frame.
pub(super) struct Batches {
    number: u64,
    /// What an earlier run decided, in order, as far as it is read.
    earlier: VecDeque<Decided>,
    /// Where more of it begins.
    more: Option<u64>,
    /// What the log does not have yet.
    pub(super) last: Vec<Decided>,
    bytes: usize,
    /// Ends when the log has what was handed over last.
    kept: Option<oneshot::Receiver<()>>,
}

impl Batches {
    /// Those of a frame, with what an earlier run of it decided.
    pub(super) fn of<A: Adapter>(job: &Job<A>) -> Self {
        let frame = job.receipt.frame();
        let large = frame
            .head
            .spooled()
            .map_or(frame.body.len() as u64, |spooled| spooled.length)
            >= SMALL;
        Self {
            number: job.receipt.number(),
            earlier: VecDeque::new(),
            more: (job.resumed && large).then_some(0),
            last: Vec::new(),
            bytes: 0,
            kept: None,
        }
    }

    /// What an earlier run decided of a part. Parts are asked for in order.
    pub(super) async fn earlier<A: Adapter>(&mut self, joint: &Joint<A>, part: u32) -> Option<Answer> {
        while self.earlier.is_empty() {
            let from = self.more.take()?;
            let parts = self.read(joint, from).await;
            (self.earlier, self.more) = (parts.decided.into(), parts.next);
        }
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

    /// Reads what an earlier run decided. A log that cannot be read is waited for: what is in it already would be decided, and
    /// delivered, a second time.
    async fn read<A: Adapter>(&self, joint: &Joint<A>, from: u64) -> Parts {
        let number = self.number;
        loop {
            let store = Arc::clone(joint.house.inbox.store());
            let read = tokio::task::spawn_blocking(move || store.decided_earlier(number, from)).await;
            match read {
                Ok(Ok(parts)) => return parts,
                Ok(Err(fault)) => tracing::warn!(number, %fault, "what was decided of a frame cannot be read"),
                Err(_) => {} // a defect, which the panic has said, or the end of the process
            }
            tokio::time::sleep(OUTAGE).await;
        }
    }

    /// Takes an answer, and hands over what came together when it is enough. Waits while the log does not have the batch
    /// before, so that a slow disk holds back the work and does not fill memory.
    pub(super) async fn push<A: Adapter>(&mut self, joint: &Joint<A>, answer: Answer) -> Answer {
        let decided = keep(&answer);
        self.bytes += decided.bundle.len() + decided.facts.len();
        self.last.push(decided);
        if self.last.len() >= PARTS || self.bytes >= BYTES {
            self.bytes = 0;
            if let Some(kept) = self.kept.take() {
                let _kept_or_lost = kept.await; // what is lost is said when the frame ends
            }
            let store = joint.house.inbox.store();
            self.kept = Some(store.decided(self.number, std::mem::take(&mut self.last)));
        }
        answer
    }
}

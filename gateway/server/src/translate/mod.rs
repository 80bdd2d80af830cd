//! The joint between a format and the chain: `Service<Frame>` outside, `Service<Exchange>` inside. It takes the frame's
//! permits, hands it to the inbox, reads and lifts it, and from then on works in a task of its own: a peer that hangs up
//! does not stop accepted work. Every adapter call is guarded. It knows no format and no transport.

mod backlog;
mod brake;
mod parts;
mod refuse;
mod snapshot;
mod told;
mod work;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use causeway_core::inbox::Permits;
use causeway_core::store::Pending;
use causeway_core::{Adapter, Fault, Frame, Inbox, Receipt};
use tokio::sync::oneshot;
use tower::Service;

use crate::audit::Audit;
use crate::lanes::Lanes;
use crate::outbox::Outbox;
use crate::replies::{Outgoing, Replies};
use crate::resources::Sequencer;
use crate::rulebook::Rulebook;
use crate::service::ChainService;
use crate::spool::Spool;
use crate::stamps::Stamps;
use crate::telemetry::{Telemetry, TraceId};

pub use backlog::{Backlog, Running};
pub use brake::Brake;
pub use refuse::{Refuse, RefuseLayer};
use snapshot::Snapshot;

/// What all joints of a gateway share.
#[derive(Debug, Clone)]
pub struct House {
    /// The door for frames.
    pub inbox: Arc<Inbox>,
    /// The chain.
    pub chain: ChainService,
    /// The rules that the chain runs.
    pub rulebook: Arc<Rulebook>,
    /// Order within a patient.
    pub lanes: Lanes,
    /// Times and control ids.
    pub stamps: Arc<Stamps>,
    /// What runs and what is set aside for later.
    pub backlog: Arc<Backlog>,
    /// Counters of what came and went.
    pub counts: Arc<Counts>,
    /// Bodies that are too large for memory and log.
    pub spool: Arc<Spool>,
    /// What is told of it.
    pub telemetry: Arc<Telemetry>,
    /// Who looked at resources.
    pub audit: Audit,
    /// What puts writes of resources in order.
    pub sequencer: Arc<Sequencer>,
    /// Holds frames back while what is made of the log is far behind it.
    pub brake: Arc<Brake>,
    /// The destinations of deliveries.
    pub outbox: Arc<Outbox>,
}

/// What came and went, by the joint's own count.
#[derive(Debug, Default)]
pub struct Counts {
    /// Frames handed to the inbox.
    pub received: AtomicU64,
    /// Frames answered positively.
    pub accepted: AtomicU64,
    /// Frames answered negatively.
    pub refused: AtomicU64,
    /// Frames that could not be kept.
    pub not_kept: AtomicU64,
    /// Resends answered from the log.
    pub again: AtomicU64,
}

/// The joint for one adapter.
pub struct Translate<A: Adapter> {
    joint: Arc<Joint<A>>,
}

/// What a frame's work needs.
pub(crate) struct Joint<A: Adapter> {
    pub(crate) adapter: Arc<A>,
    pub(crate) house: House,
    snapshot: Snapshot,
}

impl<A: Adapter> Joint<A> {
    /// The name of the maps, site and rules in force.
    fn snapshot(&self) -> Arc<str> {
        self.snapshot.with(&self.house.rulebook.current())
    }
}

impl<A: Adapter> std::fmt::Debug for Translate<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Translate")
            .field("adapter", &self.joint.adapter.name())
            .finish_non_exhaustive()
    }
}

impl<A: Adapter> Clone for Translate<A> {
    fn clone(&self) -> Self {
        Self {
            joint: Arc::clone(&self.joint),
        }
    }
}

impl<A: Adapter> Translate<A> {
    /// A joint.
    pub fn new(adapter: Arc<A>, house: House) -> Self {
        let snapshot = Snapshot::of(adapter.snapshot());
        Self {
            joint: Arc::new(Joint {
                adapter,
                house,
                snapshot,
            }),
        }
    }

    /// Runs a frame that the log holds already; its replies are kept and go nowhere until somebody resends. Returns once
    /// the frame has its place, with the work's end.
    ///
    /// # Errors
    /// It cannot be read now.
    pub async fn resume(&self, pending: Pending) -> Result<oneshot::Receiver<Vec<Outgoing>>, Fault> {
        // No waiting for permits here: those who hold them may be waiting for this very frame's patient.
        let permits = self.joint.house.inbox.try_admit(pending.frame.body.len());
        let read = work::read(&self.joint, &pending.frame).await?;
        let patient = read.patient(&self.joint);
        let receipt = self.joint.house.inbox.resume(pending, permits);
        let replies = self.start(receipt, read, true);
        self.joint.house.backlog.unpark(patient.as_deref());
        Ok(replies.answers)
    }

    /// Takes the first part's place and starts the work. No await stands between the receipt and the spawn, so nothing
    /// can leave a frame that is logged and never run.
    fn start(&self, receipt: Receipt, read: work::Read<A>, resumed: bool) -> Replies {
        let (commit_sender, commit) = oneshot::channel();
        let (answers_sender, answers) = oneshot::channel();
        let trace = TraceId::of(receipt.number(), receipt.frame());
        let mut stages = self.joint.house.telemetry.stages(trace, receipt.frame());
        if let Some(stages) = &mut stages {
            stages.begin("receive", receipt.frame().received);
            stages.begin("translate", read.began);
        }
        let job = trace.within(|| work::lift(&self.joint, receipt, read, resumed));
        let commit = job.wants_commit().then_some(commit);
        let run = work::run(Arc::clone(&self.joint), job, commit_sender, answers_sender);
        tokio::spawn(trace.scope_with(stages, run));
        let trace = Some(trace);
        Replies { commit, answers, trace }
    }

    /// Keeps the frame for later and says so.
    fn park(&self, frame: Frame, permits: Permits, read: work::Read<A>) -> Replies {
        let (commit_sender, commit) = oneshot::channel();
        let (answers_sender, answers) = oneshot::channel();
        let house = &self.joint.house;
        let patient = read.patient(&self.joint);
        house.backlog.park(patient.as_deref());
        let receipt = house.inbox.park(frame, permits, self.joint.snapshot());
        let trace = TraceId::of(receipt.number(), receipt.frame());
        let commit = read.commit.map(|reply| {
            let joint = Arc::clone(&self.joint);
            tokio::spawn(trace.scope(async move {
                if !work::say_commit(joint.as_ref(), &receipt, reply, commit_sender).await {
                    joint.house.backlog.unpark(patient.as_deref()); // nothing of it will be claimed
                }
                let _gone = answers_sender.send(Vec::new());
            }));
            commit
        });
        let trace = Some(trace);
        Replies { commit, answers, trace }
    }
}

impl<A: Adapter> Service<Frame> for Translate<A> {
    type Response = Replies;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Replies, Fault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(())) // room is waited for per frame, by its size
    }

    fn call(&mut self, frame: Frame) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let house = &this.joint.house;
            house.brake.turn().await;
            let permits = house.inbox.admit(frame.body.len()).await?;
            let read = work::read(&this.joint, &frame).await?;
            let parks = read.may_wait(&this.joint) && house.backlog.is_busy();
            if parks {
                house.backlog.admits().await;
            } else if let Some(patient) = read.patient(&this.joint)
                && house.backlog.parked() > 0
            {
                house.backlog.clear_of(&patient).await;
            }
            house.counts.received.fetch_add(1, Ordering::Relaxed);
            if parks {
                return Ok(this.park(frame, permits, read));
            }
            let receipt = house.inbox.receive(frame, permits, this.joint.snapshot());
            Ok(this.start(receipt, read, false))
        })
    }
}

//! The work on one frame: read, lift part by part, decide, render, keep, send. Everything here runs detached from the
//! connection that the frame came on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use causeway_core::inbox::Answered;
use causeway_core::store::{Decided, Facts};
use causeway_core::{
    Actor, ActorKind, Adapter, Answer, Arrival, Class, Draft, Exchange, Fault, FaultKind, Finding, Frame, Leave,
    MemorySource, Parsed, Receipt, Reply, ReplyKind, Severity, Text, Verdict,
};
use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::parts::Batches;
use super::told::Told;
use super::{Joint, Running};
use crate::guard::guard;
use crate::lanes::Place;
use crate::replies::Outgoing;
use crate::spool::Body;
use crate::telemetry::{TraceId, stage};

/// A frame that was read and is not in the log yet.
pub(super) struct Read<A: Adapter> {
    source: Body,
    message: Option<A::Message>,
    findings: Vec<Finding>,
    pub(super) commit: Option<Reply>,
    /// When reading began.
    pub(super) began: Timestamp,
}

/// A frame in the log, with its first part lifted and its place taken.
pub(super) struct Job<A: Adapter> {
    pub(super) receipt: Receipt,
    /// It ran before, in this process or another.
    pub(super) resumed: bool,
    read: Read<A>,
    first: Option<Draft>,
    place: Option<Place>,
    running: Running,
}

impl<A: Adapter> Job<A> {
    pub(super) fn wants_commit(&self) -> bool {
        self.read.commit.is_some()
    }
}

impl<A: Adapter> Read<A> {
    /// The key of the patient, where it can be told without lifting.
    pub(super) fn patient(&self, joint: &Joint<A>) -> Option<String> {
        let message = self.message.as_ref()?;
        guard("patient", || joint.adapter.patient(message)).ok().flatten()
    }

    /// Whether the sender is content to hear that the frame is kept.
    pub(super) fn may_wait(&self, joint: &Joint<A>) -> bool {
        let Some(message) = &self.message else { return false };
        self.commit.is_some() && !guard("wants", || joint.adapter.wants_answer(message)).unwrap_or(true)
    }
}

/// A frame of so many bytes is read away from the runtime's workers: the reading may take long.
const LONG: usize = 1 << 20;

/// Reads a frame.
pub(super) async fn read<A: Adapter>(joint: &Arc<Joint<A>>, frame: &Frame) -> Result<Read<A>, Fault> {
    if frame.head.spooled().is_none() && frame.body.len() < LONG {
        return Ok(read_here(joint, frame));
    }
    let (joint, frame) = (Arc::clone(joint), frame.clone());
    let read = tokio::task::spawn_blocking(move || read_here(&joint, &frame)).await;
    read.map_err(|_| Fault::new(FaultKind::Internal, "the message could not be read"))
}

fn read_here<A: Adapter>(joint: &Joint<A>, frame: &Frame) -> Read<A> {
    let began = Timestamp::now();
    let (mut source, lost) = match joint.house.spool.source(frame) {
        Ok(source) => (source, None),
        Err(fault) => (Body::Memory(MemorySource(Bytes::new())), Some(fault)),
    };
    let adapter = joint.adapter.as_ref();
    let parsed = match lost {
        None => guard("parse", || adapter.parse(&frame.head, &mut source)).unwrap_or_else(|fault| broken(&fault)),
        Some(fault) => Parsed::failed(super::refuse::finding(&fault)),
    };
    let stamp = joint.house.stamps.next();
    let commit = parsed
        .value
        .as_ref()
        .and_then(|m| guard("commit", || adapter.commit(m, &stamp)).ok().flatten());
    Read {
        source,
        message: parsed.value,
        findings: parsed.findings,
        commit,
        began,
    }
}

/// Lifts the first part and takes its place.
pub(super) fn lift<A: Adapter>(joint: &Joint<A>, receipt: Receipt, read: Read<A>, resumed: bool) -> Job<A> {
    let running = joint.house.backlog.run();
    let mut job = Job {
        receipt,
        resumed,
        read,
        first: None,
        place: None,
        running,
    };
    job.first = job.lift(joint);
    job.place = job
        .first
        .as_ref()
        .and_then(|d| d.context.patient.as_deref())
        .map(|key| joint.house.lanes.take(key));
    job
}

fn broken<T>(fault: &Fault) -> Parsed<T> {
    let text = Text::new("网关内部缺陷，消息已保存", fault.outside.clone());
    let by = Actor::new(ActorKind::Gateway, "translate");
    Parsed::failed(Finding::new(
        "gateway-defect",
        Severity::Error,
        Class::Internal,
        by,
        text,
    ))
}

impl<A: Adapter> Job<A> {
    /// Lifts the next part; a panic there ends the message with a finding.
    fn lift(&mut self, joint: &Joint<A>) -> Option<Draft> {
        let message = self.read.message.as_mut()?;
        let source = &mut self.read.source;
        let hash = self.receipt.hash();
        match guard("lift", || joint.adapter.next(message, source, hash)) {
            Ok(draft) => draft,
            Err(fault) => {
                let findings = broken::<()>(&fault).findings;
                let context = guard("envelope", || joint.adapter.envelope(message)).unwrap_or_default();
                Some(Draft {
                    context,
                    findings,
                    ..Draft::default()
                })
            }
        }
    }
}

/// Does the work and sends what may be sent.
pub(super) async fn run<A: Adapter>(
    joint: Arc<Joint<A>>,
    job: Job<A>,
    commit: oneshot::Sender<Outgoing>,
    answers: oneshot::Sender<Vec<Outgoing>>,
) {
    job.running.taken_up();
    let receipt = job.receipt.clone();
    if let Some(reply) = job.read.commit.clone() {
        let (joint, receipt) = (Arc::clone(&joint), receipt.clone());
        let trace = TraceId::of(receipt.number(), receipt.frame());
        tokio::spawn(trace.scope(async move { say_commit(&joint, &receipt, reply, commit).await }));
    }
    let ended = std::panic::AssertUnwindSafe(answer(&joint, job)).catch_unwind().await;
    let ended = ended.unwrap_or_else(|panic| Err(crate::guard::defect("translate", panic.as_ref())));
    let outgoing = ended.unwrap_or_else(|fault| {
        joint.house.sequencer.release(&[receipt.number()]); // nothing of it will be applied
        vec![refusal(&joint, &receipt, fault)]
    });
    // A peer that hung up is not an error: the replies are kept.
    let _gone = answers.send(outgoing);
}

/// Says the commit once the frame is on disk; whether the frame is new and kept.
pub(super) async fn say_commit<A: Adapter>(
    joint: &Joint<A>,
    receipt: &Receipt,
    reply: Reply,
    to: oneshot::Sender<Outgoing>,
) -> bool {
    let arrival = receipt.kept().await;
    let new = matches!(arrival, Ok(Arrival::New(_)));
    let outgoing = match arrival {
        Ok(Arrival::New(kept)) => Outgoing {
            leave: Leave::Kept(kept),
            reply,
        },
        // The earlier frame is on disk, so the sender may be told so again.
        Ok(Arrival::Again(_)) => Outgoing {
            leave: Leave::Passing,
            reply,
        },
        Err(fault) => refusal(joint, receipt, fault),
    };
    let _gone = to.send(outgoing);
    new
}

/// Decides every part, renders the replies and keeps it all; only then may anything be sent.
async fn answer<A: Adapter>(joint: &Joint<A>, mut job: Job<A>) -> Result<Vec<Outgoing>, Fault> {
    let telemetry = &joint.house.telemetry;
    let message_type = job.first.as_ref().map_or("", |first| &first.context.message_type);
    let mut told = Told::began(telemetry, &job.receipt, message_type);
    let (decided, replies, positive) = match job.read.message {
        Some(_) => decide(joint, &mut job, &mut told).await,
        None => unreadable(joint, &job),
    };
    stage("commit");
    if let Some(place) = &mut job.place {
        place.turn().await;
    }
    let wait = joint.house.inbox.answered(&job.receipt, decided, replies);
    job.place = None; // the answer is in the writer's hands, in order
    let Answered { kept, sent } = wait.await?;
    let counts = &joint.house.counts;
    match (sent.again, positive) {
        (Some(_), _) => &counts.again,
        (None, true) => &counts.accepted,
        (None, false) => &counts.refused,
    }
    .fetch_add(1, Ordering::Relaxed);
    told.ended(telemetry, positive, sent.again.is_some());
    let leave = Leave::Kept(kept);
    Ok(sent
        .replies
        .iter()
        .map(|reply| Outgoing {
            leave: leave.clone(),
            reply: reply.clone(),
        })
        .collect())
}

async fn decide<A: Adapter>(joint: &Joint<A>, job: &mut Job<A>, told: &mut Told) -> (Vec<Decided>, Vec<Reply>, bool) {
    let mut sum = A::Sum::default();
    let mut parts = Batches::of(job);
    let mut positive = true;
    let mut draft = job.first.take();
    let mut part = 0;
    while let Some(mut next) = draft {
        next.findings.splice(0..0, job.read.findings.drain(..)); // the parser's remarks go with the first part
        let answer = if let Some(answer) = parts.earlier(joint, part).await {
            answer
        } else {
            let answer = ask(joint, Exchange::new(job.receipt.clone(), part, next)).await;
            parts.push(joint, answer).await
        };
        positive &= answer.verdict.is_positive();
        told.part(&answer);
        joint.adapter.add(&mut sum, part, &answer);
        part += 1;
        stage("translate");
        draft = job.lift(joint);
        if draft.is_some() {
            tokio::task::yield_now().await; // a file of many parts must not keep others from the processor
        }
    }
    let decided = parts.last;
    stage("answer");
    let stamp = joint.house.stamps.next();
    let Some(message) = &job.read.message else {
        return (decided, Vec::new(), positive);
    };
    let replies = guard("reply", || joint.adapter.reply(message, sum, &stamp)).unwrap_or_else(|fault| {
        let findings = broken::<()>(&fault).findings;
        vec![refuse(joint, &job.receipt, &findings)]
    });
    (decided, replies, positive)
}

async fn ask<A: Adapter>(joint: &Joint<A>, exchange: Exchange) -> Answer {
    match joint.house.chain.clone().oneshot(exchange).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// A frame that nothing can be made of is kept and refused.
fn unreadable<A: Adapter>(joint: &Joint<A>, job: &Job<A>) -> (Vec<Decided>, Vec<Reply>, bool) {
    let reply = refuse(joint, &job.receipt, &job.read.findings);
    let draft = Draft {
        findings: job.read.findings.clone(),
        ..Draft::default()
    };
    let answer = Exchange::new(job.receipt.clone(), 0, draft).answer(Verdict::Refused);
    (vec![keep(&answer)], vec![reply], false)
}

fn refuse<A: Adapter>(joint: &Joint<A>, receipt: &Receipt, findings: &[Finding]) -> Reply {
    let frame = receipt.frame();
    super::refuse::render(
        joint.adapter.as_ref(),
        &joint.house.stamps,
        &frame.head,
        &frame.body,
        findings,
    )
}

fn refusal<A: Adapter>(joint: &Joint<A>, receipt: &Receipt, fault: Fault) -> Outgoing {
    joint.house.counts.not_kept.fetch_add(1, Ordering::Relaxed);
    if fault.kind != FaultKind::Held {
        tracing::warn!(number = receipt.number(), %fault, "a frame was refused");
    }
    let reply = refuse(joint, receipt, &[super::refuse::finding(&fault)]);
    Outgoing {
        leave: Leave::NotKept(fault),
        reply: Reply {
            kind: ReplyKind::Refusal,
            positive: false,
            ..reply
        },
    }
}

/// Makes an answer ready for the log, on the worker's time and not the writer's.
pub(super) fn keep(answer: &Answer) -> Decided {
    let mut json = Vec::with_capacity(answer.bundle.tree.text_len() * 2);
    causeway_core::fhir::write_compact(&answer.bundle.tree, causeway_core::NodeId::ROOT, &mut json);
    let facts = serde_json::to_vec(&Facts::of(answer, crate::projection::index(&answer.bundle))).unwrap_or_default();
    Decided {
        part: answer.part,
        verdict: answer.verdict,
        bundle: causeway_store::compress(&json),
        facts: Bytes::from(facts),
        deliveries: answer.deliveries.clone(),
    }
}

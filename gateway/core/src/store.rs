//! The log: what a store must promise. It keeps frames, answers and replies in order of arrival and nothing else; how
//! they are searched is the projection's business. One writer serves all; it decides what is a resend, since only it
//! sees frames in order.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

mod deliveries;
mod ended;

pub use deliveries::{Account, Attempt, Audit, Dead, Deliveries, End, Posted, Query, State};
pub use ended::{Ended, Parts, parts_of};

use crate::answer::Applied;
use crate::inbox::Settle;
use crate::{Answer, Delivery, Fault, Frame, Reply, Verdict};

/// A frame on its way into the log.
#[derive(Debug)]
pub struct Entry {
    /// Number given by the inbox, rising.
    pub number: u64,
    /// The frame.
    pub frame: Arc<Frame>,
    /// SHA-256 of its body; same sender and hash within the window is a resend.
    pub hash: [u8; 32],
    /// Hash of maps, rules and site in force: a refused frame runs again when it changed.
    pub snapshot: Arc<str>,
    /// Whether the frame waits to be claimed rather than being run by whoever handed it over.
    pub parked: bool,
    /// Told once the frame is on disk, found to be a resend, or failed.
    pub settle: Settle,
}

/// One part's answer as the log keeps it. Made by the worker, so that the writer only writes.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Number of the part.
    pub part: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// Compact JSON of the bundle, as the store's `compress` leaves it.
    pub bundle: Bytes,
    /// JSON of [`Facts`].
    pub facts: Bytes,
    /// What other systems are to get.
    pub deliveries: Vec<Delivery>,
}

/// What the log keeps of an answer besides verdict and bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// What was known.
    pub context: crate::Context,
    /// What was remarked.
    pub findings: Vec<crate::Finding>,
    /// Name of the rule snapshot that it was decided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// What the message can be found by.
    #[serde(default)]
    pub index: Index,
    /// What became of the resources that were to be written; the versions given stand here for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<Applied>,
    /// Elements that the message says to remove: the resource as `Type/id`, and the element's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<(String, String)>,
}

/// What a business key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// An identifier of the patient.
    Patient = 1,
    /// A placer or filler order number.
    Order = 2,
    /// An accession or specimen number.
    Accession = 3,
    /// A visit number.
    Visit = 4,
}

/// What a message can be found by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Exact keys.
    pub keys: Vec<(KeyKind, String)>,
    /// Full text: names, identifiers, codes and displays, at most 4 KiB.
    pub words: String,
}

impl Facts {
    /// The facts of an answer.
    pub fn of(answer: &Answer, index: Index) -> Self {
        Self {
            context: (*answer.context).clone(),
            findings: answer.findings.clone(),
            rules: answer.rules.as_deref().map(str::to_owned),
            index,
            applied: answer.applied.clone(),
            removed: removed(&answer.bundle),
        }
    }
}

fn removed(bundle: &crate::Bundle) -> Vec<(String, String)> {
    let named = bundle.removed.iter().filter_map(|removal| {
        let text = |name| bundle.tree.get_str(removal.resource, name);
        let name = format!("{}/{}", text("resourceType")?, text("id")?);
        Some((name, removal.element.clone()))
    });
    named.collect()
}

/// The end of a frame's work on its way into the log.
#[derive(Debug)]
pub struct Outcome {
    /// The frame's number.
    pub number: u64,
    /// The last parts' answers.
    pub decided: Vec<Decided>,
    /// Every application reply.
    pub replies: Arc<[Reply]>,
    /// Told, once all of it is on disk, what to send: these replies, or the kept ones of the earlier frame.
    pub sent: oneshot::Sender<Result<Sent, Fault>>,
}

/// What may be sent now.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The replies, in order.
    pub replies: Arc<[Reply]>,
    /// The earlier frame that they belong to, for a resend.
    pub again: Option<u64>,
}

/// A frame that is accepted and not answered.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its number.
    pub number: u64,
    /// The frame.
    pub frame: Arc<Frame>,
    /// Its hash.
    pub hash: [u8; 32],
    /// How many times the process died while it ran.
    pub deaths: u32,
}

/// A frame that was running at so many process deaths is held for an operator.
pub const HELD_AFTER: u32 = 2;

impl Pending {
    /// Whether it is held.
    pub fn is_held(&self) -> bool {
        self.deaths >= HELD_AFTER
    }
}

/// What a decision-support service said of a frame after its budget had passed. It is kept beside the answer and never
/// alters it; no findings means that it evaluated the frame and found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The frame's number.
    pub number: u64,
    /// The part that was asked about.
    pub part: u32,
    /// When it came.
    pub time: Timestamp,
    /// The service's name.
    pub service: String,
    /// What it found.
    pub findings: Vec<crate::Finding>,
    /// Who is to get the message once more for it; they are kept as deliveries, so what is read of the log has none here.
    pub deliveries: Vec<Delivery>,
}

/// One record of the log. Positions are given by the writer at insert and have no holes that fill later.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its position.
    pub position: u64,
    /// The frame's number.
    pub number: u64,
    /// What happened.
    pub event: Event,
}

/// What a record says.
#[derive(Debug, Clone)]
pub enum Event {
    /// A frame was kept.
    Received {
        /// The frame.
        frame: Arc<Frame>,
        /// Its hash.
        hash: [u8; 32],
    },
    /// A resend arrived; `number` is the earlier frame's.
    Again {
        /// When.
        received: Timestamp,
    },
    /// A frame was answered.
    Answered {
        /// When.
        time: Timestamp,
        /// Answers and replies.
        ended: Ended,
    },
    /// A frame was set aside for an operator.
    Held,
    /// A service's result came after its budget.
    Late(Late),
}

impl Event {
    /// When it happened, where the record says so.
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Received { frame, .. } => Some(frame.received),
            Self::Again { received } => Some(*received),
            Self::Answered { time, .. } => Some(*time),
            Self::Held => None,
            Self::Late(late) => Some(late.time),
        }
    }
}

/// How the store is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Why nothing can be kept now; readiness is red while it is set.
    pub broken: Option<String>,
    /// The last position written.
    pub tail: u64,
    /// Frames accepted since the log began.
    pub accepted: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Of these, held.
    pub held: u64,
    /// Commits to disk by this process.
    pub commits: u64,
    /// Records that these wrote; by `commits` the size of a group.
    pub committed: u64,
}

/// The log's counters beside what its tables hold at the same moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    /// Frames accepted since the log began.
    pub accepted: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Of these, held, by the counter.
    pub held: u64,
    /// Frames that are open, counted one by one.
    pub open: u64,
    /// Of these, held.
    pub open_held: u64,
}

impl Open {
    /// Whether nothing is lost: accepted = answered + open, and as many are held as are said to be.
    pub fn agrees(&self) -> bool {
        self.answered.checked_add(self.open) == Some(self.accepted) && self.held == self.open_held
    }
}

impl Health {
    /// Accepted and not answered: pending and held.
    pub fn pending(&self) -> u64 {
        self.accepted.saturating_sub(self.answered)
    }
}

/// The log.
pub trait Store: Send + Sync + 'static {
    /// Hands a frame to the writer. Never blocks; how much is on the way is bounded by the inbox's permits.
    fn receive(&self, entry: Entry);

    /// Somebody waits for this frame to be on disk: commit soon.
    fn want(&self, number: u64);

    /// Hands the last answers and the replies of a frame to the writer. Never blocks.
    fn answered(&self, outcome: Outcome);

    /// Some parts of a large frame are decided; a crash re-runs only what is not. Never blocks; what is returned ends
    /// when they are on disk or cannot be kept, and who hands over more is to wait for it.
    fn decided(&self, number: u64, decided: Vec<Decided>) -> oneshot::Receiver<()>;

    /// Hands a late result to the writer; one of a frame that is not kept any more is dropped. Never blocks.
    fn late(&self, late: Late);

    /// Takes up to `limit` parked frames out, oldest first; they count as running from now.
    ///
    /// # Errors
    /// The log cannot be read.
    fn claim(&self, limit: usize) -> Result<Vec<Pending>, Fault>;

    /// Frames that were running when the last process ended, oldest first, from a number on. Those that ran at two
    /// process deaths are held and not among them.
    ///
    /// # Errors
    /// The log cannot be read.
    fn pending(&self, from: u64, limit: usize) -> Result<Vec<Pending>, Fault>;

    /// The records after a position, in order. Of a large frame's answers only the last are there ([`Ended::earlier`]).
    ///
    /// # Errors
    /// The log cannot be read.
    fn read_from(&self, position: u64, limit: usize) -> Result<Vec<Record>, Fault>;

    /// The frame of a number.
    ///
    /// # Errors
    /// The log cannot be read.
    fn frame(&self, number: u64) -> Result<Option<Pending>, Fault>;

    /// How the work on a number ended; nothing before it is answered. Parts of a large frame that were decided before the last
    /// ones are not in it ([`parts_of`] gives them).
    ///
    /// # Errors
    /// The log cannot be read.
    fn outcome(&self, number: u64) -> Result<Option<Ended>, Fault>;

    /// Some of the answers of a number that were decided before its last ones, from 0 or from where the last call ended.
    ///
    /// # Errors
    /// The log cannot be read.
    fn decided_earlier(&self, number: u64, from: u64) -> Result<Parts, Fault>;

    /// What came late for a number, in order of arrival.
    ///
    /// # Errors
    /// The log cannot be read.
    fn came_late(&self, number: u64) -> Result<Vec<Late>, Fault>;

    /// Drops answered frames received before a time; an unanswered or held frame stays, and one with a delivery that
    /// waits or is dead. Returns how many were dropped.
    ///
    /// # Errors
    /// The log cannot be written.
    fn forget(&self, before: Timestamp) -> Result<u64, Fault>;

    /// What is to be delivered, and what became of it.
    fn deliveries(&self) -> &dyn Deliveries;

    /// How the store is, without waiting for it.
    fn health(&self) -> Health;

    /// The counters, and what is open counted one by one, of one moment.
    ///
    /// # Errors
    /// The log cannot be read.
    fn open_frames(&self) -> Result<Open, Fault>;

    /// The number after the highest ever given.
    fn next_number(&self) -> u64;

    /// Writes what is on the way and closes; later calls fault.
    fn close(&self);
}

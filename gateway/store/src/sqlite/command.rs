//! What callers hand to the writer. Whatever can be made ready before (marks, columns of an answer) is made ready on the
//! caller's thread, so that the writer only writes.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use causeway_core::frame::Head;
use causeway_core::store::{Attempt, Decided, Entry, Late, Outcome, Sent};
use causeway_core::{Delivery, Fault, Reply};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::nanoseconds;
use crate::codec;
use crate::resend::{Sum, mark};

/// Who asked and waits.
pub(super) type Answer<T> = SyncSender<Result<T, Fault>>;
/// Who waits for replies.
pub(super) type Sender = oneshot::Sender<Result<Sent, Fault>>;

#[derive(Debug)]
pub(super) enum Command {
    Receive(Incoming),
    Want(u64),
    Answered(Ending),
    Decided(Partial),
    Late(Advice),
    Claim {
        limit: usize,
        answer: Answer<Vec<u64>>,
    },
    Resume {
        from: u64,
        limit: usize,
        answer: Answer<Vec<u64>>,
    },
    Forget {
        numbers: Vec<u64>,
        answer: Answer<Vec<u64>>,
    },
    Settle(Settling),
    Pause {
        destination: String,
        paused: bool,
        answer: Answer<()>,
    },
    Turn {
        ids: Vec<u64>,
        turn: Turn,
        answer: Answer<Vec<u64>>,
    },
    Close,
}

/// A frame with its columns.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) entry: Entry,
    pub(super) mark: i64,
    pub(super) received: i64,
    pub(super) head: String,
}

impl Incoming {
    pub(super) fn new(entry: Entry) -> Self {
        let frame = &entry.frame;
        Self {
            mark: mark(&frame.sender(), &entry.hash),
            received: nanoseconds(frame.received),
            head: head(&frame.head),
            entry,
        }
    }
}

/// The head's column; a block of MLLP, by far the most frequent, has an empty one.
fn head(head: &Head) -> String {
    match head {
        Head::Mllp => String::new(),
        head => serde_json::to_string(head).unwrap_or_default(),
    }
}

/// The end of a frame's work with its columns.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) number: u64,
    pub(super) time: i64,
    pub(super) parts: Vec<u8>,
    pub(super) sum: Option<Sum>,
    pub(super) deliveries: Vec<(u32, Delivery)>,
    pub(super) replies: Arc<[Reply]>,
    pub(super) replies_column: Vec<u8>,
    pub(super) sent: Sender,
}

impl Ending {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self {
            number: outcome.number,
            time: nanoseconds(Timestamp::now()),
            parts: codec::parts(&outcome.decided),
            sum: Sum::of(&outcome.decided),
            deliveries: deliveries(outcome.decided),
            replies_column: codec::replies(&outcome.replies),
            replies: outcome.replies,
            sent: outcome.sent,
        }
    }
}

/// Some parts of a large frame with their columns.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) number: u64,
    pub(super) parts: Vec<u8>,
    pub(super) sum: Sum,
    pub(super) time: i64,
    pub(super) deliveries: Vec<(u32, Delivery)>,
    /// Dropped when they are on disk or cannot be kept.
    _kept: oneshot::Sender<()>,
}

impl Partial {
    /// With what ends when they are on disk or cannot be kept.
    pub(super) fn new(number: u64, decided: Vec<Decided>) -> (Self, oneshot::Receiver<()>) {
        let (kept, wait) = oneshot::channel();
        let partial = Self {
            number,
            parts: codec::parts(&decided),
            sum: Sum::of(&decided).unwrap_or(Sum::Positive),
            time: nanoseconds(Timestamp::now()),
            deliveries: deliveries(decided),
            _kept: kept,
        };
        (partial, wait)
    }
}

/// A late result with its column.
#[derive(Debug)]
pub(super) struct Advice {
    pub(super) late: Late,
    pub(super) findings: String,
}

impl Advice {
    pub(super) fn new(late: Late) -> Self {
        let findings = serde_json::to_string(&late.findings).unwrap_or_default();
        Self { late, findings }
    }
}

/// What came of an attempt, and who waits for it to be on disk.
#[derive(Debug)]
pub(super) struct Settling {
    pub(super) attempt: Attempt,
    pub(super) kept: oneshot::Sender<Result<(), Fault>>,
}

/// What a person decides about deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// They are to be delivered again.
    Back,
    /// They need not be delivered.
    Away,
}

fn deliveries(decided: Vec<Decided>) -> Vec<(u32, Delivery)> {
    let of = |part: Decided| part.deliveries.into_iter().map(move |delivery| (part.part, delivery));
    decided.into_iter().flat_map(of).collect()
}

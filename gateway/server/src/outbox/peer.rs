//! What a kind of peer must do: carry one delivery, and say what became of it. A peer knows one wire and nothing of queues,
//! order, retries or the log; it may be called for several deliveries at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causeway_core::Frame;
use futures_util::future::BoxFuture;

use crate::telemetry::Caller;

/// A delivery on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// An id that follows from the delivery alone, at most 20 characters of `A-Z0-9`: at every attempt, and after a crash, a
    /// receiver sees the same one and can tell a repetition.
    pub control_id: String,
    /// Media type of the bytes.
    pub media_type: String,
    /// What is sent; empty where `file` says where it is.
    pub bytes: Bytes,
    /// The file that is sent, where it is too large for memory: a DICOM object as it was stored, a large body.
    pub file: Option<PathBuf>,
    /// The frame that it tells of.
    pub frame: Arc<Frame>,
    /// That frame's number.
    pub number: u64,
    /// The span of this attempt, in the message's trace; for peers that can be told of it.
    pub span: Caller,
}

#[cfg(test)]
impl Outgoing {
    /// One whose frame has its bytes.
    pub(super) fn of(control_id: &str, media_type: &str, bytes: &'static [u8]) -> Self {
        let bytes = Bytes::from_static(bytes);
        let frame = Frame {
            listener: "lab".into(),
            peer: "p".into(),
            received: jiff::Timestamp::UNIX_EPOCH,
            head: causeway_core::Head::Mllp,
            body: bytes.clone(),
        };
        Self {
            control_id: control_id.to_owned(),
            media_type: media_type.to_owned(),
            bytes,
            file: None,
            frame: Arc::new(frame),
            number: 1,
            span: Caller::read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap(),
        }
    }
}

/// The peer has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The peer's word for it, at most a few characters and nothing of a patient: `AA`, `201`, `0000`.
    pub said: String,
}

impl Delivered {
    /// Delivered, in the peer's word.
    pub fn said(word: impl Into<String>) -> Self {
        Self { said: word.into() }
    }
}

/// Why a delivery did not arrive, by what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// No connection, so nothing was sent. The destination rests; the delivery is not to blame.
    Unreachable,
    /// The peer takes nothing now and said so: 429, 503, a transient rejection of an association. As unreachable.
    Busy,
    /// The peer did not answer in time, or closed the connection instead; whether it has it is not known. The destination
    /// rests, and this is tried again after others.
    Timeout,
    /// The peer could not process it, which may pass: AE, CE, 500. Tried again up to a limit.
    Failed,
    /// The peer will never take it: AR, CR, 400, 422. Dead at once.
    Rejected,
    /// It cannot be made or sent at all: no rendering, lost bytes. Dead at once.
    Broken,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Unreachable,
        Self::Busy,
        Self::Timeout,
        Self::Failed,
        Self::Rejected,
        Self::Broken,
    ];

    /// The word in listings and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Broken => "broken",
        }
    }

    /// Whether trying again is of no use.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Rejected | Self::Broken)
    }
}

/// A delivery did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What follows from it.
    pub class: Class,
    /// What happened, for operators; deliveries that failed alike have the same text, so there is no id in it, and nothing
    /// of a patient: `AE 207`, `HTTP 422`, `connection refused`.
    pub cause: String,
    /// When the peer wants to be asked again, where it says so.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of a class.
    pub fn new(class: Class, cause: impl Into<String>) -> Self {
        Self {
            class,
            cause: cause.into(),
            retry_after: None,
        }
    }
}

/// One peer of a destination. Each call is one attempt and ends by itself within the destination's timeouts. A call may be
/// dropped where the gateway stops; it counts as one that was not made.
pub trait Peer: Send + Sync {
    /// Carries one delivery. A peer that can tell a repetition by `control_id` (or by what is in the bytes) must not take
    /// it for a new one.
    fn deliver(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Delivered, Failure>>;
}

//! The trace id of a message (W3C Trace Context, 3.2.2.3): in every log line of it, in `messages show`, and in exported
//! traces. It follows from what the log keeps of the frame, so a message has the same one after a crash, and nothing is
//! kept for it. A request that is part of its caller's trace belongs to that one.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;

use causeway_core::{Frame, Head};
use jiff::Timestamp;

use super::Stages;

tokio::task_local! {
    /// The message that the running task works on.
    static CURRENT: Current;
}

/// What a task works on.
struct Current {
    trace: TraceId,
    /// Where it is told how long each step took.
    stages: Option<RefCell<Stages>>,
}

/// Whose trace a request is part of, as `traceparent` says (W3C Trace Context, 3.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The trace.
    pub trace: TraceId,
    /// The caller's own span in it; not zero.
    pub span: u64,
    /// Whether the caller's span is recorded, and ours is to be.
    pub sampled: bool,
}

/// Sixteen bytes that are not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// The trace of a frame in the log: its caller's, or one made of its number and the nanosecond it came, which no two
    /// frames share. What is in the frame has no part in it, so it tells nothing of a patient.
    pub fn of(number: u64, frame: &Frame) -> Self {
        if let Some(caller) = Caller::of(frame) {
            return caller.trace;
        }
        let time = nanoseconds(frame.received);
        let (high, low) = (mixed(time), mixed(number ^ mixed(time ^ u64::MAX)));
        Self((u128::from(high) << 64 | u128::from(low)).max(1))
    }

    /// The id as a number.
    pub fn get(self) -> u128 {
        self.0
    }

    /// The trace that the running task works on.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.trace).ok()
    }

    /// Runs work of this trace: every line logged in it names the trace.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        self.scope_with(None, work)
    }

    /// The same, and tells how long each step took.
    pub fn scope_with<F: Future>(self, stages: Option<Stages>, work: F) -> impl Future<Output = F::Output> {
        let stages = stages.map(RefCell::new);
        CURRENT.scope(Current { trace: self, stages }, work)
    }

    /// The same for work that does not wait.
    pub fn within<T>(self, work: impl FnOnce() -> T) -> T {
        let current = Current {
            trace: self,
            stages: None,
        };
        CURRENT.sync_scope(current, work)
    }
}

/// The running task begins the next step of its message; costs next to nothing where nobody traces it.
pub fn stage(name: &'static str) {
    told(|stages| stages.begin(name, Timestamp::now()));
}

/// The steps of the message that the running task worked on, where it is traced.
pub(crate) fn stages() -> Option<Stages> {
    told(std::mem::take)
}

fn told<T>(tell: impl FnOnce(&mut Stages) -> T) -> Option<T> {
    let at_hand = |current: &Current| {
        current
            .stages
            .as_ref()?
            .try_borrow_mut()
            .ok()
            .map(|mut stages| tell(&mut stages))
    };
    CURRENT.try_with(at_hand).ok().flatten()
}

/// The id of a span that begins at a time, of all that have its number in the trace; never zero.
pub(super) fn span(trace: TraceId, number: u64, begun: Timestamp) -> u64 {
    let bytes = trace.get().to_le_bytes();
    let low = bytes.first_chunk::<8>().map_or(0, |low| u64::from_le_bytes(*low));
    mixed(number ^ mixed(low ^ nanoseconds(begun))).max(1)
}

/// The last bits of a time in nanoseconds: more than five hundred years of them.
fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond() & i128::from(u64::MAX)).unwrap_or_default()
}

impl Caller {
    /// The caller of a frame, where there is one.
    pub fn of(frame: &Frame) -> Option<Self> {
        match &frame.head {
            Head::Http(head) if !head.traceparent.is_empty() => Self::read(&head.traceparent),
            _ => None,
        }
    }

    /// What a `traceparent` says: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. A version we do not know is
    /// read by the same places (W3C Trace Context, 4.3); what is malformed names none.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            text.len() == length && text.bytes().all(lower)
        };
        let whole = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
        let ends = version != "00" || parts.next().is_none();
        if !whole || !ends || version == "ff" {
            return None;
        }
        let id = u128::from_str_radix(trace, 16).ok()?;
        let span = u64::from_str_radix(parent, 16).ok()?;
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        (id != 0 && span != 0).then_some(Self {
            trace: TraceId(id),
            span,
            sampled,
        })
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The finaliser of `SplitMix64`: every bit of the result hangs on every bit of the number.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn frame(nanosecond: i128) -> Frame {
        Frame {
            listener: "lab".into(),
            peer: "p".into(),
            received: Timestamp::from_nanosecond(nanosecond).unwrap(),
            head: Head::Mllp,
            body: bytes::Bytes::new(),
        }
    }

    #[test]
    fn the_same_frame_has_the_same_trace_and_no_other_has_it() {
        let first = TraceId::of(7, &frame(1_764_115_200_000_000_000));
        assert_eq!(first, TraceId::of(7, &frame(1_764_115_200_000_000_000)));
        let neighbours: BTreeSet<u128> = (0..50)
            .flat_map(|n| (0..50).map(move |t| TraceId::of(n, &frame(t)).get()))
            .collect();
        assert_eq!(neighbours.len(), 2_500);
        assert_eq!(first.to_string().len(), 32);
    }

    #[test]
    fn a_request_belongs_to_its_callers_trace() {
        let mut asked = frame(7);
        asked.head = Head::Http(Box::new(causeway_core::HttpHead {
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00".to_owned(),
            ..causeway_core::HttpHead::default()
        }));
        for number in [1, 2] {
            assert_eq!(
                TraceId::of(number, &asked).get(),
                0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736
            );
        }
    }

    #[test]
    fn a_traceparent_is_read_as_the_standard_writes_it() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let caller = Caller::read(text).unwrap();
        assert_eq!(caller.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((caller.span, caller.sampled), (0x00f0_67aa_0ba9_02b7, true));
        assert_eq!(caller.to_string(), text);
        assert!(!Caller::read(&text.replace("-01", "-00")).unwrap().sampled);
        let later = text.replacen("00", "cc", 1) + "-more";
        assert!(Caller::read(&later).is_some(), "a version to come");
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(Caller::read(wrong), None, "{wrong}");
        }
    }
}

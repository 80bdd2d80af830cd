//! The trace id of a message (W3C Trace Context, 3.2.2.3): in every log line of it, in `messages show`, and in exported
//! traces. It follows from what the log keeps of the frame, so a message has the same one after a crash, and nothing is
//! kept for it.

use std::fmt;
use std::future::Future;

use causeway_core::Frame;

tokio::task_local! {
    /// The message that the running task works on.
    static CURRENT: TraceId;
}

/// Sixteen bytes that are not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// The trace of a frame in the log: made of its number and the nanosecond it came, which no two frames share. What is
    /// in the frame has no part in it, so it tells nothing of a patient.
    pub fn of(number: u64, frame: &Frame) -> Self {
        let nanoseconds = frame.received.as_nanosecond();
        let time = u64::try_from(nanoseconds & i128::from(u64::MAX)).unwrap_or_default();
        let (high, low) = (mixed(time), mixed(number ^ mixed(time ^ u64::MAX)));
        Self((u128::from(high) << 64 | u128::from(low)).max(1))
    }

    /// The trace that a `traceparent` names: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. A version we do not
    /// know is read by the same places (W3C Trace Context, 4.3); what is malformed names none.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            text.len() == length && text.bytes().all(lower)
        };
        let whole = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
        let ends = version != "00" || parts.next().is_none();
        if !whole || !ends || version == "ff" || parent.bytes().all(|byte| byte == b'0') {
            return None;
        }
        let id = u128::from_str_radix(trace, 16).ok()?;
        (id != 0).then_some(Self(id))
    }

    /// The id as a number.
    pub fn get(self) -> u128 {
        self.0
    }

    /// The trace that the running task works on.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Runs work of this trace: every line logged in it names the trace.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// The same for work that does not wait.
    pub fn within<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
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

    use causeway_core::Head;
    use jiff::Timestamp;

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
    fn a_traceparent_is_read_as_the_standard_writes_it() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let id = TraceId::from_traceparent(text).unwrap();
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(
            TraceId::from_traceparent(&text.replacen("00", "cc", 1)).is_some(),
            "a version to come"
        );
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(TraceId::from_traceparent(wrong), None, "{wrong}");
        }
    }
}

//! What an MLLP or HTTP listener counts.

pub use crate::transport::counters::Counter;
use crate::transport::counters::counters;

counters! {
    /// Connections open now.
    open,
    /// Connections accepted.
    accepted,
    /// Connections closed at once: not among the peers or over a limit.
    turned_away,
    /// Times that accepting failed.
    accept_errors,
    /// Whole frames handed on.
    frames,
    /// Bytes read.
    bytes_in,
    /// Bytes written.
    bytes_out,
    /// Replies written.
    replies,
    /// Bytes that were no frame.
    garbage,
    /// Frames that broke off.
    truncated,
    /// Frames over the limit.
    oversize,
    /// Frames refused because the byte budget stayed exhausted.
    overload,
    /// Connections closed because nothing was said.
    idle_timeouts,
    /// Connections closed because a frame took too long.
    frame_timeouts,
    /// Connections closed because the peer did not read.
    write_timeouts,
    /// Frames whose reply never came; a defect.
    unanswered,
}

//! What a listener on a folder counts.

use crate::transport::counters::counters;

counters! {
    /// Files handed over.
    frames,
    /// Files that ended among the processed.
    processed,
    /// Files that ended among the failed.
    failed,
    /// Files larger than the listener takes.
    oversize,
    /// Times that a file had to wait: it could not be read or kept then.
    put_off,
    /// Replies written.
    replies,
    /// Bytes of the files handed over.
    bytes_in,
}

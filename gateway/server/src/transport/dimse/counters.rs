//! What a DICOM listener counts.

use crate::transport::counters::counters;

counters! {
    /// Connections open now.
    open,
    /// Connections accepted.
    accepted,
    /// Connections closed at once: not among the peers, or far over the limit.
    turned_away,
    /// Times that accepting failed.
    accept_errors,
    /// Associations made.
    associations,
    /// Associations rejected for good: titles, protocol.
    rejected,
    /// Associations rejected for now: too many.
    congested,
    /// Associations that ended otherwise than by a release.
    aborted,
    /// C-ECHO requests answered.
    echoes,
    /// Objects kept.
    stored,
    /// Objects answered with a failure.
    failed,
    /// Objects that broke off; nothing of them is left.
    broken_off,
    /// Bytes of data sets.
    bytes_in,
}

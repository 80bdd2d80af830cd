//! What a DICOM listener counts, for the admin port. Numbers only.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// A number that goes up (and, for what is open, down).
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a DICOM listener counts.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: Counter,)* }

        /// The numbers of one moment.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Counts { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            /// The numbers now.
            pub fn counts(&self) -> Counts {
                Counts { $($name: self.$name.get(),)* }
            }
        }
    };
}

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

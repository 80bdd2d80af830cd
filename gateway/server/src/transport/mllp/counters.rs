//! What a listener counts, for the admin port. Numbers only.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// A number that goes up (and, for what is open, down).
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(in crate::transport) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(in crate::transport) fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a listener counts.
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

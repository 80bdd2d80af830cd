//! How listeners count, for the admin port: numbers only. What each transport counts stands beside it.

use std::sync::atomic::{AtomicU64, Ordering};

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

/// Makes `Counters`, and `Counts` of one moment, of names with their meanings.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a listener counts.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: $crate::transport::counters::Counter,)* }

        /// The numbers of one moment.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        pub struct Counts { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            /// The numbers now.
            pub fn counts(&self) -> Counts {
                Counts { $($name: self.$name.get(),)* }
            }
        }
    };
}

pub(in crate::transport) use counters;

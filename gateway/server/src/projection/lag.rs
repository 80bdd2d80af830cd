//! How far one who follows the log is behind it, and up to what time it is to forget: what others ask it and tell it while it
//! runs.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use causeway_core::store::Record;
use jiff::Timestamp;

/// How far one who follows the log is behind.
#[derive(Debug, Default)]
pub struct Lag {
    position: AtomicU64,
    micros: AtomicU64,
    broken: AtomicBool,
    /// Microseconds since 1970; 0 when nothing is to be forgotten.
    forget: AtomicI64,
}

impl Lag {
    /// The log has dropped frames received before a time: who follows it is to forget them too.
    pub fn forget(&self, before: Timestamp) {
        self.forget.fetch_max(before.as_microsecond(), Ordering::Relaxed);
    }

    /// The last position applied.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Age of the oldest record not applied yet when it was last looked at.
    pub fn behind(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// Whether what is made of the log cannot be written.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    pub(crate) fn applied(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
    }

    pub(crate) fn broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }

    /// These are to be applied next; none when the log has no more.
    pub(crate) fn seen(&self, records: &[Record]) {
        self.micros.store(age(records), Ordering::Relaxed);
    }

    /// What was asked to be forgotten since the last time: before when, in microseconds since 1970.
    pub(crate) fn take_forget(&self) -> Option<i64> {
        let before = self.forget.swap(0, Ordering::Relaxed);
        (before != 0).then_some(before)
    }
}

/// Age of the first record that says when it was, in microseconds.
fn age(records: &[Record]) -> u64 {
    let time = records.iter().find_map(|record| record.event.time());
    let micros = time.map_or(0, |time| Timestamp::now().as_microsecond() - time.as_microsecond());
    u64::try_from(micros).unwrap_or(0)
}

//! Gives replies their time and control id. The id is unique over restarts: the start's second and a counter, at most
//! 18 characters, so that it fits MSH-10 of every version (HL7 v2.1 to v2.9).

use std::sync::atomic::{AtomicU64, Ordering};

use causeway_core::Stamp;
use jiff::Timestamp;

/// Makes stamps.
#[derive(Debug)]
pub struct Stamps {
    start: i64,
    next: AtomicU64,
}

impl Stamps {
    /// Stamps of a process that started now.
    pub fn new(now: Timestamp) -> Self {
        Self {
            start: now.as_second(),
            next: AtomicU64::new(1),
        }
    }

    /// The next stamp.
    pub fn next(&self) -> Stamp {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let control_id = format!("CW{:08X}{number:08X}", self.start);
        Stamp {
            time: Timestamp::now(),
            control_id,
        }
    }
}

//! Holds new frames back while what is made of the log is far behind it: they are let in at the rate at which it catches
//! up. What is in work already, and what is claimed of what was set aside, goes on.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::projection::Lag;

/// Further behind than this, frames are held back.
const BEHIND: Duration = Duration::from_secs(5);
/// Between two looks while one is held back.
const LOOK: Duration = Duration::from_millis(10);
/// Records of an ordinary frame: that it was received and that it was answered.
const RECORDS: u64 = 2;
/// Records saved up at most: a moment's worth, or a pause would let in a flood.
const SAVED: u64 = 1_000;

/// Holds frames back; one without anything to look at never does.
#[derive(Debug, Default)]
pub struct Brake {
    lags: OnceLock<Vec<Arc<Lag>>>,
    room: Mutex<Room>,
}

/// Records that may come.
#[derive(Debug, Default)]
struct Room {
    position: u64,
    records: u64,
}

impl Brake {
    /// From now on it looks at these.
    pub fn watch(&self, lags: Vec<Arc<Lag>>) {
        // A gateway says it once.
        let _once = self.lags.set(lags);
    }

    /// Waits for a frame's turn.
    pub async fn turn(&self) {
        while !self.lets_in() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn lets_in(&self) -> bool {
        let lags = self.lags.get().map_or(&[][..], Vec::as_slice);
        // What cannot be written at all does not get better by waiting.
        let far = lags.iter().filter(|lag| lag.behind() > BEHIND && !lag.is_broken());
        let Some(position) = far.map(|lag| lag.position()).min() else {
            return true;
        };
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let more = position.saturating_sub(room.position);
        room.position = position;
        room.records = (room.records + more).min(SAVED);
        let free = room.records >= RECORDS;
        room.records -= if free { RECORDS } else { 0 };
        free
    }
}

#[cfg(test)]
mod tests {
    use causeway_core::store::{Event, Record};
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    fn seconds_behind(lag: &Lag, seconds: i64) {
        let received = Timestamp::now() - SignedDuration::from_secs(seconds);
        lag.seen(&[Record {
            position: 1,
            number: 1,
            event: Event::Again { received },
        }]);
    }

    #[test]
    fn frames_come_in_as_fast_as_the_slowest_catches_up() {
        let (quick, slow) = (Arc::new(Lag::default()), Arc::new(Lag::default()));
        let brake = Brake::default();
        assert!(brake.lets_in());
        brake.watch(vec![Arc::clone(&quick), Arc::clone(&slow)]);
        seconds_behind(&slow, 4);
        assert!(brake.lets_in());
        seconds_behind(&slow, 6);
        assert!(!brake.lets_in());
        quick.applied(100);
        assert!(!brake.lets_in());
        slow.applied(6);
        assert_eq!([(); 4].map(|()| brake.lets_in()), [true, true, true, false]);
        slow.broken(true);
        assert!(brake.lets_in());
        slow.broken(false);
        slow.seen(&[]);
        assert!(brake.lets_in());
    }
}

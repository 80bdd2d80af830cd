//! How many messages that were set aside may run at once. A message that is to run is handed to the workers, and how long
//! it waits for one tells what they bear: while it waits little the window widens by one, else it closes by a quarter.
//! While frames are still being set aside, keeping them goes first, so less waiting is borne. Counts only; who waits is
//! woken by the backlog.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A wait for a worker from which on a message that may wait should.
const STRAINED: Duration = Duration::from_millis(3);
/// The wait that is borne while frames are set aside. Each widens the time to the next commit by as much.
const BORNE_AT_FLOOD: Duration = Duration::from_micros(500);
/// The wait that is borne otherwise: enough messages at once to share a commit of the log.
const BORNE: Duration = Duration::from_millis(10);
/// The flood is over when nothing was set aside for so long.
const FLOOD: Duration = Duration::from_millis(20);
/// The widest window.
const WIDEST: usize = 1_000;

/// The start of the process's own count of time.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The window and what it follows.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The window, less one.
    wider: AtomicUsize,
    /// Nanoseconds that the last message waited for a worker.
    waited: AtomicU64,
    /// When a frame was set aside last, in nanoseconds since the start.
    set_aside: AtomicU64,
}

impl Pace {
    /// A message that waited so long for a worker begins to run.
    pub(super) fn waited(&self, wait: Duration) {
        self.waited.store(nanoseconds(wait), Ordering::Relaxed);
        let borne = if self.is_flood() { BORNE_AT_FLOOD } else { BORNE };
        let wider = self.wider.load(Ordering::Relaxed);
        let wider = if wait > borne {
            wider * 3 / 4
        } else {
            (wider + 1).min(WIDEST - 1)
        };
        // Two at once may lose one step: the next makes up for it.
        self.wider.store(wider, Ordering::Relaxed);
    }

    /// A frame is set aside.
    pub(super) fn set_aside(&self) {
        self.set_aside.store(nanoseconds(START.elapsed()), Ordering::Relaxed);
    }

    /// Whether the workers have more to do than they can.
    pub(super) fn is_strained(&self) -> bool {
        self.waited.load(Ordering::Relaxed) > nanoseconds(STRAINED)
    }

    /// How many may run at once, at least 1.
    pub(super) fn window(&self) -> usize {
        self.wider.load(Ordering::Relaxed) + 1
    }

    fn is_flood(&self) -> bool {
        let last = self.set_aside.load(Ordering::Relaxed);
        last > 0 && nanoseconds(START.elapsed()).saturating_sub(last) < nanoseconds(FLOOD)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_widens_while_workers_are_free_and_closes_when_they_are_not() {
        let pace = Pace::default();
        for _ in 0..100 {
            pace.waited(Duration::from_micros(20));
        }
        assert_eq!((pace.window(), pace.is_strained()), (101, false));
        for _ in 0..20 {
            pace.waited(Duration::from_millis(30));
        }
        assert_eq!((pace.window(), pace.is_strained()), (1, true));
    }

    #[test]
    fn while_frames_are_set_aside_less_waiting_is_borne() {
        let (calm, flood) = (Pace::default(), Pace::default());
        for _ in 0..10 {
            flood.set_aside();
            calm.waited(Duration::from_millis(2));
            flood.waited(Duration::from_millis(2));
        }
        assert_eq!((calm.window(), flood.window()), (11, 1));
    }
}

//! When a destination is tried: as fast as it takes what it gets, or, after it could not be reached or failed several times
//! in a row, not for a while and then with one delivery to see. It is told the time and asks no clock.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::Retry;

/// So many failures in a row, of whatever deliveries, mean that the peer itself is not well.
const IN_A_ROW: u32 = 5;
/// No peer is believed that it wants to be left alone for longer.
const LONGEST_WISH: Duration = Duration::from_hours(1);

/// What follows from a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    /// It is this delivery's own; whether the destination had been resting.
    Alone {
        /// Whether it goes on.
        opens: bool,
    },
    /// The peer takes nothing at all; the delivery is not to blame.
    WithAll {
        /// Whether the destination rests from now on.
        rests: bool,
    },
}

/// How a destination is tried.
#[derive(Debug)]
pub(super) struct Pace {
    retry: Retry,
    /// Failures since the last good word.
    row: u32,
    /// The most of the next pause.
    most: Duration,
    /// When it may be tried again; none while it is open.
    rest: Option<Instant>,
    /// Why deliveries were rejected since the last that was taken, and how many in a row for that reason.
    refused: Option<(String, u32)>,
    /// Counts rests, so that of several deliveries that fail together one lengthens the pause.
    epoch: u64,
}

impl Pace {
    /// An open one.
    pub(super) fn new(retry: &Retry) -> Self {
        Self {
            retry: retry.clone(),
            row: 0,
            most: retry.first,
            rest: None,
            refused: None,
            epoch: 0,
        }
    }

    /// What a delivery carries from its start to its end.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether it is left alone for a while, or tried with one delivery.
    pub(super) fn is_resting(&self) -> bool {
        self.rest.is_some()
    }

    /// When the rest is over.
    pub(super) fn until(&self) -> Option<Instant> {
        self.rest
    }

    /// How many more may be under way.
    pub(super) fn room(&self, under_way: usize, concurrency: usize, now: Instant) -> usize {
        match self.rest {
            None => concurrency.saturating_sub(under_way),
            Some(until) => usize::from(now >= until && under_way == 0),
        }
    }

    /// The peer said something that shows that it works; whether it was resting.
    pub(super) fn good(&mut self, epoch: u64) -> bool {
        if epoch != self.epoch {
            return false;
        }
        self.row = 0;
        self.most = self.retry.first;
        self.rest.take().is_some()
    }

    /// The peer took a delivery.
    pub(super) fn took(&mut self, epoch: u64) -> bool {
        if epoch == self.epoch {
            self.refused = None;
        }
        self.good(epoch)
    }

    /// Whether the peer rejects whatever it gets.
    pub(super) fn refuses_all(&self) -> bool {
        self.refused
            .as_ref()
            .is_some_and(|(_, row)| *row >= self.retry.refusals)
    }

    /// The peer rejected a delivery. It is well and says so, unless it says the same of everything.
    pub(super) fn rejected(&mut self, epoch: u64, cause: &str, now: Instant) -> Rejected {
        let all = self.refuses_all();
        match &mut self.refused {
            _ if all => {} // whatever it says now
            Some((known, row)) if known == cause => *row += 1,
            other => *other = Some((cause.to_owned(), 1)),
        }
        if self.refuses_all() {
            let rests = self.down(epoch, None, now);
            return Rejected::WithAll { rests };
        }
        let opens = self.good(epoch);
        Rejected::Alone { opens }
    }

    /// The peer could not process a delivery; whether it rests from now on.
    pub(super) fn failed(&mut self, epoch: u64, now: Instant) -> bool {
        self.row = self.row.saturating_add(1);
        (self.rest.is_some() || self.row >= IN_A_ROW) && self.down(epoch, None, now)
    }

    /// The peer takes nothing now, and may have said for how long; whether it rests from now on and did not before.
    pub(super) fn down(&mut self, epoch: u64, wish: Option<Duration>, now: Instant) -> bool {
        if epoch != self.epoch {
            return false;
        }
        self.epoch += 1;
        let pause = draw(self.most).max(wish.unwrap_or_default().min(LONGEST_WISH));
        self.most = doubled(self.most, self.retry.longest);
        self.rest.replace(now + pause).is_none()
    }

    /// How long one delivery waits after so many attempts of it.
    pub(super) fn own(&self, attempts: u32) -> Duration {
        let mut most = self.retry.first;
        for _ in 1..attempts.min(32) {
            most = doubled(most, self.retry.longest);
        }
        draw(most)
    }
}

fn doubled(most: Duration, longest: Duration) -> Duration {
    most.saturating_mul(2).min(longest)
}

/// Something between nothing and the most, so that many who failed together do not come back together.
fn draw(most: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let share = u32::try_from(random >> 32).unwrap_or(0);
    most.mul_f64(f64::from(share) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new(&Retry {
            attempts: 3,
            refusals: 3,
            first: Duration::from_millis(100),
            longest: Duration::from_secs(1),
        })
    }

    #[test]
    fn an_unreachable_peer_rests_and_is_tried_with_one() {
        let (mut pace, now) = (pace(), Instant::now());
        assert_eq!(pace.room(2, 8, now), 6);
        assert!(pace.down(pace.epoch(), None, now));
        let over = now + Duration::from_millis(100);
        assert!(pace.until().unwrap() <= over);
        assert_eq!((pace.room(1, 8, over), pace.room(0, 8, over)), (0, 1));
        assert!(pace.good(pace.epoch()));
        assert_eq!((pace.room(0, 8, over), pace.is_resting()), (8, false));
    }

    #[test]
    fn those_that_failed_together_lengthen_the_pause_once_and_it_has_a_most() {
        let (mut pace, now) = (pace(), Instant::now());
        let epoch = pace.epoch();
        (0..8).for_each(|_| _ = pace.down(epoch, None, now));
        assert_eq!(pace.most, Duration::from_millis(200));
        assert!(
            !pace.good(epoch),
            "what began before the rest says nothing of the peer now"
        );
        (0..20).for_each(|_| _ = pace.down(pace.epoch(), None, now));
        assert_eq!(pace.most, Duration::from_secs(1));
        assert!(pace.until().unwrap() <= now + Duration::from_secs(1));
    }

    #[test]
    fn what_the_peer_asks_for_is_kept_within_reason() {
        let (mut pace, now) = (pace(), Instant::now());
        let wish = |pace: &mut Pace, seconds| {
            pace.down(pace.epoch(), Some(Duration::from_secs(seconds)), now);
            pace.until().unwrap().duration_since(now).as_secs()
        };
        assert_eq!(wish(&mut pace, 30), 30);
        assert_eq!(wish(&mut pace, 1 << 40), 3_600);
    }

    #[test]
    fn a_few_failures_are_their_own_and_a_row_of_them_is_the_peers() {
        let (mut pace, now) = (pace(), Instant::now());
        assert!((0..4).all(|_| !pace.failed(pace.epoch(), now)));
        pace.good(pace.epoch());
        assert!((0..4).all(|_| !pace.failed(pace.epoch(), now)));
        assert!(pace.failed(pace.epoch(), now));
    }

    #[test]
    fn who_rejects_everything_for_one_reason_is_not_well_until_it_takes_something() {
        let (mut pace, now) = (pace(), Instant::now());
        let alone = Rejected::Alone { opens: false };
        let says = |pace: &mut Pace, cause| pace.rejected(pace.epoch(), cause, now);
        assert_eq!([says(&mut pace, "AR 101"), says(&mut pace, "AR 101")], [alone; 2]);
        assert_eq!(says(&mut pace, "AR 207"), alone, "another reason begins another row");
        pace.took(pace.epoch());
        assert_eq!([says(&mut pace, "AR 207"), says(&mut pace, "AR 207")], [alone; 2]);
        let late = pace.epoch();
        assert_eq!(says(&mut pace, "AR 207"), Rejected::WithAll { rests: true });
        assert!(pace.is_resting() && pace.refuses_all());
        // Those that were under way with it, and the one that it is tried with.
        assert_eq!(pace.rejected(late, "AR 207", now), Rejected::WithAll { rests: false });
        assert_eq!(says(&mut pace, "AR 101"), Rejected::WithAll { rests: false });
        assert!(
            pace.took(pace.epoch()) && !pace.refuses_all(),
            "it takes one, and all is as before"
        );
        assert_eq!(says(&mut pace, "AR 207"), alone);
    }

    #[test]
    fn pauses_are_drawn_over_the_whole_range() {
        let draws: Vec<Duration> = (0..2_000).map(|_| draw(Duration::from_secs(1))).collect();
        assert!(draws.iter().all(|pause| *pause <= Duration::from_secs(1)));
        let mean = draws.iter().sum::<Duration>() / 2_000;
        assert!((450..550).contains(&mean.as_millis()), "{mean:?}");
    }
}

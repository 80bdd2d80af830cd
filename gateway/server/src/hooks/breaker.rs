//! A circuit breaker: after enough failed or slow calls a service is left alone for a while, then tried with a few
//! probes (DESIGN decision 10: opens at 50 % failed or 80 % slow of 20 calls). It is told the time and asks no clock.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: usize = 20;
const FAILED: usize = WINDOW / 2;
const SLOW: usize = WINDOW * 8 / 10;
const REST: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// What a breaker does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls do not go through.
    Open,
    /// A few calls go through to see.
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Good,
    Slow,
    Failed,
}

#[derive(Debug)]
enum State {
    Closed(VecDeque<Call>),
    Open { until: Instant },
    HalfOpen { begun: u32, good: u32 },
}

/// A circuit breaker.
#[derive(Debug)]
pub struct Breaker {
    slow: Duration,
    state: Mutex<State>,
}

impl Breaker {
    /// A closed breaker; a call that took longer than `slow` is slow.
    pub fn new(slow: Duration) -> Self {
        Self {
            slow,
            state: Mutex::new(State::Closed(VecDeque::with_capacity(WINDOW))),
        }
    }

    /// Whether a call may go through now.
    pub fn admits(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Closed(_) => true,
            State::Open { until } if now < *until => false,
            State::Open { .. } => {
                *state = State::HalfOpen { begun: 1, good: 0 };
                true
            }
            State::HalfOpen { begun, .. } => {
                *begun += 1;
                *begun <= PROBES
            }
        }
    }

    /// Tells how a call went. Returns whether the state changed.
    pub fn record(&self, took: Duration, ok: bool, now: Instant) -> bool {
        let call = match (ok, took > self.slow) {
            (false, _) => Call::Failed,
            (true, true) => Call::Slow,
            (true, false) => Call::Good,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match &mut *state {
            State::Closed(calls) => remember(calls, call).then(|| State::Open { until: now + REST }),
            State::Open { .. } => None,
            State::HalfOpen { good, .. } => match call {
                Call::Good => {
                    *good += 1;
                    (*good >= PROBES).then(|| State::Closed(VecDeque::with_capacity(WINDOW)))
                }
                Call::Slow | Call::Failed => Some(State::Open { until: now + REST }),
            },
        };
        let changed = next.is_some();
        if let Some(next) = next {
            *state = next;
        }
        changed
    }

    /// The state now.
    pub fn state(&self) -> BreakerState {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Closed(_) => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

/// Remembers a call; whether the window says enough.
fn remember(calls: &mut VecDeque<Call>, call: Call) -> bool {
    if calls.len() == WINDOW {
        calls.pop_front();
    }
    calls.push_back(call);
    let count = |wanted: Call| calls.iter().filter(|call| **call == wanted).count();
    calls.len() == WINDOW && (count(Call::Failed) >= FAILED || count(Call::Slow) + count(Call::Failed) >= SLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(1);

    fn repeat(times: usize, call: impl Fn() -> bool) {
        for _ in 0..times {
            let _changed = call();
        }
    }

    #[test]
    fn opens_at_half_failed_rests_and_closes_after_three_good_probes() {
        let (breaker, now) = (Breaker::new(Duration::from_millis(300)), Instant::now());
        for call in 0..19 {
            breaker.record(FAST, call % 2 == 0, now);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(breaker.record(FAST, false, now), "ten of twenty failed");
        assert!(!breaker.admits(now + Duration::from_secs(9)));
        let later = now + Duration::from_secs(10);
        assert!((0..3).all(|_| breaker.admits(later)));
        assert!(!breaker.admits(later), "three probes and no more");
        repeat(3, || breaker.record(FAST, true, later));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn opens_at_four_fifths_slow() {
        let (breaker, now) = (Breaker::new(Duration::from_millis(300)), Instant::now());
        repeat(4, || breaker.record(FAST, true, now));
        repeat(15, || breaker.record(Duration::from_secs(1), true, now));
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(breaker.record(Duration::from_secs(1), true, now));
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let (breaker, now) = (Breaker::new(FAST), Instant::now());
        repeat(20, || breaker.record(FAST, false, now));
        assert!(breaker.admits(now + REST));
        assert!(breaker.record(FAST, false, now + REST));
        assert!(!breaker.admits(now + REST));
    }
}

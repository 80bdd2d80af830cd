//! How a destination is now, for operators: numbers and words only, nothing of a patient.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use super::{Class, Failure};

/// How a destination's work goes.
#[derive(Debug, Default)]
pub struct Live {
    condition: Mutex<Condition>,
    flying: AtomicUsize,
    failures: [AtomicU64; Class::ALL.len()],
    last: Mutex<Option<Last>>,
}

/// The last failure of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Last {
    /// When.
    pub time: Timestamp,
    /// Its class.
    pub class: &'static str,
    /// Its cause.
    pub cause: String,
}

/// How a destination is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It takes what it gets.
    #[default]
    Open,
    /// It could not be reached or failed several times; it is tried with one delivery after each pause.
    Resting,
    /// It rejects whatever it gets, and always for the same reason; it is tried with one delivery after each pause, and
    /// nothing is dead for it.
    Refusing,
    /// An operator told it to rest.
    Paused,
    /// It is not configured; what was posted for it waits.
    Unknown,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 5] = [Self::Open, Self::Resting, Self::Refusing, Self::Paused, Self::Unknown];

    /// The word in listings and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resting => "resting",
            Self::Refusing => "refusing",
            Self::Paused => "paused",
            Self::Unknown => "unknown",
        }
    }
}

impl Live {
    pub(super) fn show(&self, condition: Condition, flying: usize) {
        *self.condition.lock().unwrap_or_else(PoisonError::into_inner) = condition;
        self.flying.store(flying, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, failure: &Failure) {
        let of_class = Class::ALL.iter().position(|class| *class == failure.class);
        if let Some(counter) = of_class.and_then(|index| self.failures.get(index)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Last {
            time: Timestamp::now(),
            class: failure.class.word(),
            cause: failure.cause.clone(),
        });
    }

    /// How it is.
    pub fn condition(&self) -> Condition {
        *self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deliveries at the peer now.
    pub fn under_way(&self) -> usize {
        self.flying.load(Ordering::Relaxed)
    }

    /// Attempts that failed since the start, by class.
    pub fn failures(&self) -> impl Iterator<Item = (Class, u64)> + '_ {
        let counts = self.failures.iter().map(|count| count.load(Ordering::Relaxed));
        Class::ALL.into_iter().zip(counts)
    }

    /// The last failure since the start.
    pub fn last(&self) -> Option<Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! Frames whose commit is said may wait on disk when there is too much to do: they leave memory, and are claimed later in
//! order of receipt. The key of their patient stays here, so that a later frame of the same patient does not overtake.
//! This module counts, paces and waits; claiming is the wiring's business.

mod pace;

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use self::pace::Pace;

/// Messages that run at once before further ones are set aside, however idle the processors (DESIGN decision 6).
const RUNNING: usize = 1_000;
/// Messages set aside before the listeners stop reading: twenty seconds of commits at 20,000 a second.
const PARKED: usize = 400_000;

/// What is running and what is set aside.
#[derive(Debug, Default)]
pub struct Backlog {
    /// Somebody claims what is set aside; where nobody does, as in a test of a single joint, nothing is.
    claimed: AtomicBool,
    running: AtomicUsize,
    parked: AtomicUsize,
    pace: Pace,
    patients: Mutex<Patients>,
    changed: Notify,
}

/// How many messages of a patient are set aside, by the hash of the patient's key: 400,000 keys would take memory, and
/// two patients of one hash only wait for each other.
#[derive(Debug, Default)]
struct Patients(HashMap<u64, u32>);

impl Patients {
    fn number(&self, patient: &str) -> u64 {
        self.0.hasher().hash_one(patient)
    }
}

/// One running message, counted until dropped.
#[derive(Debug)]
pub struct Running {
    backlog: std::sync::Arc<Backlog>,
    handed_over: Instant,
}

impl Running {
    /// A worker took the message up.
    pub fn taken_up(&self) {
        self.backlog.pace.waited(self.handed_over.elapsed());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.backlog.running.fetch_sub(1, Ordering::AcqRel);
        self.backlog.changed.notify_waiters();
    }
}

impl Backlog {
    /// Counts a message as running.
    pub fn run(self: &std::sync::Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::AcqRel);
        Running {
            backlog: std::sync::Arc::clone(self),
            handed_over: Instant::now(),
        }
    }

    /// Whether a message that may wait should. Once some wait, later ones do too, or they would overtake.
    pub fn is_busy(&self) -> bool {
        let strained = || self.pace.is_strained() || self.running.load(Ordering::Acquire) >= RUNNING;
        self.claimed.load(Ordering::Acquire) && (self.parked() > 0 || strained())
    }

    /// From now on somebody claims what is set aside.
    pub fn open(&self) {
        self.claimed.store(true, Ordering::Release);
    }

    /// How many wait.
    pub fn parked(&self) -> usize {
        self.parked.load(Ordering::Acquire)
    }

    /// How many that were set aside may run now besides those that run.
    pub fn room(&self) -> usize {
        let most = self.pace.window().min(RUNNING);
        most.saturating_sub(self.running.load(Ordering::Acquire))
    }

    /// Sets a message aside.
    pub fn park(&self, patient: Option<&str>) {
        self.parked.fetch_add(1, Ordering::AcqRel);
        self.pace.set_aside();
        if let Some(patient) = patient {
            let mut patients = self.patients();
            let number = patients.number(patient);
            *patients.0.entry(number).or_default() += 1;
        }
        self.changed.notify_waiters();
    }

    /// A message that was set aside has taken its place, or came to nothing.
    pub fn unpark(&self, patient: Option<&str>) {
        // Those that an earlier process set aside were never counted.
        let less = |parked: usize| Some(parked.saturating_sub(1));
        let _before = self.parked.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        if let Some(patient) = patient {
            let mut patients = self.patients();
            let number = patients.number(patient);
            let left = patients.0.get_mut(&number).map(|count| {
                *count = count.saturating_sub(1);
                *count
            });
            if left == Some(0) {
                patients.0.remove(&number);
            }
        }
        self.changed.notify_waiters();
    }

    /// Waits until no message of a patient is set aside.
    pub async fn clear_of(&self, patient: &str) {
        let waits = || {
            let patients = self.patients();
            patients.0.contains_key(&patients.number(patient))
        };
        self.until(|| self.parked() == 0 || !waits()).await;
    }

    /// Waits until another message may be set aside.
    pub async fn admits(&self) {
        self.until(|| self.parked() < PARKED).await;
    }

    /// Waits until messages are set aside and some may run.
    pub async fn wants_claim(&self) {
        self.until(|| self.parked() > 0 && self.room() > 0).await;
    }

    async fn until(&self, holds: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            if holds() {
                return;
            }
            changed.await;
        }
    }

    fn patients(&self) -> std::sync::MutexGuard<'_, Patients> {
        self.patients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_later_frame_of_a_parked_patient_waits() {
        let backlog = Arc::new(Backlog::default());
        backlog.open();
        backlog.park(Some("张伟"));
        backlog.park(Some("李娜"));
        let waits = tokio::spawn({
            let backlog = Arc::clone(&backlog);
            async move { backlog.clear_of("张伟").await }
        });
        tokio::task::yield_now().await;
        backlog.unpark(Some("李娜"));
        tokio::task::yield_now().await;
        assert!(!waits.is_finished() && backlog.is_busy());
        backlog.unpark(Some("张伟"));
        waits.await.unwrap();
        assert!(!backlog.is_busy());
    }

    #[test]
    fn what_runs_is_counted_until_it_ends() {
        let backlog = Arc::new(Backlog::default());
        backlog.open();
        let running: Vec<_> = (0..RUNNING).map(|_| backlog.run()).collect();
        assert!(backlog.is_busy() && backlog.room() == 0);
        drop(running);
        assert!(!backlog.is_busy());
    }
}

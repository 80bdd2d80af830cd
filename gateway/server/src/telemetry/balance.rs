//! The invariants: what was accepted is answered, pending or held, never gone, and what was posted for a destination is
//! delivered, waiting, dead or dropped. The log's counters say what was accepted, answered, posted and delivered; what is open
//! is counted in its tables, and the two must agree. Looked at every few seconds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use causeway_core::store::{Audit, Open};
use causeway_core::{Fault, Store};
use jiff::Timestamp;
use tokio::sync::watch;

use super::Telemetry;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// What does not agree when frames are lost.
const FRAMES: &str = "the log's numbers do not agree: accepted is not answered + pending + held";
/// What does not agree when deliveries are lost.
const DELIVERIES: &str =
    "the log's numbers do not agree: deliveries posted are not delivered + waiting + dead + dropped";

/// Whether the log's numbers agree.
#[derive(Debug, Default)]
pub struct Balance {
    violations: AtomicU64,
    seen: Mutex<Seen>,
}

/// What the last look found.
#[derive(Debug, Default)]
struct Seen {
    wrong: Vec<&'static str>,
    oldest: BTreeMap<String, Timestamp>,
}

impl Balance {
    /// How often they did not.
    pub fn violations(&self) -> u64 {
        self.violations.load(Ordering::Relaxed)
    }

    /// What operators should know.
    pub fn remarks(&self) -> Vec<String> {
        self.seen().wrong.iter().map(|wrong| (*wrong).to_owned()).collect()
    }

    /// When the oldest delivery that waits for a destination was posted, as the last look found it.
    pub fn oldest(&self, destination: &str) -> Option<Timestamp> {
        self.seen().oldest.get(destination).copied()
    }

    /// Takes a look into account.
    pub fn look(&self, open: &Open, audits: &[Audit]) {
        let lost = audits.iter().find(|audit| !audit.agrees());
        let checks = [(FRAMES, open.agrees()), (DELIVERIES, lost.is_none())];
        let wrong: Vec<&'static str> = checks
            .iter()
            .filter(|(_, agrees)| !agrees)
            .map(|(what, _)| *what)
            .collect();
        let oldest = |audit: &Audit| Some((audit.destination.clone(), audit.oldest?));
        let now = Seen {
            wrong: wrong.clone(),
            oldest: audits.iter().filter_map(oldest).collect(),
        };
        let before = std::mem::replace(&mut *self.seen(), now);
        for what in wrong {
            self.violations.fetch_add(1, Ordering::Relaxed);
            if !before.wrong.contains(&what) {
                tracing::error!(?open, ?lost, "{what}");
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks until told to stop.
pub(super) async fn watch(telemetry: Arc<Telemetry>, store: Arc<dyn Store>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let store = Arc::clone(&store);
        // A log that cannot be read says so in its health.
        let looked =
            tokio::task::spawn_blocking(move || Ok::<_, Fault>((store.open_frames()?, store.deliveries().audit()?)));
        if let Ok(Ok((open, audits))) = looked.await {
            telemetry.balance.look(&open, &audits);
        }
    }
}

impl Telemetry {
    /// Checks the log's numbers every few seconds.
    pub async fn watch(self: Arc<Self>, store: Arc<dyn Store>, stop: watch::Receiver<bool>) {
        watch(self, store, stop).await;
    }
}

#[cfg(test)]
mod tests {
    use causeway_core::store::Account;

    use super::*;

    #[test]
    fn a_lost_frame_is_told_and_counted_until_it_is_found() {
        let balance = Balance::default();
        let open = |accepted, answered, open, held| Open {
            accepted,
            answered,
            held,
            open,
            open_held: held,
        };
        balance.look(&open(10, 7, 3, 1), &[]);
        assert_eq!((balance.violations(), balance.remarks()), (0, vec![]));
        balance.look(&open(10, 7, 2, 1), &[]);
        balance.look(&open(10, 7, 2, 1), &[]);
        assert_eq!((balance.violations(), balance.remarks()), (2, vec![FRAMES.to_owned()]));
        balance.look(&open(10, 8, 2, 1), &[]);
        assert_eq!((balance.violations(), balance.remarks()), (2, vec![]));
    }

    #[test]
    fn a_lost_delivery_is_told_and_the_oldest_is_known() {
        let balance = Balance::default();
        let audit = |posted, waiting| Audit {
            destination: "ward".to_owned(),
            account: Account {
                posted,
                delivered: 3,
                ..Account::default()
            },
            waiting,
            dead: 0,
            oldest: Some(Timestamp::UNIX_EPOCH),
        };
        balance.look(&Open::default(), &[audit(4, 1)]);
        assert_eq!((balance.violations(), balance.remarks()), (0, vec![]));
        assert_eq!(balance.oldest("ward"), Some(Timestamp::UNIX_EPOCH));
        balance.look(&Open::default(), &[audit(5, 1)]);
        assert_eq!(
            (balance.violations(), balance.remarks()),
            (1, vec![DELIVERIES.to_owned()])
        );
    }
}

//! The invariant: what was accepted is answered, pending or held, never gone. The log's counters say how many were accepted
//! and answered; how many are open is counted in its table, and the two must agree. Looked at every few seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use causeway_core::Store;
use causeway_core::store::Open;
use tokio::sync::watch;

use super::Telemetry;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Whether the log's numbers agree.
#[derive(Debug, Default)]
pub struct Balance {
    violations: AtomicU64,
    broken: AtomicBool,
}

impl Balance {
    /// How often they did not.
    pub fn violations(&self) -> u64 {
        self.violations.load(Ordering::Relaxed)
    }

    /// What operators should know.
    pub fn remark(&self) -> Option<String> {
        let broken = self.broken.load(Ordering::Relaxed);
        broken.then(|| "the log's numbers do not agree: accepted is not answered + pending + held".to_owned())
    }

    /// Takes a look into account.
    pub fn look(&self, open: &Open) {
        let agrees = open.agrees();
        let before = self.broken.swap(!agrees, Ordering::Relaxed);
        if agrees {
            return;
        }
        self.violations.fetch_add(1, Ordering::Relaxed);
        if !before {
            tracing::error!(
                ?open,
                "the log's numbers do not agree: accepted is not answered + pending + held"
            );
        }
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
        if let Ok(Ok(open)) = tokio::task::spawn_blocking(move || store.open_frames()).await {
            telemetry.balance.look(&open);
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
        balance.look(&open(10, 7, 3, 1));
        assert_eq!((balance.violations(), balance.remark()), (0, None));
        balance.look(&open(10, 7, 2, 1));
        balance.look(&open(10, 7, 2, 1));
        assert_eq!(balance.violations(), 2);
        assert!(balance.remark().unwrap().contains("do not agree"));
        balance.look(&open(10, 8, 2, 1));
        assert_eq!((balance.violations(), balance.remark()), (2, None));
    }
}

//! Waiting for what must come to be true. A scenario never sleeps for luck.

use std::time::{Duration, Instant};

/// How long a scenario waits before the test is over.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until something holds.
///
/// # Panics
/// When it does not for long.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

//! What the log holds and nobody works on: frames that were running when the last process ended, and those that were set
//! aside. They go through the doors of their listeners.

use std::sync::Arc;
use std::time::Duration;

use causeway_core::Inbox;
use causeway_core::store::Pending;
use tokio::sync::watch;

use crate::replay::Door;
use crate::translate::Backlog;

/// Runs what was running when the last process ended, in order of receipt, while listeners are open; then claims what
/// was set aside whenever there is room.
pub(super) async fn recover(inbox: Arc<Inbox>, backlog: Arc<Backlog>, doors: Vec<Door>, stop: watch::Receiver<bool>) {
    let mut from = 0;
    while !*stop.borrow() {
        let store = Arc::clone(inbox.store());
        let page = tokio::task::spawn_blocking(move || store.pending(from, 256)).await;
        let Ok(Ok(page)) = page else { break };
        let Some(last) = page.last() else { break };
        from = last.number + 1;
        resume(page, &doors, true).await;
    }
    claim(inbox, backlog, doors, stop).await;
}

async fn claim(inbox: Arc<Inbox>, backlog: Arc<Backlog>, doors: Vec<Door>, mut stop: watch::Receiver<bool>) {
    let mut left = true; // an earlier process may have set some aside
    loop {
        if !left {
            tokio::select! {
                () = backlog.wants_claim() => {}
                // Frames that an outage of the disk left behind are claimed too, and nobody counted them.
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
        if *stop.borrow() {
            return;
        }
        let (store, room) = (Arc::clone(inbox.store()), backlog.room().clamp(1, 256));
        let claimed = tokio::task::spawn_blocking(move || store.claim(room)).await;
        let Ok(Ok(page)) = claimed else {
            left = false;
            tokio::time::sleep(Duration::from_millis(200)).await; // the log cannot be read now
            continue;
        };
        left = page.len() == room;
        if page.is_empty() && backlog.parked() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await; // counted, and not on disk yet
        }
        resume(page, &doors, false).await;
    }
}

/// Runs frames of the log; waits for each one's end when that is asked for.
async fn resume(page: Vec<Pending>, doors: &[Door], wait: bool) {
    for pending in page {
        let (listener, number) = (pending.frame.listener.to_string(), pending.number);
        let Some(door) = doors.iter().find(|door| door.listener == listener) else {
            tracing::warn!(listener, number, "no such listener any more; the frame stays pending");
            continue;
        };
        match (door.resume)(pending).await {
            Ok(ended) if wait => drop(ended.await),
            Ok(_) => {}
            Err(fault) => tracing::warn!(%fault, number, "a frame of the log could not be run"),
        }
    }
}

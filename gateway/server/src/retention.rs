//! How long the log keeps what was answered: so many days, and never more than its share of the disk. The oldest go
//! first, in small steps between other writes; what is unanswered, held or undelivered stays, whatever its age.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use causeway_core::{Fault, FaultKind, Store};
use causeway_store::SqliteLog;
use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::projection::Lag;
use crate::spool::Spool;
use crate::transport::dimse::Objects;

/// Between two looks.
const EVERY: Duration = Duration::from_mins(10);
/// Before the first one: a start has other things to do.
const FIRST: Duration = Duration::from_mins(1);
/// What is younger is kept even on a full disk: a sender may still ask for its answer.
const YOUNGEST: SignedDuration = SignedDuration::from_hours(1);

/// A body is written before its frame, and a slow disk or a set clock lie between.
const SPARE: SignedDuration = SignedDuration::from_hours(24);

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Days; 0 for ever.
    pub days: u32,
    /// Bytes that the log may have on disk, if they are limited.
    pub bytes: Option<u64>,
}

impl Rule {
    /// The rule of a configuration, with the size of the disk that the data folder is on.
    pub fn of(config: &Config) -> Self {
        let share = u64::from(config.store.disk_percent);
        let bytes = (share > 0).then(|| disk(&config.data)).flatten();
        Self {
            days: config.store.retention_days,
            bytes: bytes.map(|bytes| bytes / 100 * share),
        }
    }

    /// The oldest time that may stay.
    fn cutoff(self, now: Timestamp) -> Option<Timestamp> {
        let days = SignedDuration::from_hours(24 * i64::from(self.days));
        (self.days > 0).then(|| now.checked_sub(days).ok()).flatten()
    }
}

/// Bytes of the file system that a folder is on.
fn disk(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    stat.f_blocks.checked_mul(stat.f_frsize)
}

/// Looks again and again until it is aborted.
pub async fn keep(log: Arc<SqliteLog>, rule: Rule, lags: Vec<Arc<Lag>>, spool: Arc<Spool>, data: PathBuf) {
    let mut wait = FIRST;
    loop {
        tokio::time::sleep(wait).await;
        wait = EVERY;
        let (log, lags) = (Arc::clone(&log), lags.clone());
        let (spool, data) = (Arc::clone(&spool), data.clone());
        let passed = tokio::task::spawn_blocking(move || {
            let dropped = pass(&log, rule, &lags, Timestamp::now())?;
            sweep(&log, &spool, Timestamp::now())?;
            if let Err(error) = forget_objects(&log, &data) {
                tracing::warn!(%error, "objects of dropped messages could not be removed");
            }
            Ok::<_, Fault>(dropped)
        });
        let passed = passed.await;
        match passed {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(dropped)) => tracing::info!(dropped, "old messages were dropped"),
            Ok(Err(fault)) => tracing::warn!(%fault, "old messages could not be dropped"),
        }
    }
}

/// Drops what is too old or too much, and returns how many.
///
/// # Errors
/// The log cannot be read or written.
pub fn pass(log: &SqliteLog, rule: Rule, lags: &[Arc<Lag>], now: Timestamp) -> Result<u64, Fault> {
    let forget = |before| {
        let dropped = log.forget(before)?;
        for lag in lags {
            lag.forget(before);
        }
        Ok(dropped)
    };
    let mut dropped = 0;
    if let Some(before) = rule.cutoff(now) {
        dropped += forget(before)?;
    }
    let Some(most) = rule.bytes else { return Ok(dropped) };
    let oldest = log.read_from(0, 1)?.first().and_then(|record| record.event.time());
    let mut age = oldest.map_or(SignedDuration::ZERO, |oldest| now.duration_since(oldest));
    while age > YOUNGEST && log.bytes()? > most {
        age = (age * 7 / 8).max(YOUNGEST); // about an eighth of the log at a time
        let Ok(before) = now.checked_sub(age) else { break };
        dropped += forget(before)?;
    }
    Ok(dropped)
}

/// Removes objects that are older than the oldest message kept, and returns how many. An object is on disk a little before
/// its message is received; an hour is more than that.
///
/// # Errors
/// The folder of objects cannot be read.
pub fn forget_objects(log: &SqliteLog, data: &Path) -> std::io::Result<u64> {
    let oldest = log.read_from(0, 1).map_err(std::io::Error::other)?;
    let time = oldest.first().and_then(|record| record.event.time());
    let before = time.and_then(|time| time.checked_sub(SignedDuration::from_hours(1)).ok());
    before.map_or(Ok(0), |before| Objects::forget(data, on_disk(before)))
}

/// A time as file systems know it.
fn on_disk(time: Timestamp) -> SystemTime {
    let seconds = u64::try_from(time.as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Removes large bodies that no frame of the log can refer to: a body is at most as old as the frames that it is of.
///
/// # Errors
/// The log or the folder cannot be read.
pub fn sweep(log: &SqliteLog, spool: &Spool, now: Timestamp) -> Result<u64, Fault> {
    let oldest = log.read_from(0, 1)?.first().and_then(|record| record.event.time());
    let before = oldest.unwrap_or(now).checked_sub(SPARE).unwrap_or(Timestamp::MIN);
    let swept = spool.sweep(before);
    swept.map_err(|error| Fault::new(FaultKind::Storage, format!("the spool folder cannot be swept: {error}")))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use causeway_core::inbox::Budget;
    use causeway_core::{Frame, Head, Inbox};
    use causeway_store::Options;

    use super::*;

    #[test]
    fn days_make_a_cutoff_and_none_keep_all() {
        let now: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        let rule = |days| Rule { days, bytes: None };
        assert_eq!(rule(0).cutoff(now), None);
        assert_eq!(rule(30).cutoff(now).unwrap().to_string(), "2026-03-01T00:00:00Z");
    }

    /// Keeps a frame that was received so many days ago; answers it if asked.
    async fn frame(inbox: &Inbox, days: i64, answer: bool) -> u64 {
        let frame = Frame {
            listener: "lab".into(),
            peer: "p".into(),
            received: Timestamp::now() - SignedDuration::from_hours(24 * days),
            head: Head::Mllp,
            body: Bytes::from(format!("MSH|{days}|{answer}")),
        };
        let permits = inbox.admit(frame.body.len()).await.unwrap();
        let receipt = inbox.receive(frame, permits, "s".into());
        receipt.kept().await.unwrap();
        if answer {
            inbox.answered(&receipt, Vec::new(), Vec::new()).await.unwrap();
        }
        receipt.number()
    }

    #[tokio::test]
    async fn the_old_go_and_what_is_open_or_young_stays() {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
        let inbox = Inbox::new(Arc::clone(&log) as _, Budget::default());
        let old = frame(&inbox, 40, true).await;
        let open = frame(&inbox, 39, false).await;
        let recent = frame(&inbox, 20, true).await;
        let young = frame(&inbox, 0, true).await;
        let there = |number| log.frame(number).unwrap().is_some();
        let look = |bytes| pass(&log, Rule { days: 30, bytes }, &[], Timestamp::now()).unwrap();
        assert_eq!(look(None), 1);
        assert_eq!([old, open, recent, young].map(there), [false, true, true, true]);
        assert_eq!(look(Some(u64::MAX)), 0);
        assert_eq!(look(Some(1)), 1); // far too full: all but the last hour goes
        assert_eq!([open, recent, young].map(there), [true, false, true]);
    }

    #[tokio::test]
    async fn objects_go_when_all_messages_of_their_time_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
        let inbox = Inbox::new(Arc::clone(&log) as _, Budget::default());
        assert_eq!(forget_objects(&log, folder.path()).unwrap(), 0); // no log, no objects
        frame(&inbox, 10, true).await;
        let objects = folder.path().join("objects/ab");
        std::fs::create_dir_all(&objects).unwrap();
        let object = |name: &str, days: i64| {
            let file = std::fs::File::create(objects.join(name)).unwrap();
            let time = Timestamp::now() - SignedDuration::from_hours(24 * days);
            file.set_modified(on_disk(time)).unwrap();
        };
        object("old", 11);
        object("as old as the message", 10);
        object("new", 0);
        assert_eq!(forget_objects(&log, folder.path()).unwrap(), 1);
        assert!(!objects.join("old").exists() && objects.join("new").exists());
    }

    #[test]
    fn the_disk_has_a_size() {
        let folder = tempfile::tempdir().unwrap();
        assert!(disk(folder.path()).unwrap() > 1 << 20);
        assert_eq!(disk(&folder.path().join("absent")), None);
    }
}

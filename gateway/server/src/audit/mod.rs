//! Who looked at what: a row for each look at resources over FHIR, in a file of its own beside the log. A row waits in memory
//! for a moment and goes to disk with others, on a thread of its own, so that no reader waits for a disk; how many wait is
//! bounded, and when they cannot be written nothing more is shown. What is looked at is named by rows and never by log lines.

mod table;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use table::Table;
pub use table::{Filter, Reader, Row};

/// Rows that may wait: a second of the fastest reading.
const WAITING: usize = 16_384;
/// How long rows are gathered before they are written.
const GATHER: Duration = Duration::from_millis(50);
/// Between attempts to write what could not be written.
const AGAIN: Duration = Duration::from_millis(200);
/// How long a reader waits for room.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks for rows that are too old.
const FORGET: Duration = Duration::from_hours(1);

/// Keeps rows.
#[derive(Debug, Clone)]
pub struct Audit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    table: Table,
    rows: Mutex<Rows>,
    came: Condvar,
    room: Semaphore,
    written: AtomicU64,
    broken: AtomicBool,
}

#[derive(Debug, Default)]
struct Rows {
    waiting: Vec<Row>,
    writer: Option<std::thread::JoinHandle<()>>,
    closed: bool,
}

impl Audit {
    /// The audit of a data folder, whose rows are kept so many days; 0 for ever. The file is made with the first row.
    pub fn of(folder: &Path, days: u32) -> Self {
        Self(Arc::new(Shared {
            table: Table::of(folder, days),
            rows: Mutex::default(),
            came: Condvar::new(),
            room: Semaphore::new(WAITING),
            written: AtomicU64::new(0),
            broken: AtomicBool::new(false),
        }))
    }

    /// Keeps a row. Whether it is kept: what cannot be is not to be shown.
    pub async fn note(&self, row: Row) -> bool {
        let room = match self.0.room.try_acquire() {
            Ok(room) => room,
            Err(_) => match timeout(PATIENCE, self.0.room.acquire()).await {
                Ok(Ok(room)) => room,
                Ok(Err(_)) | Err(_) => return false,
            },
        };
        room.forget(); // given back when the row is on disk
        self.put(row)
    }

    fn put(&self, row: Row) -> bool {
        let mut rows = self.0.lock();
        if rows.closed {
            return false;
        }
        if rows.writer.is_none() {
            let shared = Arc::clone(&self.0);
            let writer = std::thread::Builder::new().name("audit".to_owned());
            rows.writer = writer.spawn(move || shared.run()).ok();
        }
        if rows.waiting.is_empty() {
            self.0.came.notify_one();
        }
        rows.waiting.push(row);
        rows.writer.is_some()
    }

    /// Rows written since the start.
    pub fn written(&self) -> u64 {
        self.0.written.load(Ordering::Relaxed)
    }

    /// Rows that wait to be written.
    pub fn waiting(&self) -> usize {
        WAITING.saturating_sub(self.0.room.available_permits())
    }

    /// What operators should know.
    pub fn remark(&self) -> Option<String> {
        let broken = self.0.broken.load(Ordering::Relaxed);
        broken.then(|| "the audit cannot be written; resources are soon not shown any more".to_owned())
    }

    /// Writes what waits and ends. Blocks.
    pub fn close(&self) {
        let writer = {
            let mut rows = self.0.lock();
            rows.closed = true;
            rows.writer.take()
        };
        self.0.came.notify_one();
        if let Some(writer) = writer {
            // One that broke said so.
            let _ended = writer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes rows until the end.
    fn run(&self) {
        let mut forget = std::time::Instant::now();
        while let Some(rows) = self.gathered() {
            while let Err(error) = self.table.append(&rows) {
                if !self.broken.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the audit cannot be written");
                }
                if self.lock().closed {
                    tracing::error!(rows = rows.len(), "rows of the audit are lost");
                    return;
                }
                std::thread::sleep(AGAIN);
            }
            if self.broken.swap(false, Ordering::Relaxed) {
                tracing::info!("the audit is written again");
            }
            self.written.fetch_add(rows.len() as u64, Ordering::Relaxed);
            self.room.add_permits(rows.len());
            if std::time::Instant::now() >= forget {
                forget = std::time::Instant::now() + FORGET;
                if let Err(error) = self.table.forget(Timestamp::now()) {
                    tracing::warn!(%error, "old rows of the audit could not be dropped");
                }
            }
        }
    }

    /// The rows of a moment; nothing at the end.
    fn gathered(&self) -> Option<Vec<Row>> {
        let mut rows = self.lock();
        while rows.waiting.is_empty() && !rows.closed {
            rows = self.came.wait(rows).unwrap_or_else(PoisonError::into_inner);
        }
        if !rows.closed {
            drop(rows);
            std::thread::sleep(GATHER);
            rows = self.lock();
        }
        let all = std::mem::take(&mut rows.waiting);
        (!all.is_empty()).then_some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(target: &str) -> Row {
        Row {
            time: Timestamp::now(),
            listener: "http/fhir".into(),
            who: "127.0.0.1:1".into(),
            action: "read",
            target: target.to_owned(),
            status: 200,
            found: 1,
            trace: String::new(),
        }
    }

    #[tokio::test]
    async fn every_row_is_on_disk_at_the_end_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::of(folder.path(), 180);
        for number in 0..1_000 {
            assert!(audit.note(row(&number.to_string())).await);
        }
        audit.close();
        assert_eq!((audit.written(), audit.waiting()), (1_000, 0));
        assert!(!audit.note(row("after the end")).await);
        let all = Reader::open(folder.path()).unwrap().newest(&Filter::default()).unwrap();
        let newest: Vec<_> = all.iter().map(|kept| kept.target.parse::<u32>().unwrap()).collect();
        assert_eq!(newest, (950..1_000).rev().collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_written_is_not_to_be_shown() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::of(&folder.path().join("nowhere"), 180);
        for _ in 0..WAITING {
            assert!(audit.note(row("x")).await);
        }
        assert!(!audit.note(row("one too many")).await);
        assert_eq!(audit.waiting(), WAITING);
        audit.close();
    }
}

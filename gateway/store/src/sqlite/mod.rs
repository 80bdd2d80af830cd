//! The log on disk: one SQLite file, one writer thread, read connections beside it. Callers hand commands to the writer
//! and never wait for it unless they ask for something back; how records are grouped into commits is the writer's
//! business.

mod accounts;
mod answers;
mod apply;
mod command;
mod connection;
mod core;
mod deliveries;
mod folder;
mod group;
mod index;
mod listing;
mod reader;
mod recovery;
mod retention;
mod schema;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use causeway_core::store::{Decided, Deliveries, Ended, Entry, Health, Late, Open, Outcome, Parts, Pending, Record};
use causeway_core::{Fault, Store};
use jiff::Timestamp;
use tokio::sync::oneshot;

pub use reader::Reader;

use crate::storage;
use command::{Advice, Answer, Command, Ending, Incoming, Partial};
use folder::Folder;

/// How the log behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The same bytes of the same sender within this time are a resend. Default 7 days.
    pub window: Duration,
    /// A frame nobody waits for is on disk within this time. Default 5 ms.
    pub linger: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Duration::from_hours(7 * 24),
            linger: Duration::from_millis(5),
        }
    }
}

/// What the writer publishes after every commit.
#[derive(Debug, Default)]
struct Shared {
    tail: AtomicU64,
    accepted: AtomicU64,
    answered: AtomicU64,
    held: AtomicU64,
    next: AtomicU64,
    commits: AtomicU64,
    committed: AtomicU64,
    accounts: accounts::Board,
    broken: Mutex<Option<String>>,
}

impl Shared {
    fn publish(&self, tally: &core::Tally) {
        self.tail.store(tally.tail, Ordering::Release);
        self.accepted.store(tally.accepted, Ordering::Release);
        self.answered.store(tally.answered, Ordering::Release);
        self.held.store(tally.held, Ordering::Release);
        self.next.fetch_max(tally.next, Ordering::AcqRel);
    }

    fn count_commit(&self, records: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.committed.fetch_add(records as u64, Ordering::Relaxed);
    }

    fn set_broken(&self, reason: Option<String>) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    fn health(&self) -> Health {
        Health {
            broken: self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            tail: self.tail.load(Ordering::Acquire),
            accepted: self.accepted.load(Ordering::Acquire),
            answered: self.answered.load(Ordering::Acquire),
            held: self.held.load(Ordering::Acquire),
            commits: self.commits.load(Ordering::Relaxed),
            committed: self.committed.load(Ordering::Relaxed),
        }
    }
}

/// The log on disk.
#[derive(Debug)]
pub struct SqliteLog {
    commands: Sender<Command>,
    shared: Arc<Shared>,
    reader: Reader,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    thread: JoinHandle<()>,
    _folder: Folder,
}

impl SqliteLog {
    /// Opens the log of a data folder, makes both if they are not there, and counts the frames that were running when
    /// the last process died.
    ///
    /// # Errors
    /// Another gateway has the folder, the file is damaged or of a newer version, or it cannot be written.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Arc<Self>, Fault> {
        let folder = Folder::take(dir.as_ref())?;
        let path = folder.log();
        let shared = Arc::new(Shared::default());
        let (commands, inbox) = channel();
        let reader = Reader::new(path.clone());
        let writer = writer::Writer::open(&path, options, inbox, Arc::clone(&shared))?;
        reader.anchor()?;
        let thread = std::thread::Builder::new()
            .name("causeway-log".into())
            .spawn(move || writer.run())
            .map_err(storage)?;
        let running = Running {
            thread,
            _folder: folder,
        };
        Ok(Arc::new(Self {
            commands,
            shared,
            reader,
            running: Mutex::new(Some(running)),
        }))
    }

    /// Opens the log of a data folder for reading, beside a gateway that may be running.
    ///
    /// # Errors
    /// There is no log, or it is of another version.
    pub fn read_only(dir: impl AsRef<Path>) -> Result<Reader, Fault> {
        let path = folder::log_in(dir.as_ref());
        if !path.exists() {
            return Err(storage(format_args!("there is no log in {}", dir.as_ref().display())));
        }
        let reader = Reader::new(path);
        reader.check()?;
        Ok(reader)
    }

    /// Bytes of the file that are in use; what was forgotten leaves room in it and is not counted.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn bytes(&self) -> Result<u64, Fault> {
        self.reader.bytes()
    }

    fn send(&self, command: Command) {
        // A command that comes back is dropped, and whoever waits for it learns that the log was closed.
        drop(self.commands.send(command));
    }

    /// Sends a command and waits for what the writer says.
    fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, Fault> {
        let (answer, wait) = sync_channel(1);
        self.send(command(answer));
        wait.recv().map_err(|_| storage("the log was closed"))?
    }

    fn frames(&self, numbers: Vec<u64>) -> Result<Vec<Pending>, Fault> {
        let found = numbers.into_iter().map(|number| self.reader.frame(number));
        found.filter_map(Result::transpose).collect()
    }
}

impl Store for SqliteLog {
    fn receive(&self, entry: Entry) {
        self.send(Command::Receive(Incoming::new(entry)));
    }

    fn want(&self, number: u64) {
        self.send(Command::Want(number));
    }

    fn answered(&self, outcome: Outcome) {
        self.send(Command::Answered(Ending::new(outcome)));
    }

    fn decided(&self, number: u64, decided: Vec<Decided>) -> oneshot::Receiver<()> {
        let (partial, kept) = Partial::new(number, decided);
        self.send(Command::Decided(partial));
        kept
    }

    fn late(&self, late: Late) {
        self.send(Command::Late(Advice::new(late)));
    }

    fn claim(&self, limit: usize) -> Result<Vec<Pending>, Fault> {
        let numbers = self.ask(|answer| Command::Claim { limit, answer })?;
        self.frames(numbers)
    }

    fn pending(&self, from: u64, limit: usize) -> Result<Vec<Pending>, Fault> {
        let numbers = self.ask(|answer| Command::Resume { from, limit, answer })?;
        self.frames(numbers)
    }

    fn read_from(&self, position: u64, limit: usize) -> Result<Vec<Record>, Fault> {
        self.reader.read_from(position, limit)
    }

    fn frame(&self, number: u64) -> Result<Option<Pending>, Fault> {
        self.reader.frame(number)
    }

    fn outcome(&self, number: u64) -> Result<Option<Ended>, Fault> {
        self.reader.outcome(number)
    }

    fn decided_earlier(&self, number: u64, from: u64) -> Result<Parts, Fault> {
        self.reader.decided_earlier(number, from)
    }

    fn came_late(&self, number: u64) -> Result<Vec<Late>, Fault> {
        self.reader.came_late(number)
    }

    fn forget(&self, before: Timestamp) -> Result<u64, Fault> {
        retention::forget(self, before)
    }

    fn deliveries(&self) -> &dyn Deliveries {
        self
    }

    fn health(&self) -> Health {
        self.shared.health()
    }

    fn open_frames(&self) -> Result<Open, Fault> {
        self.reader.open_frames()
    }

    fn next_number(&self) -> u64 {
        self.shared.next.load(Ordering::Acquire)
    }

    fn close(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(running) = running else { return };
        // The writer's connection is to be the last, since the last one clears the journal away.
        self.reader.close();
        self.send(Command::Close);
        // A writer that panicked has said so in its health.
        drop(running.thread.join());
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// What SQLite says, as a fault.
fn fault(error: rusqlite::Error) -> Fault {
    storage(error)
}

/// A number as a column holds it.
fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from a column.
fn number(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
}

/// Nanoseconds since 1970, as a column holds a time: years 1678 to 2262.
fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(if time.as_nanosecond() < 0 { i64::MIN } else { i64::MAX })
}

/// A time from a column.
fn time(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default()
}

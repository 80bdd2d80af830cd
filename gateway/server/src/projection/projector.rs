//! The projector: one thread that reads the log in batches and writes the read model. It ends its read of the log before
//! it writes, since a reader that stays open makes the log's WAL grow.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use causeway_core::store::{Event, Record};
use causeway_core::{Context, Frame, Store};
use rusqlite::Connection;

use super::forget::Pass;
use super::lag::Lag;
use super::message::{self, Row};
use super::schema;

#[cfg(test)]
mod tests;

/// Records of a batch.
const BATCH: usize = 1_000;
/// How long the projector sleeps when it has all of the log: what comes meanwhile is written together, and a batch costs
/// less a message the larger it is.
const IDLE: Duration = Duration::from_millis(100);

/// Tells what a frame says of itself; for frames that were held before anything was made of them.
pub type Describe = Arc<dyn Fn(&Frame) -> Context + Send + Sync>;

/// The projector's thread.
#[derive(Debug)]
pub struct Projector {
    lag: Arc<Lag>,
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Projector {
    /// Opens the read model of a data folder and starts following the log.
    ///
    /// # Errors
    /// The read model cannot be opened.
    pub fn start(folder: &Path, log: Arc<dyn Store>, describe: Describe) -> anyhow::Result<Self> {
        let connection = schema::open(folder)?;
        let lag = Arc::new(Lag::default());
        let (stop, stopped) = mpsc::channel();
        let state = Arc::clone(&lag);
        let thread = std::thread::Builder::new()
            .name("projector".to_owned())
            .spawn(move || {
                let log = Log {
                    store: log.as_ref(),
                    describe,
                };
                follow(connection, &log, &state, &stopped);
            })?;
        Ok(Self {
            lag,
            stop,
            thread: Some(thread),
        })
    }

    /// How far it is behind.
    pub fn lag(&self) -> &Arc<Lag> {
        &self.lag
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        // A thread that ended already hears nothing, and that is fine.
        let _ended = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// What is followed.
pub(super) struct Log<'a> {
    pub(super) store: &'a dyn Store,
    describe: Describe,
}

impl Log<'_> {
    /// What a frame of the log says of itself.
    pub(super) fn described(&self, number: u64) -> anyhow::Result<Context> {
        let frame = self.store.frame(number);
        let frame = frame.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
        Ok(frame.map(|pending| (self.describe)(&pending.frame)).unwrap_or_default())
    }
}

fn follow(mut connection: Connection, log: &Log<'_>, lag: &Lag, stop: &mpsc::Receiver<()>) {
    let mut pass = None;
    loop {
        let more =
            step(&mut connection, log, lag).and_then(|more| Ok(forget(&mut pass, &mut connection, log, lag)? || more));
        lag.broken(more.is_err());
        if let Err(error) = &more {
            tracing::warn!(%error, "the read model is behind");
        }
        let rest = match more {
            Ok(true) => Duration::ZERO,
            Ok(false) => IDLE,
            Err(_) => Duration::from_secs(1),
        };
        match stop.recv_timeout(rest) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Forgets a little of what is to be forgotten; whether there may be more.
fn forget(pass: &mut Option<Pass>, connection: &mut Connection, log: &Log<'_>, lag: &Lag) -> anyhow::Result<bool> {
    if pass.is_none() {
        *pass = lag.take_forget().map(Pass::new);
    }
    let Some(running) = pass else { return Ok(false) };
    let more = running.step(connection, log.store);
    if !matches!(more, Ok(true)) {
        *pass = None; // a broken pass is made anew after the next look at the log's age
    }
    more
}

/// Applies one batch; whether there may be more.
fn step(connection: &mut Connection, log: &Log<'_>, lag: &Lag) -> anyhow::Result<bool> {
    let position: u64 = connection
        .prepare_cached("SELECT position FROM applied")?
        .query_row([], |row| row.get(0))?;
    lag.applied(position);
    let records = log
        .store
        .read_from(position, BATCH)
        .map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
    let Some(last) = records.last() else {
        lag.seen(&[]);
        return Ok(false);
    };
    let (last, full) = (last.position, records.len() == BATCH);
    lag.seen(&records);
    let transaction = connection.transaction()?;
    apply(&transaction, log, records)?;
    transaction
        .prepare_cached("UPDATE applied SET position = ?1")?
        .execute([last])?;
    transaction.commit()?;
    lag.applied(last);
    Ok(full)
}

fn apply(connection: &Connection, log: &Log<'_>, records: Vec<Record>) -> anyhow::Result<()> {
    let mut rows: HashMap<u64, Row> = HashMap::new();
    let mut order = Vec::new();
    for record in records {
        let row = rows.entry(record.number).or_insert_with(|| {
            order.push(record.number);
            Row::default()
        });
        match record.event {
            Event::Received { frame, .. } => {
                row.received = Some((frame.received.as_microsecond(), frame.listener.to_string()));
            }
            Event::Again { .. } => row.again += 1,
            Event::Answered { ended, .. } => row.ended = Some(ended),
            Event::Late(late) => row.late += late.findings.len(),
            Event::Held => row.held = true,
        }
    }
    order
        .into_iter()
        .filter_map(|number| Some((number, rows.remove(&number)?)))
        .try_for_each(|(number, row)| message::write(connection, log, number, row))
}

//! The projector: one thread that reads the log in batches and writes the read model. It ends its read of the log before
//! it writes, since a reader that stays open makes the log's WAL grow.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use causeway_core::store::{Decided, Ended, Event, Index, KeyKind, Record};
use causeway_core::{Context, Frame, Store};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::forget::Pass;
use super::{schema, words};

#[cfg(test)]
mod tests;

/// Records of a batch.
const BATCH: usize = 1_000;
/// How long the projector sleeps when it has all of the log: what comes meanwhile is written together, and a batch costs
/// less a message the larger it is.
const IDLE: Duration = Duration::from_millis(100);

/// Tells what a frame says of itself; for frames that were held before anything was made of them.
pub type Describe = Arc<dyn Fn(&Frame) -> Context + Send + Sync>;

/// How far the read model is behind.
#[derive(Debug, Default)]
pub struct Lag {
    position: AtomicU64,
    micros: AtomicU64,
    broken: AtomicBool,
    /// Microseconds since 1970; 0 when nothing is to be forgotten.
    forget: AtomicI64,
}

impl Lag {
    /// The log has dropped frames received before a time: the read model is to forget them too.
    pub fn forget(&self, before: Timestamp) {
        self.forget.fetch_max(before.as_microsecond(), Ordering::Relaxed);
    }

    /// The last position applied.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Age of the oldest record not applied yet when it was last looked at.
    pub fn behind(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// Whether the read model cannot be written.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

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
struct Log<'a> {
    store: &'a dyn Store,
    describe: Describe,
}

impl Log<'_> {
    /// What a frame of the log says of itself.
    fn described(&self, number: u64) -> anyhow::Result<Context> {
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
        lag.broken.store(more.is_err(), Ordering::Relaxed);
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
        let before = lag.forget.swap(0, Ordering::Relaxed);
        *pass = (before != 0).then(|| Pass::new(before));
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
    lag.position.store(position, Ordering::Relaxed);
    let records = log
        .store
        .read_from(position, BATCH)
        .map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
    let Some(last) = records.last() else {
        lag.micros.store(0, Ordering::Relaxed);
        return Ok(false);
    };
    let (last, full) = (last.position, records.len() == BATCH);
    lag.micros.store(age(&records), Ordering::Relaxed);
    let transaction = connection.transaction()?;
    apply(&transaction, log, records)?;
    transaction
        .prepare_cached("UPDATE applied SET position = ?1")?
        .execute([last])?;
    transaction.commit()?;
    lag.position.store(last, Ordering::Relaxed);
    Ok(full)
}

/// Age of the first record that says when it was, in microseconds.
fn age(records: &[Record]) -> u64 {
    let time = records.iter().find_map(|record| record.event.time());
    let micros = time.map_or(0, |time| Timestamp::now().as_microsecond() - time.as_microsecond());
    u64::try_from(micros).unwrap_or(0)
}

/// A message's row before it is written; frames answered within the batch are written once.
#[derive(Default)]
struct Row {
    received: Option<(i64, String)>,
    again: u32,
    late: usize,
    state: Option<&'static str>,
    ended: Option<Ended>,
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
            Event::Answered { ended, .. } => {
                row.state = Some(state(&ended.decided));
                row.ended = Some(ended);
            }
            Event::Late(late) => row.late += late.findings.len(),
            Event::Held => row.state = Some("held"),
        }
    }
    order
        .into_iter()
        .filter_map(|number| Some((number, rows.remove(&number)?)))
        .try_for_each(|(n, r)| write(connection, log, n, &r))
}

/// The worst verdict of the parts.
pub fn state(decided: &[Decided]) -> &'static str {
    let rank = |word: &str| {
        ["failed", "refused", "held", "remarked", "accepted"]
            .iter()
            .position(|known| *known == word)
    };
    decided
        .iter()
        .map(|part| part.verdict.word())
        .min_by_key(|word| rank(word))
        .unwrap_or("accepted")
}

fn write(connection: &Connection, log: &Log<'_>, number: u64, row: &Row) -> anyhow::Result<()> {
    let parts = match &row.ended {
        Some(ended) => shown(&ended.decided),
        None if row.state.is_some() => vec![Shown {
            context: log.described(number)?,
            ..Shown::default()
        }],
        None => Vec::new(),
    };
    match (&row.received, row.state) {
        (Some(received), state) => insert(connection, number, received, state.unwrap_or("pending"), &parts)?,
        (None, Some(state)) => update(connection, number, state, &parts)?,
        (None, None) => {}
    }
    if row.again > 0 {
        connection
            .prepare_cached("UPDATE messages SET again = again + ?2 WHERE number = ?1")?
            .execute(params![number, row.again])?;
    }
    if row.late > 0 {
        connection
            .prepare_cached("UPDATE messages SET late = late + ?2 WHERE number = ?1")?
            .execute(params![number, row.late])?;
    }
    parts
        .iter()
        .try_for_each(|part| found_by(connection, number, &part.index))
}

/// What of a part's [`Facts`](causeway_core::store::Facts) is listed and searched. Findings are only counted here, and
/// so never made.
#[derive(Default, Deserialize)]
struct Shown {
    context: Context,
    findings: Vec<IgnoredAny>,
    #[serde(default)]
    index: Index,
}

fn shown(decided: &[Decided]) -> Vec<Shown> {
    decided
        .iter()
        .filter_map(|part| serde_json::from_slice(&part.facts).ok())
        .collect()
}

/// A frame's row, complete if it was answered in the batch that it came in, as nearly all are.
fn insert(
    connection: &Connection,
    number: u64,
    (received, listener): &(i64, String),
    state: &str,
    parts: &[Shown],
) -> anyhow::Result<()> {
    let columns = Columns::of(parts);
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO messages
             (number, received, listener, state, findings, sender, type, control_id, patient)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            number,
            received,
            listener,
            state,
            columns.findings,
            columns.sender,
            columns.message_type,
            columns.control_id,
            columns.patient,
        ])?;
    Ok(())
}

fn update(connection: &Connection, number: u64, state: &str, parts: &[Shown]) -> anyhow::Result<()> {
    let columns = Columns::of(parts);
    connection
        .prepare_cached(
            "UPDATE messages SET state = ?2, findings = ?3, sender = ?4, type = ?5, control_id = ?6, patient = ?7
             WHERE number = ?1",
        )?
        .execute(params![
            number,
            state,
            columns.findings,
            columns.sender,
            columns.message_type,
            columns.control_id,
            columns.patient,
        ])?;
    Ok(())
}

/// What a row says of what was answered.
struct Columns<'a> {
    findings: usize,
    sender: Option<&'a String>,
    message_type: Option<&'a String>,
    control_id: Option<&'a String>,
    patient: Option<&'a String>,
}

impl<'a> Columns<'a> {
    fn of(parts: &'a [Shown]) -> Self {
        let context = parts.first().map(|part| &part.context);
        let text = |pick: fn(&Context) -> &String| context.map(pick).filter(|text| !text.is_empty());
        Self {
            findings: parts.iter().map(|part| part.findings.len()).sum(),
            sender: text(|context| &context.sender),
            message_type: text(|context| &context.message_type),
            control_id: text(|context| &context.control_id),
            patient: parts.first().and_then(patient),
        }
    }
}

/// The patient as people know one: the first identifier, else the key.
fn patient(part: &Shown) -> Option<&String> {
    let mut keys = part.index.keys.iter();
    let known = keys.find(|(kind, _)| *kind == KeyKind::Patient).map(|(_, value)| value);
    known.or(part.context.patient.as_ref())
}

fn found_by(connection: &Connection, number: u64, index: &Index) -> anyhow::Result<()> {
    for (kind, value) in &index.keys {
        connection
            .prepare_cached("INSERT OR IGNORE INTO keys (value, kind, number) VALUES (?1, ?2, ?3)")?
            .execute(params![value, *kind as i64, number])?;
    }
    if !index.words.is_empty() {
        connection
            .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
            .execute(params![number, words::spaced(&index.words)])?;
    }
    Ok(())
}

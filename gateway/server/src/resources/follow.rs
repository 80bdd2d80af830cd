//! The thread that follows the log and writes resources. It ends its read of the log before it writes, since a reader that
//! stays open makes the log's WAL grow.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use causeway_core::answer::{Applied, Effect};
use causeway_core::fhir::{NodeId, Tree};
use causeway_core::store::{Decided, Event, Record, parts_of};
use causeway_core::{Context, Store, Verdict};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Deserialize;
use tokio::sync::Notify;

use super::feed::{self, Statements};
use super::forget::Pass;
use super::merge::Index;
use super::pack::{LARGEST, Slot, Text, bundle_of, entries};
use super::params::Values;
use super::quiet::FORMAT;
use super::recent::Recent;
use super::schema;
use super::sequence::Sequencer;
use super::unite::Unites;
use super::write::{Batch, New};
use crate::projection::Lag;

/// Records of a batch: the more, the fewer runs of the index there are to merge.
const BATCH: usize = 1_000;
/// How long the thread sleeps when it has all of the log and nobody waits: what comes meanwhile is one batch.
const IDLE: Duration = Duration::from_millis(100);

/// The thread.
#[derive(Debug)]
pub struct Resources {
    stop: Arc<AtomicBool>,
    sequencer: Arc<Sequencer>,
    lag: Arc<Lag>,
    stirred: Arc<Notify>,
    wake: mpsc::SyncSender<()>,
    waker: tokio::task::JoinHandle<()>,
    thread: Option<JoinHandle<()>>,
}

impl Resources {
    /// Opens the resources of a data folder, applies what the log has, and goes on following it; writes are put in order
    /// from then on.
    ///
    /// # Errors
    /// The tables cannot be opened.
    pub fn start(
        folder: &Path,
        log: Arc<dyn Store>,
        sequencer: Arc<Sequencer>,
        unites: Unites,
    ) -> anyhow::Result<Self> {
        let connection = schema::open(folder)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, woken) = mpsc::sync_channel(1);
        let (lag, stirred) = (Arc::new(Lag::default()), Arc::new(Notify::new()));
        let follower = Follower {
            index: Index::open(&connection)?,
            recent: Recent::default(),
            connection,
            tail: log.health().tail,
            log,
            sequencer: Arc::clone(&sequencer),
            lag: Arc::clone(&lag),
            pass: None,
            unites,
            stirred: Arc::clone(&stirred),
            stop: Arc::clone(&stop),
            woken,
        };
        let folder = folder.to_owned();
        let thread = std::thread::Builder::new()
            .name("resources".to_owned())
            .spawn(move || follower.run(&folder))?;
        let (asked, told) = (Arc::clone(&sequencer), wake.clone());
        let waker = tokio::spawn(async move {
            loop {
                asked.wanted.notified().await;
                // A full channel means that the thread is told already.
                let _told = told.try_send(());
            }
        });
        Ok(Self {
            stop,
            sequencer,
            lag,
            stirred,
            wake,
            waker,
            thread: Some(thread),
        })
    }

    /// How far it is behind.
    pub fn lag(&self) -> &Arc<Lag> {
        &self.lag
    }

    /// Tells when something was said of a resource that is united.
    pub fn stirred(&self) -> &Arc<Notify> {
        &self.stirred
    }

    /// What puts writes in order.
    pub fn sequencer(&self) -> &Arc<Sequencer> {
        &self.sequencer
    }
}

impl Drop for Resources {
    fn drop(&mut self) {
        self.waker.abort();
        self.stop.store(true, Ordering::Relaxed);
        let _told = self.wake.try_send(());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

struct Follower {
    connection: Connection,
    index: Index,
    recent: Recent,
    log: Arc<dyn Store>,
    sequencer: Arc<Sequencer>,
    lag: Arc<Lag>,
    /// The log's end when it began.
    tail: u64,
    pass: Option<Pass>,
    unites: Unites,
    stirred: Arc<Notify>,
    stop: Arc<AtomicBool>,
    woken: mpsc::Receiver<()>,
}

impl Follower {
    fn run(mut self, folder: &Path) {
        let mut open = false;
        while !self.stop.load(Ordering::Relaxed) {
            let more = self.step().and_then(|more| Ok(self.forget()? || more));
            self.lag.broken(more.is_err());
            if let Err(error) = &more {
                tracing::warn!(%error, "the resources are behind");
                self.again();
            }
            if !open && self.lag.position() >= self.tail {
                // All that the last process said yes to is applied: from here on writes can be judged.
                open = self.sequencer.open(folder).is_ok();
            }
            let rest = match more {
                Ok(true) => continue,
                Ok(false) => IDLE,
                Err(_) => Duration::from_secs(1),
            };
            let _woken = self.woken.recv_timeout(rest);
        }
    }

    /// What was known of a transaction that failed is known no more.
    fn again(&mut self) {
        self.recent = Recent::default();
        self.pass = None;
        match Index::open(&self.connection) {
            Ok(index) => self.index = index,
            Err(error) => tracing::warn!(%error, "the index of resources cannot be read"),
        }
    }

    /// Forgets a little of what is to be forgotten; whether there may be more.
    fn forget(&mut self) -> anyhow::Result<bool> {
        if self.pass.is_none() {
            self.pass = self.lag.take_forget().map(Pass::new);
        }
        let Some(pass) = &mut self.pass else { return Ok(false) };
        let more = pass.step(&mut self.connection)?;
        if !more {
            self.pass = None;
        }
        Ok(more)
    }

    /// Applies one batch; whether more is waiting already.
    fn step(&mut self) -> anyhow::Result<bool> {
        let (position, pack): (u64, u32) = self
            .connection
            .prepare_cached("SELECT position, pack FROM applied")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.sequencer.applied(position);
        self.lag.applied(position);
        let records = self.log.read_from(position, BATCH);
        let records = records.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
        self.lag.seen(&records);
        let Some(last) = records.last().map(|record| record.position) else {
            return Ok(false);
        };
        let full = records.len() == BATCH;
        let transaction = self.connection.transaction()?;
        let mut written = Vec::new();
        let mut batch = Batch::new(&transaction, &mut self.index, &mut self.recent, self.unites, pack);
        for record in records {
            written.extend(answered(&mut batch, self.log.as_ref(), record)?);
        }
        let (stirred, pack) = (batch.stirred, batch.finish()?);
        transaction
            .prepare_cached("UPDATE applied SET position = ?1, pack = ?2")?
            .execute(params![last, pack])?;
        transaction.commit()?;
        self.sequencer.applied(last);
        self.lag.applied(last);
        if stirred {
            self.stirred.notify_one();
        }
        if !written.is_empty() {
            self.sequencer.release(&written);
        }
        Ok(full)
    }
}

/// What of a part's facts is needed here.
#[derive(Debug, Deserialize)]
struct Facts {
    context: Context,
    #[serde(default)]
    applied: Vec<Applied>,
    #[serde(default)]
    removed: Vec<(String, String)>,
}

/// Applies a record, some of its parts at a time; the frame's number, where it wrote what was put in order.
fn answered(batch: &mut Batch<'_>, log: &dyn Store, record: Record) -> anyhow::Result<Option<u64>> {
    let Event::Answered { time, ended } = record.event else {
        return Ok(None);
    };
    let (mut written, large) = (false, ended.earlier);
    let earlier = |from| log.decided_earlier(record.number, from);
    for parts in parts_of(earlier, ended) {
        for part in parts.map_err(|fault| anyhow::anyhow!("{}", fault.inside))? {
            written |= apply(batch, record.number, time, &part)?;
        }
        batch.spill(large)?;
    }
    Ok(written.then_some(record.number))
}

/// Applies a part; whether it wrote what was put in order.
fn apply(batch: &mut Batch<'_>, frame: u64, time: Timestamp, part: &Decided) -> anyhow::Result<bool> {
    let taken = matches!(part.verdict, Verdict::Accepted | Verdict::Remarked);
    let Ok(facts) = serde_json::from_slice::<Facts>(&part.facts) else {
        return Ok(false);
    };
    // What is quiet was taken piece by piece; whatever is thought of the whole, it is known.
    let whole = facts.context.format == FORMAT;
    if !taken && !whole {
        return Ok(false);
    }
    // One that cannot be read is left out, as it would be each time.
    let Ok(tree) = bundle_of(&part.bundle, LARGEST) else {
        return Ok(false);
    };
    if !facts.applied.is_empty() {
        batch.begin(&part.bundle, time.as_microsecond(), None)?;
        let entries = entries(&tree);
        for applied in &facts.applied {
            ordered(batch, &tree, entries.get(applied.entry as usize), applied)?;
        }
        return Ok(true);
    }
    let statements = Statements {
        frame,
        tree: &tree,
        bundle: &part.bundle,
        removed: &facts.removed,
        stated: facts.context.stated.map(Timestamp::as_microsecond),
        time: time.as_millisecond(),
        whole,
    };
    feed::apply(batch, &statements)?;
    Ok(false)
}

/// Writes what was put in order, with the version that was given.
fn ordered(batch: &mut Batch<'_>, tree: &Tree, entry: Option<&NodeId>, applied: &Applied) -> anyhow::Result<()> {
    let (kind, id) = (applied.kind.as_str(), applied.id.as_str());
    let before = batch.current(kind, id, 0)?;
    let known = before.as_ref().map_or(0, |before| before.slot.version);
    if applied.effect == Effect::Found || applied.version == known {
        return Ok(());
    }
    let resource = entry.and_then(|entry| tree.get(*entry, "resource"));
    let deleted = applied.effect == Effect::Deleted;
    // What is deleted has no text; what stands for it says what it is of.
    let text = match resource.filter(|_| !deleted) {
        Some(resource) if tree.get_str(resource, "id") == Some(id) => Vec::new(),
        Some(resource) => causeway_fhir::representation(tree, resource, applied),
        None => serde_json::to_vec(&serde_json::json!({"resourceType": kind, "id": id}))?,
    };
    let values = resource.map(|resource| Values::of(kind, tree, resource, |text| text));
    let new = New {
        kind,
        id,
        slot: Slot {
            text: if text.is_empty() {
                Text::Entry(applied.entry)
            } else {
                Text::Beside(text.len())
            },
            version: applied.version,
            updated: applied.updated.as_microsecond(),
            own: true,
            deleted,
            said: 0,
        },
        text: &text,
        before: before.as_ref(),
        // Versions are given before the log has its order, so a later one may come first.
        behind: known > applied.version,
    };
    batch.put(&new, &values.unwrap_or_default())
}

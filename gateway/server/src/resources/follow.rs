//! The thread that follows the log and writes resources. It ends its read of the log before it writes, since a reader that
//! stays open makes the log's WAL grow.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use causeway_core::answer::{Applied, Effect};
use causeway_core::fhir::{Limits, NodeId, Tree, parse};
use causeway_core::store::{Decided, Event, Record, parts_of};
use causeway_core::{Context, Store, Verdict};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Deserialize;

use super::feed::{self, Statements};
use super::params::Values;
use super::schema;
use super::sequence::Sequencer;
use super::write::{self, New};

/// Records of a batch: the more, the fewer times a page of an index is written.
const BATCH: usize = 1_000;
/// How long the thread sleeps when it has all of the log and nobody waits.
const IDLE: Duration = Duration::from_millis(100);
/// The largest bundle that is read.
const LARGEST: usize = 256 << 20;

/// The thread.
#[derive(Debug)]
pub struct Resources {
    stop: Arc<AtomicBool>,
    sequencer: Arc<Sequencer>,
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
    pub fn start(folder: &Path, log: Arc<dyn Store>, sequencer: Arc<Sequencer>) -> anyhow::Result<Self> {
        let connection = schema::open(folder)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, woken) = mpsc::sync_channel(1);
        let follower = Follower {
            connection,
            log,
            sequencer: Arc::clone(&sequencer),
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
            wake,
            waker,
            thread: Some(thread),
        })
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
    log: Arc<dyn Store>,
    sequencer: Arc<Sequencer>,
    stop: Arc<AtomicBool>,
    woken: mpsc::Receiver<()>,
}

impl Follower {
    fn run(mut self, folder: &Path) {
        let mut open = false;
        while !self.stop.load(Ordering::Relaxed) {
            let more = self.step();
            if let Err(error) = &more {
                tracing::warn!(%error, "the resources are behind");
            }
            if matches!(more, Ok(false)) && !open {
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

    /// Applies one batch; whether there may be more.
    fn step(&mut self) -> anyhow::Result<bool> {
        let position: u64 = self
            .connection
            .prepare_cached("SELECT position FROM applied")?
            .query_row([], |row| row.get(0))?;
        self.sequencer.applied(position);
        let records = self.log.read_from(position, BATCH);
        let records = records.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
        let Some(last) = records.last().map(|record| record.position) else {
            return Ok(false);
        };
        let transaction = self.connection.transaction()?;
        let mut written = Vec::new();
        for record in records {
            written.extend(answered(&transaction, self.log.as_ref(), record)?);
        }
        transaction
            .prepare_cached("UPDATE applied SET position = ?1")?
            .execute([last])?;
        transaction.commit()?;
        if !written.is_empty() {
            self.sequencer.release(&written);
        }
        Ok(true)
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
fn answered(connection: &Connection, log: &dyn Store, record: Record) -> anyhow::Result<Option<u64>> {
    let Event::Answered { time, ended } = record.event else {
        return Ok(None);
    };
    let mut written = false;
    for parts in parts_of(log, record.number, ended) {
        for part in parts.map_err(|fault| anyhow::anyhow!("{}", fault.inside))? {
            written |= apply(connection, time, &part)?;
        }
    }
    Ok(written.then_some(record.number))
}

/// Applies a part; whether it wrote what was put in order.
fn apply(connection: &Connection, time: Timestamp, part: &Decided) -> anyhow::Result<bool> {
    let taken = matches!(part.verdict, Verdict::Accepted | Verdict::Remarked);
    let facts: Facts = match serde_json::from_slice(&part.facts) {
        Ok(facts) if taken => facts,
        _ => return Ok(false),
    };
    let Some(tree) = bundle(part) else { return Ok(false) };
    if !facts.applied.is_empty() {
        write_all(connection, &tree, &facts.applied)?;
        return Ok(true);
    }
    let statements = Statements {
        tree: &tree,
        removed: &facts.removed,
        stated: facts.context.stated.map(Timestamp::as_microsecond),
        time: time.as_millisecond(),
    };
    feed::apply(connection, &statements)?;
    Ok(false)
}

/// The bundle of a part; one that cannot be read is said and left out, as it would be each time.
fn bundle(part: &Decided) -> Option<Tree> {
    let json = causeway_store::decompress(&part.bundle, LARGEST).ok()?;
    let limits = Limits {
        bytes: LARGEST,
        ..Limits::default()
    };
    parse(&json, limits).ok()
}

/// Writes what was put in order, with the versions that were given.
fn write_all(connection: &Connection, tree: &Tree, all: &[Applied]) -> anyhow::Result<()> {
    let entries = tree.get(NodeId::ROOT, "entry");
    let entries: Vec<NodeId> = entries.map(|entry| tree.children(entry).collect()).unwrap_or_default();
    for applied in all {
        let before = write::current(connection, &applied.kind, &applied.id)?;
        let known = before.as_ref().map_or(0, |before| before.version);
        if applied.effect == Effect::Found || applied.version == known {
            continue;
        }
        let entry = entries.get(applied.entry as usize);
        let resource = entry.and_then(|entry| tree.get(*entry, "resource"));
        let (body, values) = match resource {
            Some(resource) => (
                causeway_fhir::representation(tree, resource, applied),
                Values::of(&applied.kind, tree, resource),
            ),
            None => (Vec::new(), Values::default()),
        };
        let new = New {
            kind: &applied.kind,
            id: &applied.id,
            version: applied.version,
            updated: applied.updated.as_microsecond(),
            stated: None,
            own: true,
            deleted: applied.effect == Effect::Deleted,
            body: &body,
        };
        match &before {
            // Versions are given before the log has its order, so a later one may come first.
            Some(before) if before.version > new.version => write::put_behind(connection, before.rid, &new)?,
            _ => write::put(connection, before.as_ref(), &new, &values)?,
        }
    }
    Ok(())
}

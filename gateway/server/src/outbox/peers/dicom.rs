//! A DICOM application entity as a peer: an object is stored with it as it lies on disk. Associations stay open between
//! deliveries and are released when nothing goes out for a while. A repetition is told by its SOP Instance UID, which is
//! the peer's own rule (PS3.7 9.1.1).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use crate::outbox::{Class, Delivered, Destination, Failure, Outgoing, Peer};
use crate::transport::dimse::{Association, CallError, Caller, Kind, ObjectFile, Said, Verdict};
use crate::transport::tls::{Connector, Stream};

/// How long an association stays open without a delivery; peers often give up after a minute or less.
const IDLE: Duration = Duration::from_secs(5);
/// So many kinds of objects are asked for at once; an association has room for 128 contexts.
const KINDS: usize = 64;

/// A DICOM application entity.
#[derive(Debug)]
pub struct Dicom {
    caller: Caller,
    /// Associations that are kept open at most.
    most: usize,
    pool: Arc<Mutex<Pool>>,
}

/// What is kept between deliveries.
#[derive(Debug, Default)]
struct Pool {
    /// Open associations, the one used last at the end.
    open: Vec<(Instant, Association<Stream>)>,
    /// Kinds of objects that went out.
    kinds: BTreeSet<Kind>,
    /// Whether somebody looks after those that are idle.
    tended: bool,
}

impl Dicom {
    /// The application entity of a destination.
    pub fn new(destination: &Destination, called_ae: String, address: String, connector: Connector) -> Self {
        Self {
            caller: Caller {
                address,
                called_ae,
                calling_ae: destination.calling_ae.clone(),
                connector,
                connect: destination.connect_timeout,
                timeout: destination.timeout,
            },
            most: destination.concurrency,
            pool: Arc::default(),
        }
    }

    /// One attempt. An association that is open already may have been closed while nobody looked: that says nothing of
    /// the object, which then goes out by another one.
    async fn store(&self, path: PathBuf) -> Result<Said, Failure> {
        let mut object = open(&path).await?;
        let kept = self.pool().take(&object.kind);
        if let Some(mut association) = kept {
            match association.store(object).await {
                Err(CallError::Broke(_) | CallError::Aborted) => object = open(&path).await?,
                said => return self.ended(association, said).await,
            }
        }
        let kinds = self.pool().kinds(&object.kind);
        let called = self.caller.call(&kinds).await;
        let mut association = called.map_err(|error| no_association(&error))?;
        let said = association.store(object).await;
        self.ended(association, said).await
    }

    /// Keeps an association that is still good, and releases it where there are enough or it did not serve.
    async fn ended(&self, association: Association<Stream>, said: Result<Said, CallError>) -> Result<Said, Failure> {
        let left = match said {
            Ok(_) => self.keep(association),
            Err(CallError::NotTaken { .. }) => Some(association),
            Err(_) => None,
        };
        if let Some(association) = left {
            drop(association.release().await); // all was said
        }
        said.map_err(|error| failed(&error))
    }

    /// Keeps an association for the next delivery; gives it back where as many are open as deliveries go out at once.
    fn keep(&self, association: Association<Stream>) -> Option<Association<Stream>> {
        let mut pool = self.pool();
        if pool.open.len() >= self.most {
            return Some(association);
        }
        pool.open.push((Instant::now(), association));
        if !std::mem::replace(&mut pool.tended, true) {
            tokio::spawn(tend(Arc::clone(&self.pool)));
        }
        None
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }
}

fn lock(pool: &Mutex<Pool>) -> MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// An open association for a kind of object.
    fn take(&mut self, kind: &Kind) -> Option<Association<Stream>> {
        let at = self.open.iter().rposition(|(_, association)| association.takes(kind))?;
        Some(self.open.remove(at).1)
    }

    /// What a new association is asked for: this kind before all, and those of before.
    fn kinds(&mut self, kind: &Kind) -> Vec<Kind> {
        let others = self.kinds.iter().filter(|known| *known != kind);
        let all: Vec<Kind> = std::iter::once(kind).chain(others).take(KINDS).cloned().collect();
        self.kinds = all.iter().cloned().collect();
        all
    }

    /// Those that nothing went out by for a while.
    fn idle(&mut self) -> Vec<Association<Stream>> {
        let fresh = self.open.iter().position(|(used, _)| used.elapsed() < IDLE);
        let idle = self.open.drain(..fresh.unwrap_or(self.open.len()));
        idle.map(|(_, association)| association).collect()
    }
}

/// Releases associations that are idle, until none is open.
async fn tend(pool: Arc<Mutex<Pool>>) {
    loop {
        tokio::time::sleep(IDLE / 4).await;
        let idle = lock(&pool).idle();
        for association in idle {
            drop(association.release().await); // the peer may have gone
        }
        let mut pool = lock(&pool);
        if pool.open.is_empty() {
            pool.tended = false;
            return;
        }
    }
}

async fn open(path: &Path) -> Result<ObjectFile, Failure> {
    let opened = ObjectFile::opened(path.to_owned()).await;
    opened.map_err(|_| unreadable())
}

fn unreadable() -> Failure {
    Failure::new(Class::Broken, "the object cannot be read")
}

impl Peer for Dicom {
    fn deliver(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Delivered, Failure>> {
        Box::pin(async move {
            let Some(path) = outgoing.file else {
                return Err(Failure::new(Class::Broken, "no DICOM object"));
            };
            match self.store(path).await {
                Ok(said) if said.is_taken() => Ok(Delivered::said(format!("{:04X}", said.status))),
                Ok(said) => Err(refused(&said)),
                Err(failure) => Err(failure),
            }
        })
    }
}

/// The comment stays away: it may name a patient.
fn refused(said: &Said) -> Failure {
    let class = match said.verdict() {
        Verdict::Busy => Class::Busy,
        Verdict::Rejected => Class::Rejected,
        Verdict::Failed | Verdict::Done | Verdict::Remarked => Class::Failed,
    };
    Failure::new(class, format!("C-STORE {:04X}", said.status))
}

/// Without an association no object is to blame, whatever the reason: a title that the peer does not know is a matter of
/// configuration, on either side, and the destination rests until it is mended.
fn no_association(error: &CallError) -> Failure {
    let class = match error {
        CallError::Rejected { transient: true, .. } => Class::Busy,
        _ => Class::Unreachable,
    };
    Failure::new(class, cause(error))
}

/// Where an object was under way when the peer went, it is not known whether the peer has it, nor which of the two was to
/// blame: others go first.
fn failed(error: &CallError) -> Failure {
    let class = match error {
        CallError::Timeout | CallError::Broke(_) | CallError::Connect(_) => Class::Timeout,
        CallError::NotTaken { .. } => Class::Rejected,
        CallError::File(_) => return unreadable(),
        CallError::Aborted | CallError::Invalid(_) | CallError::Rejected { .. } => Class::Failed,
    };
    Failure::new(class, cause(error))
}

/// The kind of an error of the system, since its text may hold an address.
fn cause(error: &CallError) -> String {
    match error {
        CallError::Connect(error) => format!("no connection: {}", error.kind()),
        CallError::Broke(error) => format!("the connection broke: {}", error.kind()),
        other => other.to_string(),
    }
}

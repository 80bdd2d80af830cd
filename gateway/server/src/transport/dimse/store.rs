//! One object on its way to disk: fragments are hashed and gathered into blocks, a block is written while the next one
//! comes, and the beginning is kept for the log until the pixels begin. What fails is remembered, the rest is let pass, and
//! the response says why.

use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use super::command::{NOT_UNDERSTOOD, OUT_OF_RESOURCES};
use super::objects::{BLOCK, Objects, Sink, Stored};
use super::part10;
use super::server::MetadataFn;

/// When the beginning is first looked at for where the pixels begin; later at double the length each. A slice's header is
/// shorter.
const FIRST_LOOK: usize = 4 << 10;
/// Blocks that are written together: each hand-over to a thread that may block costs more than copying a block.
const TOGETHER: usize = 3;

/// A failure: its status and what the sender is told.
pub(super) type Failure = (u16, &'static str);

/// What an object may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) object: u64,
    pub(super) metadata: usize,
}

enum Disk {
    /// Not begun: nothing was written yet.
    Fresh(Vec<u8>),
    Idle(Sink),
    Busy(JoinHandle<io::Result<Sink>>),
    Failed,
}

/// An object that is coming.
pub(super) struct Object {
    objects: Arc<Objects>,
    cut: MetadataFn,
    transfer_syntax: String,
    bounds: Bounds,
    disk: Disk,
    /// Full blocks; at most as many others are on their way to the disk.
    full: Vec<Vec<u8>>,
    /// What is gathered.
    block: Vec<u8>,
    hash: Sha256,
    metadata: Vec<u8>,
    /// Whether `metadata` is all that there is to it.
    is_cut: bool,
    look: usize,
    size: u64,
    failure: Option<Failure>,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Object")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Object {
    pub(super) fn new(objects: &Arc<Objects>, cut: MetadataFn, meta: part10::Meta<'_>, bounds: Bounds) -> Self {
        Self {
            objects: Arc::clone(objects),
            cut,
            transfer_syntax: meta.transfer_syntax.to_owned(),
            bounds,
            disk: Disk::Fresh(part10::header(meta)),
            full: Vec::with_capacity(TOGETHER),
            block: objects.block(),
            hash: Sha256::new(),
            metadata: Vec::new(),
            is_cut: false,
            look: FIRST_LOOK,
            size: 0,
            failure: None,
        }
    }

    /// Takes a fragment.
    pub(super) async fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        if self.size > self.bounds.object {
            self.fail((OUT_OF_RESOURCES, "the object is larger than is taken"));
        }
        if self.failure.is_some() {
            return;
        }
        self.keep_metadata(bytes);
        self.hash.update(bytes);
        let mut rest = bytes;
        while !rest.is_empty() && self.failure.is_none() {
            let room = BLOCK.saturating_sub(self.block.len());
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.block.extend_from_slice(now);
            if self.block.len() >= BLOCK {
                let full = std::mem::replace(&mut self.block, self.objects.block());
                self.full.push(full);
            }
            if self.full.len() >= TOGETHER {
                self.flush().await;
            }
            rest = later;
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
        self.disk = Disk::Failed; // a file that was begun is removed
        (self.full, self.block, self.metadata) = (Vec::new(), Vec::new(), Vec::new());
    }

    fn keep_metadata(&mut self, bytes: &[u8]) {
        if self.is_cut {
            return;
        }
        let room = self.bounds.metadata.saturating_sub(self.metadata.len());
        self.metadata.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let full = room <= bytes.len();
        if full || self.metadata.len() >= self.look {
            self.look = self.metadata.len() * 2;
            self.cut_metadata(full);
        }
    }

    fn cut_metadata(&mut self, whole: bool) {
        if let Some(length) = (self.cut)(&self.metadata, &self.transfer_syntax, whole) {
            self.metadata.truncate(length);
            self.metadata.shrink_to_fit();
            self.is_cut = true;
        }
    }

    /// Waits for the blocks before to be written, and lets these be.
    async fn flush(&mut self) {
        match self.settled().await {
            Ok(disk) => {
                let objects = Arc::clone(&self.objects);
                let full = std::mem::replace(&mut self.full, Vec::with_capacity(TOGETHER));
                self.disk = Disk::Busy(spawn_blocking(move || written(&objects, disk, full)));
            }
            Err(error) => self.broken(&error),
        }
    }

    fn broken(&mut self, error: &io::Error) {
        tracing::warn!(%error, "an object could not be written");
        self.fail((OUT_OF_RESOURCES, "the object could not be written"));
    }

    /// The disk, with nothing on its way.
    async fn settled(&mut self) -> io::Result<Disk> {
        match std::mem::replace(&mut self.disk, Disk::Failed) {
            Disk::Busy(writing) => Ok(Disk::Idle(writing.await.map_err(io::Error::other)??)),
            other => Ok(other),
        }
    }

    /// All of it is there: on disk it goes.
    pub(super) async fn finish(mut self) -> Result<Stored, Failure> {
        if self.failure.is_none() && self.size == 0 {
            return Err((NOT_UNDERSTOOD, "the data set is empty"));
        }
        if !self.is_cut && self.failure.is_none() {
            self.cut_metadata(true);
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let stored = match self.settled().await {
            Ok(disk) => self.write_last(disk).await,
            Err(error) => Err(error),
        };
        stored.map_err(|error| {
            tracing::warn!(%error, "an object could not be written");
            (OUT_OF_RESOURCES, "the object could not be written")
        })
    }

    async fn write_last(&mut self, disk: Disk) -> io::Result<Stored> {
        let (objects, mut blocks) = (Arc::clone(&self.objects), std::mem::take(&mut self.full));
        blocks.push(std::mem::take(&mut self.block));
        let metadata = std::mem::take(&mut self.metadata);
        let digest = std::mem::take(&mut self.hash).finalize().into();
        let (say, said) = oneshot::channel();
        spawn_blocking(move || {
            match written(&objects, disk, blocks) {
                Ok(sink) => sink.finish(digest, &metadata, say),
                Err(error) => drop(say.send(Err(error))), // whoever asked may have gone
            }
        });
        said.await.map_err(io::Error::other)?
    }
}

/// The file with more blocks in it.
fn written(objects: &Arc<Objects>, disk: Disk, blocks: Vec<Vec<u8>>) -> io::Result<Sink> {
    let mut sink = opened(objects, disk)?;
    for block in blocks {
        sink.write(block)?;
    }
    Ok(sink)
}

fn opened(objects: &Arc<Objects>, disk: Disk) -> io::Result<Sink> {
    match disk {
        Disk::Fresh(header) => objects.begin(header),
        Disk::Idle(sink) => Ok(sink),
        Disk::Busy(_) | Disk::Failed => Err(io::Error::other("the object failed before")),
    }
}

//! Files in a folder: a file is taken when it is whole, becomes a frame, and its replies are written as files. It knows
//! folders and names and no format. A file is never deleted: it ends among the processed or the failed.

mod counters;
mod folder;
mod options;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use causeway_core::{Fault, FaultKind, Frame, Head, Leave, Reply};
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;
use tracing::{info, warn};

use self::folder::{End, Folder, Read, Seen};
use super::mllp::RefuseFn;
use crate::replies::Outgoing;
use crate::service::FrameService;
use crate::spool::Spool;

pub use counters::{Counters, Counts};
pub use options::Options;

/// Files in work at once; they are handed over in order.
const IN_WORK: usize = 16;
/// Between attempts at a file that could not be taken for a reason that passes.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// What a listener on a folder is made of.
#[derive(Clone)]
pub struct Listener {
    /// Its configured name.
    pub name: Arc<str>,
    /// What takes the frames.
    pub service: FrameService,
    /// What renders refusals.
    pub refuse: RefuseFn,
    /// Its settings.
    pub options: Options,
    /// Where files go that are too large for memory.
    pub spool: Arc<Spool>,
    /// What it counts.
    pub counters: Arc<Counters>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("name", &self.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Makes the folders where they lack.
    ///
    /// # Errors
    /// One cannot be made.
    pub fn prepare(&self) -> io::Result<()> {
        Folder::of(&self.options).prepare()
    }

    /// Looks for files until `shutdown` says true; then lets what is in work end.
    pub async fn serve(self, mut shutdown: watch::Receiver<bool>) {
        info!(listener = %self.name, folder = %self.options.folder.display(), "looking for files");
        let listener = Arc::new(self);
        let places = Arc::new(Semaphore::new(IN_WORK));
        let mut work = JoinSet::new();
        let mut seen = BTreeMap::new();
        // What a process before this one had taken and not ended.
        let mut taken = listener.look(|folder, _| folder.left_over(), &mut seen).await;
        while !*shutdown.borrow() {
            for name in taken {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                let ended = listener.take(&name, &shutdown).await;
                let listener = Arc::clone(&listener);
                work.spawn(async move {
                    if let Some(ended) = ended {
                        ended.finish(&listener, &name).await;
                    }
                    drop(place);
                });
                while work.try_join_next().is_some() {}
            }
            tokio::select! {
                biased;
                _ = shutdown.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(listener.options.look) => {}
            }
            taken = listener.look(Folder::whole, &mut seen).await;
        }
        while work.join_next().await.is_some() {}
    }

    /// Looks at the folder away from the runtime's workers; a folder that cannot be read is looked at again later.
    async fn look(
        &self,
        how: impl FnOnce(&Folder, &mut BTreeMap<String, Seen>) -> io::Result<Vec<String>> + Send + 'static,
        seen: &mut BTreeMap<String, Seen>,
    ) -> Vec<String> {
        let folder = Folder::of(&self.options);
        let mut known = std::mem::take(seen);
        let looked = tokio::task::spawn_blocking(move || {
            let found = how(&folder, &mut known);
            (known, found)
        });
        match looked.await {
            Ok((known, Ok(found))) => {
                *seen = known;
                found
            }
            Ok((known, Err(error))) => {
                *seen = known;
                warn!(listener = %self.name, %error, "the folder cannot be read");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// Hands a taken file over until that succeeds; nothing when the gateway stops before.
    async fn take(&self, name: &str, shutdown: &watch::Receiver<bool>) -> Option<Ended> {
        let mut pause = PAUSES.0;
        loop {
            let fault = match self.hand_over(name).await {
                Ok(ended) => return Some(ended),
                Err(fault) => fault,
            };
            self.counters.put_off.add(1);
            warn!(listener = %self.name, %fault, "a file waits");
            let mut stop = shutdown.clone();
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn hand_over(&self, name: &str) -> Result<Ended, Fault> {
        let head = |spooled| Head::File {
            name: name.to_owned(),
            spooled,
        };
        let (spooled, body) = match self.read(name).await? {
            Read::Whole(body) => (None, body),
            Read::Spooled(spooled, beginning) => (Some(spooled), beginning),
            Read::TooLarge(beginning) => {
                self.counters.oversize.add(1);
                let fault = Fault::new(FaultKind::TooLarge, "the file is larger than this listener takes");
                return Ok(Ended::Refused((self.refuse)(&head(None), &beginning, fault)));
            }
        };
        let length = spooled.as_ref().map_or(body.len() as u64, |spooled| spooled.length);
        let frame = Frame {
            listener: Arc::clone(&self.name),
            peer: Arc::from("file"),
            received: Timestamp::now(),
            head: head(spooled),
            body,
        };
        match self.service.clone().oneshot(frame).await {
            Ok(replies) => {
                self.counters.frames.add(1);
                self.counters.bytes_in.add(length);
                Ok(Ended::Replies(replies))
            }
            Err(never) => match never {},
        }
    }

    async fn read(&self, name: &str) -> Result<Read, Fault> {
        let (folder, name) = (Folder::of(&self.options), name.to_owned());
        let (spool, largest) = (Arc::clone(&self.spool), self.options.largest as u64);
        let read = tokio::task::spawn_blocking(move || folder.read(&name, &spool, largest)).await;
        let read = read.map_err(|_| Fault::new(FaultKind::Internal, "a file could not be read"))?;
        read.map_err(|error| Fault::new(FaultKind::Storage, "a file could not be read now").inside(error.to_string()))
    }
}

/// A file that was handed over.
enum Ended {
    Replies(crate::replies::Replies),
    Refused(Reply),
}

impl Ended {
    /// Waits for the replies, writes them and moves the file to where it ends. What could not be kept stays taken, and is
    /// tried again at the next start.
    async fn finish(self, listener: &Listener, name: &str) {
        let outgoing = match self {
            Self::Replies(replies) => replies.collect().await,
            Self::Refused(reply) => {
                let leave = Leave::Passing;
                vec![Outgoing { leave, reply }]
            }
        };
        let waits = |outgoing: &Outgoing| matches!(&outgoing.leave, Leave::NotKept(fault) if fault.retry);
        let counters = &listener.counters;
        if outgoing.iter().any(waits) {
            counters.put_off.add(1);
            warn!(listener = %listener.name, "a file could not be kept; it waits for the next start");
            return;
        }
        let end = if outgoing.iter().all(|outgoing| outgoing.reply.positive) {
            End::Processed
        } else {
            End::Failed
        };
        // Several replies of a kind follow each other in one file, as messages and interchanges may.
        let mut replies: BTreeMap<&'static str, Vec<u8>> = BTreeMap::new();
        for Outgoing { reply, .. } in outgoing.iter().filter(|outgoing| !outgoing.reply.bytes.is_empty()) {
            let file = replies.entry(folder::ending(reply.kind)).or_default();
            file.extend_from_slice(&reply.bytes);
        }
        let count = replies.len() as u64;
        let (folder, name) = (Folder::of(&listener.options), name.to_owned());
        let finished = tokio::task::spawn_blocking(move || folder.finish(&name, &replies, end)).await;
        match finished {
            Ok(Ok(())) => {
                counters.replies.add(count);
                let ended = match end {
                    End::Processed => &counters.processed,
                    End::Failed => &counters.failed,
                };
                ended.add(1);
            }
            Ok(Err(error)) => {
                warn!(listener = %listener.name, %error, "the replies of a file could not be written; it is taken again at the next start");
            }
            Err(_) => {}
        }
    }
}

//! The folder of stored objects: `objects/` in the data folder, a file each, named by the hash of what the log keeps of
//! it. A file has its name only when it is whole and on disk; until then it lies in `objects/incoming/`, which is emptied
//! at the start. Everything here blocks and runs on threads for that.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::Bytes;
use rustix::fs::{Advice, fadvise};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::part10;

/// Bytes written at a time.
pub(super) const BLOCK: usize = 128 << 10;
/// Bytes of a page of memory, or more.
const PAGE: u64 = 16 << 10;
/// Blocks kept for the next objects.
const SPARE: usize = 16;

/// The folder.
#[derive(Debug)]
pub struct Objects {
    folder: PathBuf,
    incoming: PathBuf,
    next: AtomicU64,
    spare: Mutex<Vec<Vec<u8>>>,
}

/// An object whose bytes are on disk, under its name.
#[derive(Debug)]
pub(super) struct Stored {
    /// Says when the name itself is on disk.
    pub(super) named: oneshot::Receiver<io::Result<()>>,
    /// Its file below the folder.
    pub(super) name: String,
    /// Its beginning up to its pixels: what goes into the log.
    pub(super) body: Bytes,
    /// Bytes of the whole file.
    pub(super) size: u64,
}

impl Objects {
    /// Opens the folder of a data folder and throws away what an earlier process left half done.
    ///
    /// # Errors
    /// The folder cannot be made or emptied.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("objects");
        let incoming = folder.join("incoming");
        make(&incoming)?;
        for entry in fs::read_dir(&incoming)? {
            fs::remove_file(entry?.path())?;
        }
        for first in 0..=u8::MAX {
            make(&folder.join(format!("{first:02x}")))?;
        }
        File::open(&folder)?.sync_all()?;
        Ok(Self {
            folder,
            incoming,
            next: AtomicU64::new(0),
            spare: Mutex::default(),
        })
    }

    /// An empty block, with room for [`BLOCK`] bytes.
    pub(super) fn block(&self) -> Vec<u8> {
        let spare = self.spare.lock().ok().and_then(|mut spare| spare.pop());
        spare.unwrap_or_else(|| Vec::with_capacity(BLOCK))
    }

    /// Takes a block back: its pages are there already when the next object needs them.
    fn take_back(&self, mut block: Vec<u8>) {
        block.clear();
        if let Ok(mut spare) = self.spare.lock()
            && spare.len() < SPARE
            && block.capacity() >= BLOCK
        {
            spare.push(block);
        }
    }

    /// Removes objects of a data folder that were stored before a time, and returns how many.
    ///
    /// # Errors
    /// The folder cannot be read, or a file not be removed.
    pub fn forget(data: &Path, before: SystemTime) -> io::Result<u64> {
        let folders = match fs::read_dir(data.join("objects")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            read => read?,
        };
        let mut removed = 0;
        for folder in folders {
            let folder = folder?;
            if folder.file_name() == "incoming" || !folder.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(folder.path())? {
                let entry = entry?;
                if entry.metadata()?.modified()? < before {
                    fs::remove_file(entry.path())?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Where an object's file is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Begins a file with the header of its data set.
    pub(super) fn begin(self: &Arc<Self>, header: Vec<u8>) -> io::Result<Sink> {
        let path = self
            .incoming
            .join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let mut sink = Sink {
            objects: Arc::clone(self),
            file,
            path: Some(path),
            size: header.len() as u64,
            header,
        };
        sink.file.write_all(&sink.header)?;
        Ok(sink)
    }
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A file that is being written; removed when dropped before its end.
#[derive(Debug)]
pub(super) struct Sink {
    objects: Arc<Objects>,
    file: File,
    path: Option<PathBuf>,
    header: Vec<u8>,
    size: u64,
}

impl Sink {
    /// Writes more of the data set.
    pub(super) fn write(&mut self, block: Vec<u8>) -> io::Result<()> {
        self.file.write_all(&block)?;
        self.set_out(block.len() as u64);
        self.size += block.len() as u64;
        self.objects.take_back(block);
        Ok(())
    }

    /// Lets the disk begin with what was written while the rest is still coming: Linux writes out what is not needed in
    /// memory. The header's page waits for its digest.
    fn set_out(&self, length: u64) {
        let from = self.size.max(PAGE);
        if let Some(length) = (self.size + length).checked_sub(from).and_then(NonZeroU64::new) {
            // Nothing depends on it: the file is synced at its end.
            let _wish = fadvise(&self.file, from, Some(length), Advice::DontNeed);
        }
    }

    /// Puts the data set's digest into the header and the file on disk, gives it its name, says so, and puts the name on
    /// disk, too.
    pub(super) fn finish(mut self, digest: [u8; 32], metadata: &[u8], say: oneshot::Sender<io::Result<Stored>>) {
        let (settle, named) = oneshot::channel();
        // Whoever asked may have gone.
        match self.settle(digest, metadata, named) {
            Ok((stored, folder)) => {
                drop(say.send(Ok(stored)));
                drop(settle.send(folder.sync_all()));
            }
            Err(error) => drop(say.send(Err(error))),
        }
    }

    fn settle(
        &mut self,
        digest: [u8; 32],
        metadata: &[u8],
        named: oneshot::Receiver<io::Result<()>>,
    ) -> io::Result<(Stored, File)> {
        let at = part10::digest_at(&self.header);
        self.file.write_all_at(&digest, at as u64)?;
        self.file.sync_data()?;
        let body: Vec<u8> = [self.header.get(..at).unwrap_or_default(), &digest, metadata].concat();
        let name = name(&Sha256::digest(&body).into());
        let folder = self.rename(&name)?;
        let stored = Stored {
            named,
            name,
            body: body.into(),
            size: self.size,
        };
        Ok((stored, folder))
    }

    fn rename(&mut self, name: &str) -> io::Result<File> {
        let to = self.objects.path(name);
        let folder = File::open(to.parent().unwrap_or(&self.objects.folder))?;
        if let Some(path) = &self.path {
            fs::rename(path, &to)?;
        }
        self.path = None;
        Ok(folder)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, "a broken object could not be removed");
        }
    }
}

/// `ab/abcd….dcm`: 256 folders keep each of them small.
fn name(hash: &[u8; 32]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in hash {
        // Writing to a String cannot fail.
        let _written = write!(hex, "{byte:02x}");
    }
    format!("{}/{hex}.dcm", hex.get(..2).unwrap_or_default())
}

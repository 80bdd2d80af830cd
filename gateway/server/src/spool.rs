//! Bodies that are too large for memory and log: each in a file of its own in the data folder, under the name of its
//! hash, written whole before anybody may refer to it. The log keeps their beginning and the hash. How long they stay
//! follows from the log: none goes while a frame that is as old is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use causeway_core::{Fault, FaultKind, Frame, MemorySource, Source, Spooled};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// What a frame holds of a spooled body, for listings and refusals.
pub const BEGINNING: usize = 64 << 10;
/// The longest slice that is read at once.
const SLICE: u64 = 64 << 20;
/// The end of a name that is being written.
const UNFINISHED: &str = ".part";

/// The folder of large bodies.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    next: AtomicU64,
}

impl Spool {
    /// The spool of a data folder; nothing is made before something is written.
    pub fn of(data: &Path) -> Self {
        Self {
            folder: data.join("spool"),
            next: AtomicU64::new(0),
        }
    }

    /// A body to be written piece by piece.
    ///
    /// # Errors
    /// The folder or file cannot be made.
    pub fn write(&self) -> io::Result<Writing> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{}-{number}{UNFINISHED}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Writing {
            file,
            path,
            folder: self.folder.clone(),
            hash: Sha256::new(),
            length: 0,
            beginning: BytesMut::new(),
        })
    }

    /// The file of a frame's body, where it is not in the frame.
    pub fn file(&self, frame: &Frame) -> Option<PathBuf> {
        let hash = frame.head.spooled()?.hash()?;
        Some(self.folder.join(Spooled::new(&hash, 0).sha256))
    }

    /// The bytes of a frame, wherever they are.
    ///
    /// # Errors
    /// They are spooled and their file cannot be opened or is shorter than it was.
    pub fn source(&self, frame: &Frame) -> Result<Body, Fault> {
        let Some(spooled) = frame.head.spooled() else {
            return Ok(Body::Memory(MemorySource(frame.body.clone())));
        };
        // Only what is a hash names a file here.
        let hash = spooled.hash().ok_or_else(|| lost("its name is no hash"))?;
        let path = self.folder.join(Spooled::new(&hash, 0).sha256);
        let file = File::open(&path).map_err(|error| lost(&error.to_string()))?;
        let length = file.metadata().map_err(|error| lost(&error.to_string()))?.len();
        if length < spooled.length {
            return Err(lost(&format!("{length} of {} bytes are there", spooled.length)));
        }
        Ok(Body::File(FileSource {
            file,
            length: spooled.length,
        }))
    }

    /// Removes what was last written before a time, unfinished files too; returns how many.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn sweep(&self, before: Timestamp) -> io::Result<u64> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut removed = 0;
        for entry in entries {
            let entry = entry?;
            let written = Timestamp::try_from(entry.metadata()?.modified()?);
            if written.is_ok_and(|written| written < before) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn lost(why: &str) -> Fault {
    Fault::new(FaultKind::Storage, "the body of this frame cannot be read now").inside(format!("spooled body: {why}"))
}

/// A body that is being written; dropped before its end, nothing of it stays.
#[derive(Debug)]
pub struct Writing {
    file: File,
    path: PathBuf,
    folder: PathBuf,
    hash: Sha256,
    length: u64,
    beginning: BytesMut,
}

impl Writing {
    /// Appends bytes.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        let room = BEGINNING.saturating_sub(self.beginning.len()).min(bytes.len());
        self.beginning.extend_from_slice(bytes.get(..room).unwrap_or_default());
        Ok(())
    }

    /// Makes it durable under its name; what it is, and its beginning.
    ///
    /// # Errors
    /// It cannot be made durable.
    pub fn finish(mut self) -> io::Result<(Spooled, Bytes)> {
        self.file.sync_all()?;
        let hash: [u8; 32] = std::mem::take(&mut self.hash).finalize().into();
        let spooled = Spooled::new(&hash, self.length);
        // The same bytes again renew the file of before, and its age with it.
        fs::rename(&self.path, self.folder.join(&spooled.sha256))?;
        File::open(&self.folder)?.sync_all()?;
        Ok((spooled, std::mem::take(&mut self.beginning).freeze()))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // After a finish there is none of this name.
        let _gone = fs::remove_file(&self.path);
    }
}

/// The bytes of a frame.
#[derive(Debug)]
pub enum Body {
    /// In memory.
    Memory(MemorySource),
    /// In a file.
    File(FileSource),
}

/// A spooled body; each slice is one read.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    length: u64,
}

impl Source for Body {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(source) => source.len(),
            Self::File(source) => source.length,
        }
    }

    fn slice(&mut self, range: Range<u64>) -> Result<Bytes, Fault> {
        match self {
            Self::Memory(source) => source.slice(range),
            Self::File(source) => source.read(&range),
        }
    }
}

impl FileSource {
    fn read(&self, range: &Range<u64>) -> Result<Bytes, Fault> {
        let outside = || Fault::new(FaultKind::Internal, "a read outside the frame");
        let length = range.end.checked_sub(range.start).ok_or_else(outside)?;
        if range.end > self.length || length > SLICE {
            return Err(outside());
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| outside())?];
        self.file
            .read_exact_at(&mut bytes, range.start)
            .map_err(|error| lost(&error.to_string()))?;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use causeway_core::Head;
    use jiff::ToSpan;

    use super::*;

    fn frame(spooled: Spooled, body: Bytes) -> Frame {
        Frame {
            listener: "claims".into(),
            peer: "folder".into(),
            received: Timestamp::UNIX_EPOCH,
            head: Head::File {
                name: "a.edi".into(),
                spooled: Some(spooled),
            },
            body,
        }
    }

    #[test]
    fn what_was_written_is_read_again_by_its_hash() {
        let data = tempfile::tempdir().unwrap();
        let spool = Spool::of(data.path());
        let mut writing = spool.write().unwrap();
        let piece = vec![b'x'; 100_000];
        writing.push(b"ISA").unwrap();
        writing.push(&piece).unwrap();
        let (spooled, beginning) = writing.finish().unwrap();
        assert_eq!((spooled.length, beginning.len()), (100_003, BEGINNING));
        let mut whole = b"ISA".to_vec();
        whole.extend(&piece);
        assert_eq!(spooled.hash(), Some(Sha256::digest(&whole).into()));
        let mut source = spool.source(&frame(spooled.clone(), beginning.clone())).unwrap();
        assert_eq!(source.slice(1..5).unwrap(), "SAxx");
        assert!(source.slice(100_000..100_004).is_err());
        assert!(spool.source(&frame(Spooled::new(&[0; 32], 1), beginning)).is_err());
    }

    #[test]
    fn nothing_stays_of_what_was_not_finished_or_is_too_old() {
        let data = tempfile::tempdir().unwrap();
        let spool = Spool::of(data.path());
        assert_eq!(spool.sweep(Timestamp::now()).unwrap(), 0);
        let count = || fs::read_dir(data.path().join("spool")).unwrap().count();
        spool.write().unwrap().push(b"half").unwrap();
        assert_eq!(count(), 0);
        spool.write().unwrap().finish().unwrap();
        assert_eq!(spool.sweep(Timestamp::UNIX_EPOCH).unwrap(), 0);
        assert_eq!(count(), 1);
        let later = Timestamp::now() + 1.minute();
        assert_eq!(spool.sweep(later).unwrap(), 1);
        assert_eq!(count(), 0);
    }

    #[test]
    fn a_name_that_is_no_hash_opens_nothing() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("secret"), "x").unwrap();
        let spooled = Spooled {
            sha256: "../secret".into(),
            length: 1,
        };
        assert!(Spool::of(data.path()).source(&frame(spooled, Bytes::new())).is_err());
    }
}

//! The folders and what happens in them: which files are whole, taking one, reading it, writing its replies, putting it
//! away. Every change is one rename, so that a crash leaves each file in exactly one place; nothing here waits for
//! anything but the disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use causeway_core::{ReplyKind, Spooled};

use super::Options;
use crate::spool::{BEGINNING, Spool};

/// What is at most held in memory of a file.
const IN_MEMORY: u64 = 1 << 20;
/// Files taken at one look.
const AT_ONCE: usize = 1_000;
/// Ends of names that are being written by somebody.
const UNFINISHED: [&str; 5] = [".tmp", ".part", ".filepart", ".crdownload", "~"];

/// The folders of a listener.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
    settle: std::time::Duration,
}

/// How a file looked at the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    length: u64,
    modified: SystemTime,
    since: Instant,
}

/// A file's bytes.
#[derive(Debug)]
pub(super) enum Read {
    Whole(Bytes),
    /// In the spool, with its beginning.
    Spooled(Spooled, Bytes),
    /// Larger than allowed; its beginning.
    TooLarge(Bytes),
}

/// Where a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Processed,
    Failed,
}

/// How the file of a reply ends.
pub(super) fn ending(kind: ReplyKind) -> &'static str {
    match kind {
        ReplyKind::Commit => "commit",
        ReplyKind::Application => "reply",
        ReplyKind::Refusal => "refusal",
    }
}

impl Folder {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            root: options.folder.clone(),
            settle: options.settle,
        }
    }

    fn inner(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn prepare(&self) -> io::Result<()> {
        ["inbound", "working", "processed", "failed", "replies"]
            .iter()
            .try_for_each(|name| fs::create_dir_all(self.inner(name)))
    }

    /// Names of taken files that did not end.
    pub(super) fn left_over(&self) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = files(&self.inner("working"))?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Takes the files that are whole, the oldest first; their names in `working`.
    pub(super) fn whole(&self, seen: &mut BTreeMap<String, Seen>) -> io::Result<Vec<String>> {
        let inbound = self.inner("inbound");
        let mut now = BTreeMap::new();
        let mut whole = Vec::new();
        for (name, meta) in files(&inbound)? {
            let (length, modified) = (meta.len(), meta.modified()?);
            let fresh = Seen {
                length,
                modified,
                since: Instant::now(),
            };
            let before = seen.get(&name).copied();
            let same = before.filter(|before| (before.length, before.modified) == (length, modified));
            let state = same.unwrap_or(fresh);
            if state.since.elapsed() >= self.settle && whole.len() < AT_ONCE {
                whole.push((modified, name));
            } else {
                now.insert(name, state);
            }
        }
        *seen = now;
        whole.sort();
        whole
            .into_iter()
            .map(|(_, name)| self.shift(&inbound.join(&name), "working", &name))
            .collect()
    }

    /// Reads a taken file, into the spool when it is large.
    pub(super) fn read(&self, name: &str, spool: &Spool, largest: u64) -> io::Result<Read> {
        let mut file = File::open(self.inner("working").join(name))?;
        let length = file.metadata()?.len();
        if length > largest {
            return Ok(Read::TooLarge(beginning(&mut file)?));
        }
        if length <= IN_MEMORY {
            let mut bytes = Vec::new();
            file.take(IN_MEMORY).read_to_end(&mut bytes)?;
            return Ok(Read::Whole(bytes.into()));
        }
        let mut writing = spool.write()?;
        let mut piece = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            writing.push(piece.get(..read).unwrap_or_default())?;
        }
        let (spooled, beginning) = writing.finish()?;
        Ok(Read::Spooled(spooled, beginning))
    }

    /// Writes the replies, and only then puts the file away.
    pub(super) fn finish(&self, name: &str, replies: &BTreeMap<&'static str, Vec<u8>>, end: End) -> io::Result<()> {
        for (ending, bytes) in replies {
            self.write(&format!("{name}.{ending}"), bytes)?;
        }
        let end = match end {
            End::Processed => "processed",
            End::Failed => "failed",
        };
        self.shift(&self.inner("working").join(name), end, name)?;
        Ok(())
    }

    /// A reply appears under its name only when it is whole and durable.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let part = self.inner("replies").join(format!(".{name}.part"));
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        self.shift(&part, "replies", name)?;
        Ok(())
    }

    /// Moves a file into a folder under its name, or with a number where that is taken; durable when it returns. Only
    /// this process moves files here, so that a free name stays free.
    fn shift(&self, from: &Path, into: &str, name: &str) -> io::Result<String> {
        let into = self.inner(into);
        let mut free = name.to_owned();
        let mut number = 1;
        while into.join(&free).symlink_metadata().is_ok() {
            number += 1;
            free = format!("{name}.{number}");
        }
        fs::rename(from, into.join(&free))?;
        File::open(&into)?.sync_all()?;
        Ok(free)
    }
}

/// The plain files of a folder that nobody is writing; names that are no UTF-8 are left and said.
fn files(folder: &Path) -> io::Result<Vec<(String, fs::Metadata)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            tracing::warn!(folder = %folder.display(), "a file whose name is not UTF-8 is left alone");
            continue;
        };
        let meta = match entry.path().symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // somebody took it back
            meta => meta?,
        };
        let written = name.starts_with('.') || UNFINISHED.iter().any(|end| name.ends_with(end));
        if meta.is_file() && !written {
            found.push((name, meta));
        }
    }
    Ok(found)
}

fn beginning(file: &mut File) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    file.take(BEGINNING as u64).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

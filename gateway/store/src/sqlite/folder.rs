//! The data folder: only its owner may look into it (0700, files 0600), and only one gateway may use it. The lock is the
//! operating system's, so it goes with the process however that ends.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use causeway_core::Fault;

use crate::storage;

/// A data folder that this process has to itself.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there and takes it.
    pub(super) fn take(dir: &Path) -> Result<Self, Fault> {
        let name = dir.display();
        let wrong = |error| storage(format_args!("the data folder {name} cannot be used: {error}"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(wrong)?;
        tighten(dir).map_err(wrong)?;
        let lock = private(&dir.join("lock")).map_err(wrong)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(storage(format_args!("another gateway uses the data folder {name}")));
            }
            Err(TryLockError::Error(error)) => return Err(wrong(error)),
        }
        // SQLite gives its journal and index files the mode of the database.
        private(&log_in(dir)).map_err(wrong)?;
        // The file's name is to be on disk before anything in it is.
        File::open(dir).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// The log's file.
    pub(super) fn log(&self) -> PathBuf {
        log_in(&self.dir)
    }
}

/// The log's file in a data folder.
pub(super) fn log_in(dir: &Path) -> PathBuf {
    dir.join("log.sqlite")
}

fn tighten(dir: &Path) -> std::io::Result<()> {
    let mode = std::fs::metadata(dir)?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => std::fs::set_permissions(dir, Permissions::from_mode(mode & !0o077)),
    }
}

/// Opens or makes a file that only its owner may read.
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

//! The files that the gateway keeps beside the log, each an SQLite database of its own: how one is made, opened beside its
//! writer and taken away. What is in them, and how it is written, is their owners' business.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// How long a statement waits for another that writes.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Makes the file if it is not there, readable by its owner only; SQLite gives its journals the same mode.
///
/// # Errors
/// It can be neither made nor opened.
pub(crate) fn private(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    // One that an earlier version made may be wider.
    options.open(file)?.set_permissions(Permissions::from_mode(0o600))
}

/// Opens a file beside the one that writes it.
///
/// # Errors
/// It is not there or cannot be opened.
pub(crate) fn read_only(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    // Or else a statement with conditions on a row of values is prepared again each time that it gets new ones.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Takes a file away with its journals.
pub(crate) fn remove(file: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        // What is not there need not be removed.
        let _absent = std::fs::remove_file(name);
    }
}

//! How connections to the log's file are opened. Their page caches are bounded, since they are most of what an idle
//! gateway would hold.

use std::path::Path;
use std::time::Duration;

use causeway_core::Fault;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{fault, schema};

/// Another process may hold a lock for a moment: a checkpoint, or somebody's `sqlite3`.
const BUSY: Duration = Duration::from_secs(2);
/// Distinct statements of this crate and of the days of a window, with room.
const STATEMENTS: usize = 96;

/// The writer's connection, its tables at this version. SQLite checkpoints at 1,000 pages by default, which measured
/// best.
pub(super) fn writer(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(fault)?;
    set(
        &db,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-2048; PRAGMA journal_size_limit=33554432;",
    )?;
    schema::migrate(&mut db)?;
    Ok(db)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(fault)?;
    set(&db, "PRAGMA query_only=1; PRAGMA cache_size=-512;")?;
    Ok(db)
}

fn set(db: &Connection, pragmas: &str) -> Result<(), Fault> {
    db.busy_timeout(BUSY).map_err(fault)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it SQLite prepares a kept statement again whenever a bound value that its plan looked at changes: 28 us a
    // message.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(fault)?;
    db.execute_batch(pragmas).map_err(fault)
}

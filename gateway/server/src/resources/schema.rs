//! The tables of resources. They stand apart from those of messages, since what is current here is never forgotten and is
//! not to be made again from a log that has dropped its beginning.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Version of the tables, kept in `user_version`; another version is brought forward here when there is one.
const VERSION: i64 = 1;

/// `own` is 1 for what was written over HTTP. Times are microseconds since 1970. `param` is a type and search parameter
/// in one number, see `params`.
const TABLES: &str = "
    CREATE TABLE applied (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
    INSERT INTO applied VALUES (1, 0);
    CREATE TABLE resource (
        rid INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        stated INTEGER,
        own INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (kind, id)
    );
    CREATE TABLE old (
        rid INTEGER NOT NULL, version INTEGER NOT NULL, updated INTEGER NOT NULL, deleted INTEGER NOT NULL,
        body BLOB NOT NULL, UNIQUE (rid, version)
    );
    CREATE TABLE token (param INTEGER NOT NULL, code TEXT NOT NULL, system TEXT NOT NULL, rid INTEGER NOT NULL,
        PRIMARY KEY (param, code, system, rid)) WITHOUT ROWID;
    CREATE INDEX token_rid ON token (rid);
    CREATE TABLE refers (param INTEGER NOT NULL, target TEXT NOT NULL, rid INTEGER NOT NULL,
        PRIMARY KEY (param, target, rid)) WITHOUT ROWID;
    CREATE INDEX refers_rid ON refers (rid);
    CREATE TABLE date (param INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
        PRIMARY KEY (param, low, high, rid)) WITHOUT ROWID;
    CREATE INDEX date_rid ON date (rid);
";

/// Opens the tables for writing, new or again.
pub(super) fn open(folder: &Path) -> anyhow::Result<Connection> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = folder.join("fhir.db");
    let mut options = std::fs::OpenOptions::new();
    // Readable by its owner only; SQLite gives its journals the same mode.
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&file)?;
    let connection = Connection::open(&file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?; // what a crash loses is in the log
    connection.pragma_update(None, "cache_size", -48_000)?; // KiB; ids are random, so their index is met all over
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    match connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? {
        0 => connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?,
        VERSION => {}
        other => anyhow::bail!("fhir.db has the unknown version {other}"),
    }
    Ok(connection)
}

/// Opens the tables for reading, beside the one that writes.
pub(super) fn read_only(folder: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join("fhir.db"), flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

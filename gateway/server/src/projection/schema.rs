//! The read model's tables. A file of another version is thrown away and rebuilt from the log: nothing stands here that
//! the log does not hold.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Version of the tables, kept in `user_version`.
const VERSION: i64 = 2;

const TABLES: &str = "
    CREATE TABLE applied (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
    INSERT INTO applied VALUES (1, 0);
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        received INTEGER NOT NULL,
        listener TEXT NOT NULL,
        sender TEXT,
        type TEXT,
        control_id TEXT,
        patient TEXT,
        state TEXT NOT NULL,
        findings INTEGER NOT NULL DEFAULT 0,
        again INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX messages_received ON messages (received);
    CREATE INDEX messages_control ON messages (control_id) WHERE control_id IS NOT NULL;
    CREATE INDEX messages_open ON messages (state, number) WHERE state NOT IN ('accepted', 'remarked');
    CREATE TABLE keys (value TEXT NOT NULL, kind INTEGER NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (value, kind, number)) WITHOUT ROWID;
    CREATE VIRTUAL TABLE words USING fts5 (text, content = '', contentless_delete = 1, detail = full, tokenize = 'unicode61');
";

/// Opens the read model for writing, new or again.
pub(super) fn open(folder: &Path) -> rusqlite::Result<Connection> {
    let file = folder.join("read.db");
    let connection = Connection::open(&file)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION {
        return set_up(connection);
    }
    if version != 0 {
        drop(connection);
        for ending in ["", "-wal", "-shm"] {
            let mut name = file.clone().into_os_string();
            name.push(ending);
            // What is not there need not be removed.
            let _absent = std::fs::remove_file(name);
        }
    }
    let connection = set_up(Connection::open(&file)?)?;
    connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
    Ok(connection)
}

fn set_up(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?; // it can be rebuilt
    connection.pragma_update(None, "cache_size", -8_000)?; // KiB
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?; // kept statements stay prepared
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// Opens the read model beside a running gateway.
pub(super) fn read_only(folder: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join("read.db"), flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

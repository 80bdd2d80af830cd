//! The read model's tables. A file of another version is thrown away and rebuilt from the log: nothing stands here that
//! the log does not hold.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::database;

/// Version of the tables, kept in `user_version`.
const VERSION: i64 = 4;

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
        late INTEGER NOT NULL DEFAULT 0,
        again INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX messages_received ON messages (received);
    CREATE INDEX messages_control ON messages (control_id) WHERE control_id IS NOT NULL;
    CREATE INDEX messages_open ON messages (state, number) WHERE state NOT IN ('accepted', 'remarked');
    CREATE TABLE keys (value TEXT NOT NULL, kind INTEGER NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (value, kind, number)) WITHOUT ROWID;
    CREATE VIRTUAL TABLE words USING fts5 (text, content = '', contentless_delete = 1, detail = full, tokenize = 'unicode61');
";

/// Words stand in rows of their own for each batch of a message's parts, for 2 to the power of this at most; `query` knows it,
/// too.
const BATCHES: u32 = 20;

/// The row of the words of a batch of a message's parts.
pub(super) fn words(number: u64, batch: u64) -> u64 {
    (number << BATCHES) | batch.min((1 << BATCHES) - 1)
}

/// Opens the read model for writing, new or again.
pub(super) fn open(folder: &Path) -> rusqlite::Result<Connection> {
    let file = folder.join("read.db");
    // What cannot be opened is said when SQLite tries.
    let _said_later = database::private(&file);
    let connection = Connection::open(&file)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION {
        return set_up(connection);
    }
    if version != 0 {
        drop(connection);
        database::remove(&file);
    }
    let _said_later = database::private(&file);
    let connection = set_up(Connection::open(&file)?)?;
    connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
    Ok(connection)
}

fn set_up(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?; // it can be rebuilt
    connection.pragma_update(None, "cache_size", -8_000)?; // KiB
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?; // kept statements stay prepared
    connection.busy_timeout(database::BUSY)?;
    Ok(connection)
}

/// Opens the read model beside a running gateway.
pub(super) fn read_only(folder: &Path) -> rusqlite::Result<Connection> {
    database::read_only(&folder.join("read.db"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn modes(folder: &Path) -> Vec<(String, u32)> {
        let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mode = |entry: &std::fs::DirEntry| entry.metadata().unwrap().permissions().mode() & 0o777;
        let mut all: Vec<_> = entries
            .map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry)))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn only_the_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open(folder.path()).unwrap();
        connection.execute("UPDATE applied SET position = 1", []).unwrap();
        let private = |name: &str| (name.to_owned(), 0o600);
        let expected = ["read.db", "read.db-shm", "read.db-wal"].map(private);
        assert_eq!(modes(folder.path()), expected);
    }

    #[test]
    fn another_version_is_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open(folder.path()).unwrap();
        connection.execute("UPDATE applied SET position = 7", []).unwrap();
        connection.pragma_update(None, "user_version", VERSION - 1).unwrap();
        drop(connection);
        let position = |connection: Connection| -> i64 {
            connection
                .query_row("SELECT position FROM applied", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(position(open(folder.path()).unwrap()), 0);
    }
}

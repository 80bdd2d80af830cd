//! The tables of resources. They stand apart from those of messages, since what is current here is never forgotten and is
//! not to be made again from a log that has dropped its beginning.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::database;

/// Version of the tables, kept in `user_version`. What an earlier version had is made again from the log.
const VERSION: i64 = 5;

/// Times are microseconds since 1970. `postings`, `slots` and `sieve` are read by `runs`, `pack` and the store's `Sieve`.
/// A run is live (0), being made (1) or merged into another (2).
const TABLES: &str = "
    CREATE TABLE applied (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, pack INTEGER NOT NULL);
    INSERT INTO applied VALUES (1, 0, 0);
    CREATE TABLE source (number INTEGER PRIMARY KEY, bundle BLOB NOT NULL);
    CREATE TABLE pack (
        number INTEGER PRIMARY KEY,
        source INTEGER NOT NULL,
        time INTEGER NOT NULL,
        stated INTEGER,
        dead INTEGER NOT NULL,
        gone INTEGER NOT NULL,
        slots BLOB NOT NULL,
        texts BLOB NOT NULL
    );
    CREATE INDEX pack_dead ON pack (number) WHERE dead != 0;
    CREATE INDEX pack_source ON pack (source);
    CREATE TABLE restated (
        pack INTEGER NOT NULL, slot INTEGER NOT NULL, stated INTEGER NOT NULL, PRIMARY KEY (pack, slot)
    ) WITHOUT ROWID;
    CREATE TABLE run (
        id INTEGER PRIMARY KEY, state INTEGER NOT NULL, postings INTEGER NOT NULL, ids INTEGER NOT NULL, sieve BLOB NOT NULL
    );
    CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, term INTEGER NOT NULL, pack INTEGER NOT NULL, postings BLOB NOT NULL
    );
    CREATE INDEX chunk_first ON chunk (run, term, pack);
    CREATE TABLE older (number INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, stated INTEGER,
        newer INTEGER, time INTEGER NOT NULL, PRIMARY KEY (number, kind, id)) WITHOUT ROWID;
    CREATE TABLE held (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL);
    CREATE INDEX held_of ON held (kind, id);
    CREATE TABLE stirring (kind TEXT NOT NULL, id TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
    CREATE INDEX stirring_last ON stirring (last);
";

/// Opens the tables for writing, new or again.
pub(super) fn open(folder: &Path) -> anyhow::Result<Connection> {
    let file = folder.join("fhir.db");
    database::private(&file)?;
    let connection = Connection::open(&file)?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    if (1..VERSION).contains(&version) {
        // Of a gateway that was never released; all of its log is there.
        drop(connection);
        database::remove(&file);
        return open(folder);
    }
    connection.pragma_update(None, "page_size", 8_192)?; // a chunk of postings fills one
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?; // what a crash loses is in the log
    connection.pragma_update(None, "cache_size", -8_000)?; // KiB; nearly all is appended
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?; // pages: what a batch or two write
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(database::BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    match version {
        0 => connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?,
        VERSION => {}
        other => anyhow::bail!("fhir.db has the unknown version {other}"),
    }
    Ok(connection)
}

/// Opens the tables for reading, beside the one that writes.
pub(super) fn read_only(folder: &Path) -> rusqlite::Result<Connection> {
    let connection = database::read_only(&folder.join("fhir.db"))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

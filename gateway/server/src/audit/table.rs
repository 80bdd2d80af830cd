//! The table of looks at resources: rows are added at its end and dropped at its beginning, and none is changed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use crate::database;

const VERSION: i64 = 1;

/// Times are microseconds since 1970.
const TABLES: &str = "
    CREATE TABLE look (
        number INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        listener TEXT NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        status INTEGER NOT NULL,
        found INTEGER NOT NULL,
        trace TEXT NOT NULL
    );
";

/// Rows dropped in one step.
const STEP: usize = 1_000;

/// A look at resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub time: Timestamp,
    /// The listener and route.
    pub listener: Arc<str>,
    /// The peer's address, and whom its certificate names.
    pub who: Arc<str>,
    /// `read`, `vread` or `search`.
    pub action: &'static str,
    /// What was asked for, below the API's base: `Patient/1`, `Observation?patient=1`.
    pub target: String,
    /// The status of the answer.
    pub status: u16,
    /// Resources that were shown or counted.
    pub found: u64,
    /// The trace of the request, where it had one.
    pub trace: String,
}

/// A row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Its number.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// The listener and route.
    pub listener: String,
    /// The peer's address, and whom its certificate names.
    pub who: String,
    /// `read`, `vread` or `search`.
    pub action: String,
    /// What was asked for, below the API's base.
    pub target: String,
    /// The status of the answer.
    pub status: u16,
    /// Resources that were shown or counted.
    pub found: u64,
    /// The trace of the request; empty where it had none.
    pub trace: String,
}

/// The file, opened when it is first written.
#[derive(Debug)]
pub(super) struct Table {
    file: PathBuf,
    days: u32,
    connection: Mutex<Option<Connection>>,
}

impl Table {
    pub(super) fn of(folder: &Path, days: u32) -> Self {
        Self {
            file: file(folder),
            days,
            connection: Mutex::default(),
        }
    }

    /// Adds rows, all or none.
    pub(super) fn append(&self, rows: &[Row]) -> anyhow::Result<()> {
        self.with(|connection| {
            let all = connection.transaction()?;
            let sql = "INSERT INTO look (time, listener, who, action, target, status, found, trace)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
            let mut insert = all.prepare_cached(sql)?;
            for row in rows {
                insert.execute(params![
                    row.time.as_microsecond(),
                    row.listener,
                    row.who,
                    row.action,
                    row.target,
                    row.status,
                    row.found,
                    row.trace
                ])?;
            }
            drop(insert);
            all.commit()?;
            Ok(())
        })
    }

    /// Drops rows that are too old, a step at a time.
    pub(super) fn forget(&self, now: Timestamp) -> anyhow::Result<()> {
        let kept = SignedDuration::from_hours(24 * i64::from(self.days));
        let Some(before) = (self.days > 0).then(|| now.checked_sub(kept).ok()).flatten() else {
            return Ok(());
        };
        // Numbers follow the times, but for a clock that was set.
        let sql = "DELETE FROM look WHERE number IN (SELECT number FROM look ORDER BY number LIMIT ?1) AND time < ?2";
        let mut dropped = STEP;
        while dropped == STEP {
            dropped = self.with(|connection| Ok(connection.execute(sql, params![STEP, before.as_microsecond()])?))?;
        }
        Ok(())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = match held.take() {
            Some(connection) => connection,
            None => open(&self.file)?,
        };
        // A connection that failed is opened anew.
        let done = work(&mut connection)?;
        *held = Some(connection);
        Ok(done)
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("audit.db")
}

fn open(file: &Path) -> anyhow::Result<Connection> {
    database::private(file)?;
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?; // a crash of the machine may cost the last moments
    connection.busy_timeout(database::BUSY)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        VERSION => {}
        0 => connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?,
        other => anyhow::bail!("audit.db has version {other}, which this program does not know"),
    }
    Ok(connection)
}

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// At or after, microseconds since 1970.
    pub since: Option<i64>,
    /// What was asked for has this in it.
    pub target: Option<String>,
    /// Who looked has this in it.
    pub who: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            since: None,
            target: None,
            who: None,
            limit: 50,
        }
    }
}

/// Reads the rows beside a running gateway.
#[derive(Debug)]
pub struct Reader(Connection);

impl Reader {
    /// Opens the file of a data folder.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub fn open(folder: &Path) -> rusqlite::Result<Self> {
        let connection = database::read_only(&file(folder))?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        // The file is made a moment before its table.
        let there = (version == VERSION).then_some(Self(connection));
        there.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// The newest rows.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn newest(&self, filter: &Filter) -> rusqlite::Result<Vec<Kept>> {
        let sql = "SELECT number, time, listener, who, action, target, status, found, trace FROM look
                   WHERE time >= ?1 AND (?2 IS NULL OR instr(target, ?2)) AND (?3 IS NULL OR instr(who, ?3))
                   ORDER BY number DESC LIMIT ?4";
        let mut select = self.0.prepare(sql)?;
        let since = filter.since.unwrap_or(i64::MIN);
        let rows = select.query_map(params![since, filter.target, filter.who, filter.limit], |row| {
            Ok(Kept {
                seq: row.get(0)?,
                time: Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
                listener: row.get(2)?,
                who: row.get(3)?,
                action: row.get(4)?,
                target: row.get(5)?,
                status: row.get(6)?,
                found: row.get(7)?,
                trace: row.get(8)?,
            })
        })?;
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn row(days_ago: i64) -> Row {
        Row {
            time: Timestamp::now() - SignedDuration::from_hours(24 * days_ago),
            listener: "http/fhir".into(),
            who: "10.0.0.1:5 CN=ward".into(),
            action: "search",
            target: format!("Observation?patient={days_ago}"),
            status: 200,
            found: 3,
            trace: String::new(),
        }
    }

    #[test]
    fn old_rows_are_dropped_and_others_found() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::of(folder.path(), 180);
        let rows: Vec<_> = (0..2_500).map(|_| row(181)).chain([row(179), row(1)]).collect();
        table.append(&rows).unwrap();
        table.forget(Timestamp::now()).unwrap();
        let reader = Reader::open(folder.path()).unwrap();
        let targets = |filter: &Filter| -> Vec<String> {
            let all = reader.newest(filter).unwrap();
            all.into_iter().map(|kept| kept.target).collect()
        };
        assert_eq!(
            targets(&Filter::default()),
            ["Observation?patient=1", "Observation?patient=179"]
        );
        let week = Timestamp::now() - SignedDuration::from_hours(24 * 7);
        let since = Filter {
            since: Some(week.as_microsecond()),
            who: Some("ward".to_owned()),
            ..Filter::default()
        };
        assert_eq!(targets(&since), ["Observation?patient=1"]);
        let other = Filter {
            target: Some("Patient/".to_owned()),
            ..Filter::default()
        };
        assert!(targets(&other).is_empty());
        let mode = std::fs::metadata(folder.path().join("audit.db")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
}

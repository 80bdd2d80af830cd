//! The tables of the log and how they came about: one function a version, applied forward in order. A file of a newer
//! version is refused, since it may hold what this one would break.

use causeway_core::Fault;
use rusqlite::{Connection, Transaction};

use super::fault;
use crate::storage;

/// States of a frame in `open`. A frame without a row there is answered.
pub(super) mod state {
    /// Somebody works on it.
    pub(crate) const RUNNING: i64 = 0;
    /// Waits to be claimed.
    pub(crate) const PARKED: i64 = 1;
    /// Set aside for an operator.
    pub(crate) const HELD: i64 = 2;
    /// Was running when a process ended; nobody has taken it up yet.
    pub(crate) const RECOVER: i64 = 3;
}

/// Kinds of records in `log`.
pub(super) mod kind {
    pub(crate) const RECEIVED: i64 = 0;
    pub(crate) const AGAIN: i64 = 1;
    pub(crate) const ANSWERED: i64 = 2;
    pub(crate) const HELD: i64 = 3;
    pub(crate) const LATE: i64 = 4;
}

/// States of a delivery.
pub(super) mod delivery {
    /// Not delivered yet.
    pub(crate) const WAITING: i64 = 0;
    /// The peer has it.
    pub(crate) const DELIVERED: i64 = 1;
    /// A person decides.
    pub(crate) const DEAD: i64 = 2;
    /// A person decided against it.
    pub(crate) const DROPPED: i64 = 3;
}

type Migration = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// Index + 1 is the version that a step leads to. Steps are only ever added.
const MIGRATIONS: &[Migration] = &[v1, v2, v3];

/// Brings the file to this version.
pub(super) fn migrate(db: &mut Connection) -> Result<(), Fault> {
    migrate_by(db, MIGRATIONS)
}

/// Refuses what this version does not know; for readers, which change nothing.
pub(super) fn check(db: &Connection) -> Result<(), Fault> {
    match version(db)? {
        found if found == MIGRATIONS.len() => Ok(()),
        found if found < MIGRATIONS.len() => Err(storage(format_args!(
            "the log has schema {found} and is brought to {} when the gateway starts",
            MIGRATIONS.len()
        ))),
        found => Err(newer(found, MIGRATIONS.len())),
    }
}

fn migrate_by(db: &mut Connection, steps: &[Migration]) -> Result<(), Fault> {
    let found = version(db)?;
    if found > steps.len() {
        return Err(newer(found, steps.len()));
    }
    for (index, step) in steps.iter().enumerate().skip(found) {
        let transaction = db.transaction().map_err(fault)?;
        step(&transaction).map_err(fault)?;
        let reached = i64::try_from(index + 1).unwrap_or(i64::MAX);
        transaction
            .pragma_update(None, "user_version", reached)
            .map_err(fault)?;
        transaction.commit().map_err(fault)?;
    }
    Ok(())
}

fn version(db: &Connection) -> Result<usize, Fault> {
    let found: i64 = db
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(fault)?;
    usize::try_from(found).map_err(|_| storage("the log has a negative schema version"))
}

fn newer(found: usize, known: usize) -> Fault {
    storage(format_args!(
        "the log was written by a newer version of the gateway (schema {found}; this one knows {known})"
    ))
}

/// Frames and answers are written once and never updated, since an update would rewrite their bodies; what changes is
/// in `open`, which a frame that is answered in its own commit never enters. `tally` has one row.
fn v1(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE log(
           position INTEGER PRIMARY KEY, kind INTEGER NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL,
           mark INTEGER) STRICT;
         CREATE INDEX log_rest ON log(number) WHERE kind IN (1, 3);
         CREATE TABLE frame(
           number INTEGER PRIMARY KEY, position INTEGER NOT NULL, received INTEGER NOT NULL, listener TEXT NOT NULL,
           peer TEXT NOT NULL, head TEXT NOT NULL, snapshot TEXT NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL)
           STRICT;
         CREATE TABLE open(
           number INTEGER PRIMARY KEY, state INTEGER NOT NULL, deaths INTEGER NOT NULL, recovered INTEGER NOT NULL)
           STRICT;
         CREATE TABLE answer(
           number INTEGER PRIMARY KEY, position INTEGER NOT NULL, time INTEGER NOT NULL, sum INTEGER NOT NULL,
           replies BLOB NOT NULL, parts BLOB NOT NULL) STRICT;
         CREATE TABLE decided(
           id INTEGER PRIMARY KEY, number INTEGER NOT NULL, sum INTEGER NOT NULL, parts BLOB NOT NULL) STRICT;
         CREATE INDEX decided_number ON decided(number);
         CREATE TABLE delivery(
           id INTEGER PRIMARY KEY, number INTEGER NOT NULL, part INTEGER NOT NULL, destination TEXT NOT NULL,
           order_key TEXT, media_type TEXT NOT NULL, body BLOB NOT NULL, state INTEGER NOT NULL) STRICT;
         CREATE INDEX delivery_number ON delivery(number, part);
         CREATE INDEX delivery_waiting ON delivery(id) WHERE state = 0;
         CREATE TABLE sieve(day INTEGER PRIMARY KEY, bits BLOB NOT NULL) STRICT;
         CREATE TABLE probe(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
         CREATE TABLE tally(
           id INTEGER PRIMARY KEY CHECK (id = 1), tail INTEGER NOT NULL, next INTEGER NOT NULL,
           accepted INTEGER NOT NULL, answered INTEGER NOT NULL, held INTEGER NOT NULL, indexed INTEGER NOT NULL)
           STRICT;
         INSERT INTO tally VALUES (1, 0, 1, 0, 0, 0, 0);",
    )
}

/// What services say after their budget, beside the answers that they never alter.
fn v2(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE late(
           position INTEGER PRIMARY KEY, number INTEGER NOT NULL, part INTEGER NOT NULL, time INTEGER NOT NULL,
           service TEXT NOT NULL, findings TEXT NOT NULL) STRICT;
         CREATE INDEX late_number ON late(number);",
    )
}

/// What becomes of deliveries. Their numbers are given by the log and never again, since what follows from them (control
/// ids) must not come twice. What is settled is in no index of what waits or is dead.
fn v3(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute_batch(
        "ALTER TABLE delivery ADD COLUMN message_type TEXT NOT NULL DEFAULT '';
         ALTER TABLE delivery ADD COLUMN posted INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE delivery ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE delivery ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE delivery ADD COLUMN due INTEGER;
         ALTER TABLE delivery ADD COLUMN settled INTEGER;
         ALTER TABLE delivery ADD COLUMN class TEXT NOT NULL DEFAULT '';
         ALTER TABLE delivery ADD COLUMN cause TEXT NOT NULL DEFAULT '';
         UPDATE delivery SET posted = coalesce((SELECT time FROM answer WHERE answer.number = delivery.number), 0);
         DROP INDEX delivery_waiting;
         CREATE INDEX delivery_waiting ON delivery(destination, id, order_key) WHERE state = 0;
         CREATE INDEX delivery_dead ON delivery(destination, class, cause, id) WHERE state = 2;
         ALTER TABLE tally ADD COLUMN deliveries INTEGER NOT NULL DEFAULT 0;
         UPDATE tally SET deliveries = (SELECT coalesce(max(id), 0) FROM delivery);
         CREATE TABLE destination(
           name TEXT PRIMARY KEY, paused INTEGER NOT NULL, posted INTEGER NOT NULL, delivered INTEGER NOT NULL,
           dropped INTEGER NOT NULL, dead INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         INSERT INTO destination SELECT destination, 0, count(*), 0, 0, 0 FROM delivery GROUP BY destination;",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn more(db: &Transaction<'_>) -> rusqlite::Result<()> {
        db.execute_batch("ALTER TABLE probe ADD COLUMN more TEXT")
    }

    fn broken(db: &Transaction<'_>) -> rusqlite::Result<()> {
        db.execute_batch("CREATE TABLE half(id INTEGER); SELECT nonsense")
    }

    #[test]
    fn steps_are_applied_once_and_in_order() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_by(&mut db, &[v1]).unwrap();
        assert_eq!(version(&db).unwrap(), 1);
        migrate_by(&mut db, &[v1, more]).unwrap();
        migrate_by(&mut db, &[v1, more]).unwrap();
        assert_eq!(version(&db).unwrap(), 2);
        db.execute("INSERT INTO probe(body, more) VALUES (x'00', 'new')", [])
            .unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_by(&mut db, &[v1]).unwrap();
        migrate_by(&mut db, &[v1, broken]).unwrap_err();
        assert_eq!(version(&db).unwrap(), 1);
        assert!(!db.table_exists(None, "half").unwrap());
    }

    #[test]
    fn a_newer_file_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_by(&mut db, &[v1, more]).unwrap();
        let fault = migrate_by(&mut db, &[v1]).unwrap_err();
        assert!(fault.inside.contains("newer version"), "{fault}");
        assert!(fault.inside.contains("schema 2"), "{fault}");
    }
}

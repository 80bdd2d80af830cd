//! Repetitions: when a version was last stated, where that is later than it was made. A repetition makes no version, but what
//! was stated before it is older all the same. A row stands by the version's place, and goes with the version.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::recent::Place;
use super::write::Stored;

/// When a version was last stated, microseconds since 1970.
pub(super) fn of(connection: &Connection, stored: &Stored) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT stated FROM restated WHERE pack = ?1 AND slot = ?2")?;
    let again: Option<i64> = select.query_row(stored.place(), |row| row.get(0)).optional()?;
    Ok(stored.stated.max(again))
}

/// Writes what a batch heard again.
pub(super) fn write(connection: &Connection, heard: &mut BTreeMap<Place, i64>) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO restated (pack, slot, stated) VALUES (?1, ?2, ?3)
         ON CONFLICT (pack, slot) DO UPDATE SET stated = max(stated, excluded.stated)",
    )?;
    for ((pack, slot), stated) in std::mem::take(heard) {
        insert.execute(params![pack, slot, stated])?;
    }
    Ok(())
}

/// Versions of a pack are gone.
pub(super) fn forget(connection: &Connection, pack: u32, gone: u32) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM restated WHERE pack = ?1 AND slot & ?2")?;
    delete.execute([pack, gone]).map(drop)
}

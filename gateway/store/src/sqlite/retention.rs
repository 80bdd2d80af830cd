//! Drops old answered frames in small steps, each a command of its own between others, so that the writer never stalls
//! for it. An answered frame stays answered; a delivery of it may have come back since it was chosen, and is looked for again.

use causeway_core::Fault;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::apply::Trouble;
use super::command::Command;
use super::core::Core;
use super::group::Done;
use super::reader::Step;
use super::schema::delivery;
use super::{SqliteLog, column};

/// A step drops at most so many frames, and about so many bytes: SQLite visits every page of a large body to free it.
const STEP: Step = Step {
    frames: 64,
    bytes: 4 << 20,
};

/// Drops answered frames received before a time and returns how many.
pub(super) fn forget(log: &SqliteLog, before: Timestamp) -> Result<u64, Fault> {
    let (mut from, mut dropped) = (0, 0);
    loop {
        let page = log.reader.forgettable(from, before, &STEP)?;
        let Some(last) = page.last else { return Ok(dropped) };
        from = last + 1;
        if !page.numbers.is_empty() {
            let numbers = page.numbers;
            let gone = log.ask(|answer| Command::Forget { numbers, answer })?;
            dropped += u64::try_from(gone.len()).unwrap_or(u64::MAX);
        }
    }
}

impl Core {
    /// Drops frames with all that belongs to them.
    pub(super) fn drop_frames(db: &Connection, numbers: &[u64]) -> Result<Done, Trouble> {
        let mut gone = Vec::with_capacity(numbers.len());
        for number in numbers {
            if drop_frame(db, column(*number))? {
                gone.push(*number);
            }
        }
        Ok(Done::Numbers(gone))
    }
}

fn drop_frame(db: &Connection, number: i64) -> rusqlite::Result<bool> {
    let open = "SELECT 1 FROM delivery WHERE number = ?1 AND state IN (?2, ?3)";
    let open = db
        .prepare_cached(open)?
        .exists(params![number, delivery::WAITING, delivery::DEAD])?;
    if open {
        return Ok(false);
    }
    for table in [
        "DELETE FROM frame WHERE number = ?1 RETURNING position",
        "DELETE FROM answer WHERE number = ?1 RETURNING position",
    ] {
        let position: Option<i64> = db
            .prepare_cached(table)?
            .query_row([number], |row| row.get(0))
            .optional()?;
        let Some(position) = position else { return Ok(false) };
        db.prepare_cached("DELETE FROM log WHERE position = ?1")?
            .execute([position])?;
    }
    for table in [
        "DELETE FROM log WHERE number = ?1 AND kind IN (1, 3)",
        "DELETE FROM log WHERE position IN (SELECT position FROM late WHERE number = ?1)",
        "DELETE FROM late WHERE number = ?1",
        "DELETE FROM decided WHERE number = ?1",
        "DELETE FROM delivery WHERE number = ?1",
    ] {
        db.prepare_cached(table)?.execute([number])?;
    }
    Ok(true)
}

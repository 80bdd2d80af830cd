//! What happens at the start, at the end and after an outage. A frame that was running when a process died may have
//! killed it: at the second such death it is held and never run again.

use std::path::Path;

use causeway_core::Fault;
use causeway_core::store::HELD_AFTER;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::core::{Core, Tally};
use super::schema::{kind, state};
use super::{column, connection, fault, nanoseconds, number};

/// The probe after an outage must fit as much as a common group does.
const PROBE: i32 = 256 << 10;

/// Counts a death for every frame that was running and holds those that met too many.
pub(super) fn start(db: &mut Connection) -> rusqlite::Result<()> {
    let db = db.transaction()?;
    db.execute("UPDATE open SET deaths = deaths + 1 WHERE state = ?1", [state::RUNNING])?;
    hold(&db)?;
    db.execute(
        "UPDATE open SET state = ?1 WHERE state = ?2",
        [state::RECOVER, state::RUNNING],
    )?;
    db.execute("UPDATE open SET recovered = 1 WHERE state = ?1", [state::RECOVER])?;
    db.commit()
}

fn hold(db: &Connection) -> rusqlite::Result<()> {
    let mut tally = Tally::load(db)?;
    let mut select = db.prepare("SELECT number FROM open WHERE state = ?1 AND deaths >= ?2 ORDER BY number")?;
    let numbers = select.query_map([state::RUNNING, i64::from(HELD_AFTER)], |row| number(row, 0))?;
    let now = nanoseconds(Timestamp::now());
    for number in numbers.collect::<rusqlite::Result<Vec<u64>>>()? {
        tally.tail += 1;
        tally.held += 1;
        db.execute(
            "UPDATE open SET state = ?1 WHERE number = ?2",
            [state::HELD, column(number)],
        )?;
        db.execute(
            "INSERT INTO log VALUES (?1, ?2, ?3, ?4, NULL)",
            params![column(tally.tail), kind::HELD, column(number), now],
        )?;
    }
    tally.save(db)
}

/// An orderly end is no death: what still runs is taken up at the next start without one more.
pub(super) fn end(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE open SET state = ?1 WHERE state = ?2",
        [state::RECOVER, state::RUNNING],
    )
    .map(drop)
}

/// Opens the file again after an outage and takes its word for what is in it. Frames that nobody works on any more,
/// since their record or answer was reported as failed, are parked, so that they are claimed and run.
pub(super) fn again(path: &Path, core: &mut Core) -> Result<Connection, Fault> {
    let db = connection::writer(path)?;
    probe(&db).map_err(fault)?;
    core.reload(&db).map_err(fault)?;
    park_lost(&db, core).map_err(fault)?;
    Ok(db)
}

fn probe(db: &Connection) -> rusqlite::Result<()> {
    db.execute("INSERT OR REPLACE INTO probe VALUES (1, zeroblob(?1))", [PROBE])?;
    db.execute("DELETE FROM probe", []).map(drop)
}

fn park_lost(db: &Connection, core: &mut Core) -> rusqlite::Result<()> {
    let db = db.unchecked_transaction()?;
    let mut open = std::mem::take(&mut core.lost);
    let mut update = db.prepare("UPDATE open SET state = ?1 WHERE number = ?2 AND state IN (?1, ?3, ?4)")?;
    open.retain(|number| {
        let key = [state::PARKED, column(*number), state::RUNNING, state::RECOVER];
        update.execute(key).is_ok_and(|changed| changed == 1)
    });
    drop(update);
    core.lost = open;
    db.commit()
}

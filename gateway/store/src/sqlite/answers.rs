//! Reading what was decided: the answer of a frame, and the batches of parts that a large one has before it.

use causeway_core::store::{Decided, Ended, Parts};
use causeway_core::{Delivery, Fault};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::listing::delivery;
use super::reader::blob;
use super::{column, fault, time};
use crate::codec;

/// When a frame was answered, with the last parts that were decided.
pub(super) fn answer(db: &Connection, number: u64) -> Result<Option<(Timestamp, Ended)>, Fault> {
    let sql =
        "SELECT time, replies, parts, EXISTS (SELECT 1 FROM decided WHERE number = ?1) FROM answer WHERE number = ?1";
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([column(number)]).map_err(fault)?;
    let Some(row) = rows.next().map_err(fault)? else {
        return Ok(None);
    };
    let ended = Ended {
        decided: with_deliveries(db, number, row.get(2).map_err(fault)?)?,
        earlier: row.get(3).map_err(fault)?,
        replies: codec::read_replies(blob(row, 1)?)?.into(),
    };
    Ok(Some((time(row.get(0).map_err(fault)?), ended)))
}

/// The next batch of the parts that were decided before the frame was answered.
pub(super) fn earlier_parts(db: &Connection, number: u64, from: u64) -> Result<Parts, Fault> {
    let sql = "SELECT id, parts FROM decided WHERE number = ?1 AND id > ?2 ORDER BY id LIMIT 1";
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([column(number), column(from)]).map_err(fault)?;
    let Some(row) = rows.next().map_err(fault)? else {
        return Ok(Parts::default());
    };
    Ok(Parts {
        decided: with_deliveries(db, number, row.get(1).map_err(fault)?)?,
        next: Some(super::number(row, 0).map_err(fault)?),
    })
}

/// Where in the log a frame's answer stands.
pub(super) fn position(db: &Connection, number: u64) -> Result<Option<u64>, Fault> {
    let mut select = db
        .prepare_cached("SELECT position FROM answer WHERE number = ?1")
        .map_err(fault)?;
    let mut rows = select.query([column(number)]).map_err(fault)?;
    let row = rows.next().map_err(fault)?;
    row.map(|row| super::number(row, 0).map_err(fault)).transpose()
}

/// The answer of one part. Of a large frame's batches only the beginnings are read, and then the one that it is in: parts
/// stand in order.
pub(super) fn part(db: &Connection, number: u64, part: u32) -> Result<Option<Decided>, Fault> {
    let sql = "SELECT id, substr(parts, 1, ?2) FROM decided WHERE number = ?1 ORDER BY id";
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query(params![column(number), codec::BEGINNING]).map_err(fault)?;
    let mut batch = None;
    while let Some(row) = rows.next().map_err(fault)? {
        let first = codec::first_part(&blob(row, 1)?);
        if first.is_some_and(|first| first <= part) {
            batch = Some(row.get::<_, i64>(0).map_err(fault)?);
        }
    }
    let last = part_in(db, "SELECT parts FROM answer WHERE number = ?1", column(number), part)?;
    match (last, batch) {
        (None, Some(id)) => part_in(db, "SELECT parts FROM decided WHERE id = ?1", id, part),
        (last, _) => Ok(last),
    }
}

fn part_in(db: &Connection, sql: &str, key: i64, part: u32) -> Result<Option<Decided>, Fault> {
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([key]).map_err(fault)?;
    let Some(row) = rows.next().map_err(fault)? else {
        return Ok(None);
    };
    let parts = codec::read_parts(blob(row, 0)?)?.into_iter();
    Ok(parts.map(|(decided, _)| decided).find(|decided| decided.part == part))
}

fn with_deliveries(db: &Connection, number: u64, parts: Vec<u8>) -> Result<Vec<Decided>, Fault> {
    let with = |(mut part, count): (Decided, u32)| {
        if count > 0 {
            part.deliveries = deliveries(db, number, part.part).map_err(fault)?;
        }
        Ok(part)
    };
    codec::read_parts(parts.into())?.into_iter().map(with).collect()
}

fn deliveries(db: &Connection, number: u64, part: u32) -> rusqlite::Result<Vec<Delivery>> {
    let sql = "SELECT destination, order_key, message_type, media_type, body FROM delivery
               WHERE number = ?1 AND part = ?2 ORDER BY id";
    db.prepare_cached(sql)?
        .query_map(params![column(number), part], |row| delivery(row, 0))?
        .collect()
}

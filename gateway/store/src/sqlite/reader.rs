//! Reading beside the writer: own connections, short read transactions, pages bounded in records and bytes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use causeway_core::frame::Head;
use causeway_core::store::{Decided, Ended, Event, Health, Late, Open, Parts, Pending, Record};
use causeway_core::{Fault, Frame};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::answers::{answer, earlier_parts};
use super::core::Tally;
use super::schema::{kind, state};
use super::{column, connection, fault, nanoseconds, number, schema, time};
use crate::storage;

/// Connections that are kept open between reads.
const IDLE: usize = 2;
/// A page of records ends after about so many bytes.
const PAGE: usize = 8 << 20;

/// Reads the log, beside a gateway that may be writing it.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    anchor: Mutex<Option<Connection>>,
}

/// How much is looked at and dropped at a time.
pub(super) struct Step {
    pub(super) frames: i64,
    pub(super) bytes: i64,
}

/// What may be forgotten of one page of frames.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) numbers: Vec<u64>,
    /// The last number looked at; nothing at the end.
    pub(super) last: Option<u64>,
}

impl Reader {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::new(Vec::new()),
            anchor: Mutex::new(None),
        }
    }

    /// Keeps one connection open for good. While any is open SQLite keeps what it knows of its journal, so that an
    /// outage of the writer, which lets go of its own, neither stops reading nor lets a failed commit appear.
    pub(super) fn anchor(&self) -> Result<(), Fault> {
        let db = connection::reader(&self.path)?;
        schema::check(&db)?;
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = Some(db);
        Ok(())
    }

    /// Refuses a log of another version.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.read(schema::check)
    }

    /// Lets go of the open connections.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The records after a position, in order. A page ends early when it holds much; it is empty only at the end. Of a
    /// large frame's answers only the last are there.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn read_from(&self, position: u64, limit: usize) -> Result<Vec<Record>, Fault> {
        self.read(|db| records(db, position, limit))
    }

    /// The frame of a number.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn frame(&self, number: u64) -> Result<Option<Pending>, Fault> {
        self.read(|db| frame(db, number))
    }

    /// How the work on a number ended; nothing before it is answered.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn outcome(&self, number: u64) -> Result<Option<Ended>, Fault> {
        self.read(|db| Ok(answer(db, number)?.map(|(_, ended)| ended)))
    }

    /// Some of the parts that were decided before the last ones, from 0 or from where the last call ended.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn decided_earlier(&self, number: u64, from: u64) -> Result<Parts, Fault> {
        self.read(|db| earlier_parts(db, number, from))
    }

    /// The answer of one part, found without reading those of the others.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn part(&self, number: u64, part: u32) -> Result<Option<Decided>, Fault> {
        self.read(|db| super::answers::part(db, number, part))
    }

    /// The position of a frame's answer; none while it has none.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn position(&self, number: u64) -> Result<Option<u64>, Fault> {
        self.read(|db| super::answers::position(db, number))
    }

    /// What came late for a number, in order of arrival.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn came_late(&self, number: u64) -> Result<Vec<Late>, Fault> {
        self.read(|db| late(db, "SELECT * FROM late WHERE number = ?1 ORDER BY position", number))
    }

    /// The counters as they are on disk.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn health(&self) -> Result<Health, Fault> {
        let tally = self.read(|db| Tally::load(db).map_err(fault))?;
        Ok(Health {
            broken: None,
            tail: tally.tail,
            accepted: tally.accepted,
            answered: tally.answered,
            held: tally.held,
            ..Health::default()
        })
    }

    /// The counters, and what is open counted one by one; one statement, so of one moment.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn open_frames(&self) -> Result<Open, Fault> {
        let sql = "SELECT accepted, answered, held, (SELECT count(*) FROM open),
                   (SELECT count(*) FROM open WHERE state = ?1) FROM tally";
        self.read(|db| {
            let counted = db.query_row(sql, [state::HELD], |row| {
                Ok(Open {
                    accepted: number(row, 0)?,
                    answered: number(row, 1)?,
                    held: number(row, 2)?,
                    open: number(row, 3)?,
                    open_held: number(row, 4)?,
                })
            });
            counted.map_err(fault)
        })
    }

    /// Bytes of the file that are in use; what was forgotten leaves room in it and is not counted.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn bytes(&self) -> Result<u64, Fault> {
        let sql = "SELECT (page_count - freelist_count) * page_size
                   FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        self.read(|db| db.query_row(sql, [], |row| number(row, 0)).map_err(fault))
    }

    /// The next frames from a number on, of them those that are answered, delivered and older than a time. Numbers rise
    /// nearly with time, so the search ends at the first page that has only younger ones.
    pub(super) fn forgettable(&self, from: u64, before: Timestamp, step: &Step) -> Result<Page, Fault> {
        self.read(|db| forgettable(db, from, before, step).map_err(fault))
    }

    /// Reads in one short transaction, so that all it sees is of one moment.
    pub(super) fn read<T>(&self, what: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match idle {
            Some(db) => db,
            None => connection::reader(&self.path)?,
        };
        let transaction = db.unchecked_transaction().map_err(fault)?;
        let found = what(&transaction)?;
        transaction.finish().map_err(fault)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(db);
        }
        Ok(found)
    }
}

fn records(db: &Connection, position: u64, limit: usize) -> Result<Vec<Record>, Fault> {
    let sql = "SELECT position, kind, number, time FROM log WHERE position > ?1 ORDER BY position LIMIT ?2";
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = select.query([column(position), limit]).map_err(fault)?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(fault)? {
        let event = event(db, row)?;
        bytes += weight(&event);
        let position = number(row, 0).map_err(fault)?;
        let number = number(row, 2).map_err(fault)?;
        records.push(Record {
            position,
            number,
            event,
        });
        if bytes >= PAGE {
            break;
        }
    }
    Ok(records)
}

fn forgettable(db: &Connection, from: u64, before: Timestamp, step: &Step) -> rusqlite::Result<Page> {
    let mut select = db.prepare_cached(
        "SELECT f.number, f.received < ?2, a.number IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.number = f.number AND d.state IN (0, 2)),
           length(f.body) + coalesce(length(a.parts), 0)
         FROM frame f LEFT JOIN answer a ON a.number = f.number WHERE f.number >= ?1 ORDER BY f.number LIMIT ?3",
    )?;
    let mut rows = select.query(params![column(from), nanoseconds(before), step.frames])?;
    let mut page = Page::default();
    let (mut any_old, mut bytes) = (false, 0);
    while bytes < step.bytes
        && let Some(row) = rows.next()?
    {
        let (number, old, done) = (number(row, 0)?, row.get(1)?, row.get(2)?);
        any_old |= old;
        page.last = Some(number);
        if old && done {
            page.numbers.push(number);
            bytes += row.get::<_, i64>(3)?;
        }
    }
    page.last = page.last.filter(|_| any_old);
    Ok(page)
}

fn event(db: &Connection, row: &rusqlite::Row<'_>) -> Result<Event, Fault> {
    let kind: i64 = row.get(1).map_err(fault)?;
    let number = number(row, 2).map_err(fault)?;
    let missing = || storage(format_args!("frame {number} is not whole in the log"));
    Ok(match kind {
        kind::RECEIVED => {
            let kept = frame(db, number)?.ok_or_else(missing)?;
            Event::Received {
                frame: kept.frame,
                hash: kept.hash,
            }
        }
        kind::AGAIN => Event::Again {
            received: time(row.get(3).map_err(fault)?),
        },
        kind::ANSWERED => {
            let (at, ended) = answer(db, number)?.ok_or_else(missing)?;
            Event::Answered { time: at, ended }
        }
        kind::HELD => Event::Held,
        kind::LATE => {
            let position = self::number(row, 0).map_err(fault)?;
            let mut late = late(db, "SELECT * FROM late WHERE position = ?1", position)?;
            Event::Late(late.pop().ok_or_else(missing)?)
        }
        other => {
            return Err(storage(format_args!(
                "the log has a record of the unknown kind {other}"
            )));
        }
    })
}

/// Late results by a key of their table.
fn late(db: &Connection, sql: &str, key: u64) -> Result<Vec<Late>, Fault> {
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([column(key)]).map_err(fault)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        let findings: String = row.get(5).map_err(fault)?;
        all.push(Late {
            number: number(row, 1).map_err(fault)?,
            part: row.get(2).map_err(fault)?,
            time: time(row.get(3).map_err(fault)?),
            service: row.get(4).map_err(fault)?,
            findings: serde_json::from_str(&findings).map_err(storage)?,
            deliveries: Vec::new(),
        });
    }
    Ok(all)
}

fn weight(event: &Event) -> usize {
    match event {
        Event::Received { frame, .. } => frame.body.len(),
        Event::Answered { ended, .. } => ended
            .decided
            .iter()
            .map(|part| part.bundle.len() + part.facts.len())
            .sum(),
        _ => 0,
    }
}

fn frame(db: &Connection, number: u64) -> Result<Option<Pending>, Fault> {
    let sql = "SELECT f.received, f.listener, f.peer, f.head, f.hash, f.body, coalesce(o.deaths, 0) FROM frame f
               LEFT JOIN open o ON o.number = f.number WHERE f.number = ?1";
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query([column(number)]).map_err(fault)?;
    let Some(row) = rows.next().map_err(fault)? else {
        return Ok(None);
    };
    let head: String = row.get(3).map_err(fault)?;
    let head = if head.is_empty() {
        Head::Mllp
    } else {
        serde_json::from_str(&head).map_err(storage)?
    };
    let frame = Frame {
        listener: text(row, 1)?,
        peer: text(row, 2)?,
        received: time(row.get(0).map_err(fault)?),
        head,
        body: blob(row, 5)?,
    };
    Ok(Some(Pending {
        number,
        frame: Arc::new(frame),
        hash: row.get(4).map_err(fault)?,
        deaths: row.get(6).map_err(fault)?,
    }))
}

fn text(row: &rusqlite::Row<'_>, index: usize) -> Result<Arc<str>, Fault> {
    let value = row.get_ref(index).map_err(fault)?;
    value.as_str().map(Arc::from).map_err(storage)
}

pub(super) fn blob(row: &rusqlite::Row<'_>, index: usize) -> Result<Bytes, Fault> {
    let value: Vec<u8> = row.get(index).map_err(fault)?;
    Ok(value.into())
}

//! One command after the other into the open transaction. Each returns what will be said of it once the commit is done;
//! an error of the record itself costs that record, an error of the engine costs the group.

use std::time::Duration;

use bytes::Bytes;
use causeway_core::store::Sent;
use causeway_core::{Fault, FaultKind};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::command::{Advice, Command, Ending, Incoming, Partial};
use super::core::{Core, refuse_held};
use super::group::Done;
use super::index::Seen;
use super::schema::{kind, state};
use super::{column, fault, nanoseconds, number};
use crate::resend::{Earlier, Ruling, Sum, judge};
use crate::{codec, storage};

/// SQLite takes a row of 1,000,000,000 bytes at most (`SQLITE_MAX_LENGTH`); the other columns have this much of it.
const BODY: usize = 1_000_000_000 - (1 << 20);

/// Why a command could not be applied.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This record cannot be kept; the others can.
    Record(Fault),
    /// Nothing can be kept now.
    Engine(Fault),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            return Self::Record(fault(error));
        };
        match code {
            ErrorCode::TooBig
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::ParameterOutOfRange => Self::Record(fault(error)),
            _ => Self::Engine(fault(error)),
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Record(fault)
    }
}

impl Core {
    /// Begins a transaction if there is none and applies a command.
    pub(super) fn apply(&mut self, db: &Connection, command: &Command) -> Result<Done, Trouble> {
        if db.is_autocommit() {
            db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            self.staged.tally = self.tally;
        }
        match command {
            Command::Receive(incoming) => self.receive(db, incoming),
            Command::Answered(ending) => self.answered(db, ending),
            Command::Decided(partial) => self.decided(db, partial),
            Command::Late(advice) => self.late(db, advice),
            Command::Claim { limit, .. } => self.claim(db, *limit),
            Command::Resume { from, limit, .. } => Self::resume(db, *from, *limit),
            Command::Forget { numbers, .. } => Self::drop_frames(db, numbers),
            Command::Settle(settling) => self.settle(db, &settling.attempt),
            Command::Pause {
                destination, paused, ..
            } => Ok(self.pause(destination, *paused)),
            Command::Turn { ids, turn, .. } => self.turn(db, ids, *turn),
            Command::Want(_) | Command::Close => Ok(Done::Nothing),
        }
    }

    fn receive(&mut self, db: &Connection, incoming: &Incoming) -> Result<Done, Trouble> {
        let entry = &incoming.entry;
        let texts = entry.frame.listener.len() + entry.frame.peer.len() + incoming.head.len() + entry.snapshot.len();
        if entry.frame.body.len() > BODY || texts > 1 << 19 {
            return Ok(Done::Failed(too_large()));
        }
        self.staged.tally.next = self.staged.tally.next.max(entry.number + 1);
        let Some((earlier, ruling)) = self.ruling(db, incoming)? else {
            return self.keep(db, incoming);
        };
        if ruling == Ruling::New {
            return self.keep(db, incoming);
        }
        self.log(db, kind::AGAIN, earlier, incoming.received, None)?;
        self.staged.again.insert(entry.number, earlier);
        Ok(match ruling {
            Ruling::Held => refuse_held(),
            _ => Done::Again(earlier),
        })
    }

    /// The earlier frame of the same sender and bytes within the window, if there is one, and what follows from it.
    fn ruling(&self, db: &Connection, incoming: &Incoming) -> Result<Option<(u64, Ruling)>, Trouble> {
        let staged = self.staged.fresh.get(&incoming.mark).map(|seen| seen.number);
        let found = match staged {
            Some(number) => Some(number),
            None => self.index.find(db, incoming.mark)?,
        };
        let Some(number) = found else { return Ok(None) };
        let earlier = self.look_up(db, number, incoming)?;
        Ok(earlier.map(|earlier| (number, judge(earlier))))
    }

    fn look_up(&self, db: &Connection, earlier: u64, incoming: &Incoming) -> Result<Option<Earlier>, Trouble> {
        let mut select = db.prepare_cached(
            "SELECT f.hash = ?2 AND f.listener = ?3, f.received, f.snapshot = ?4, o.state, a.sum FROM frame f
             LEFT JOIN open o ON o.number = f.number LEFT JOIN answer a ON a.number = f.number WHERE f.number = ?1",
        )?;
        let entry = &incoming.entry;
        // The sender of a request of its own is no listener's name, so it equals none.
        let key = params![column(earlier), entry.hash, &*entry.frame.sender(), &*entry.snapshot];
        let mut rows = select.query(key)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (same, received, same_snapshot): (bool, i64, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (open, sum): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        let age = Duration::from_nanos(incoming.received.abs_diff(received));
        if !same || age > self.window {
            return Ok(None);
        }
        Ok(Some(match (open, sum) {
            (_, Some(sum)) => Earlier::Answered {
                sum: Sum::from_column(sum),
                same_snapshot,
            },
            _ if self.staged.opened.contains_key(&earlier) => Earlier::Open,
            (Some(state::HELD), None) => Earlier::Held,
            (Some(_), None) if !self.lost.contains(&earlier) => Earlier::Open,
            _ => Earlier::Lost,
        }))
    }

    fn keep(&mut self, db: &Connection, incoming: &Incoming) -> Result<Done, Trouble> {
        let entry = &incoming.entry;
        let frame = &entry.frame;
        let position = self.log(db, kind::RECEIVED, entry.number, incoming.received, Some(incoming.mark))?;
        db.prepare_cached("INSERT INTO frame VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute(params![
                column(entry.number),
                column(position),
                incoming.received,
                &*frame.listener,
                &*frame.peer,
                incoming.head,
                &*entry.snapshot,
                entry.hash,
                &*frame.body,
            ])?;
        self.staged.opened.insert(entry.number, entry.parked);
        let seen = Seen::new(entry.number, incoming.received);
        self.staged.fresh.insert(incoming.mark, seen);
        self.staged.tally.accepted += 1;
        Ok(Done::Kept)
    }

    fn answered(&mut self, db: &Connection, ending: &Ending) -> Result<Done, Trouble> {
        if let Some(earlier) = self.earlier_of(ending.number) {
            return self.again(db, earlier);
        }
        if self.lost.contains(&ending.number) {
            return Ok(Done::Failed(storage(
                "the frame or some of its parts could not be kept",
            )));
        }
        let whole = self.staged.opened.contains_key(&ending.number) && !self.staged.in_parts.contains(&ending.number);
        if !self.end(db, ending.number)? {
            return kept_replies(db, ending.number, None);
        }
        let before = if whole { None } else { sum_before(db, ending.number)? };
        let sum = before
            .max(ending.sum)
            .unwrap_or_else(|| Sum::of_replies(&ending.replies));
        let position = self.log(db, kind::ANSWERED, ending.number, ending.time, None)?;
        db.prepare_cached("INSERT INTO answer VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                column(ending.number),
                column(position),
                ending.time,
                sum as i64,
                ending.replies_column,
                ending.parts,
            ])?;
        self.post(db, ending.number, ending.time, &ending.deliveries)?;
        self.staged.tally.answered += 1;
        Ok(Done::Sent(Sent {
            replies: ending.replies.clone(),
            again: None,
        }))
    }

    /// What a resend that asks for its replies gets.
    fn again(&self, db: &Connection, earlier: u64) -> Result<Done, Trouble> {
        if self.staged.opened.contains_key(&earlier) {
            return Ok(Done::Wait(earlier));
        }
        match open_state(db, earlier)? {
            None => kept_replies(db, earlier, Some(earlier)),
            Some(state::HELD) => Ok(refuse_held()),
            Some(_) if self.lost.contains(&earlier) => Ok(Done::Failed(storage(
                "the answer to the same message could not be kept",
            ))),
            Some(_) => Ok(Done::Wait(earlier)),
        }
    }

    /// Takes a frame out of the open ones; false if it is not among them.
    fn end(&mut self, db: &Connection, number: u64) -> Result<bool, Trouble> {
        if self.staged.opened.remove(&number).is_some() {
            return Ok(true);
        }
        let state: Option<i64> = db
            .prepare_cached("DELETE FROM open WHERE number = ?1 RETURNING state")?
            .query_row([column(number)], |row| row.get(0))
            .optional()?;
        if state == Some(state::HELD) {
            self.staged.tally.held = self.staged.tally.held.saturating_sub(1);
        }
        Ok(state.is_some())
    }

    fn decided(&mut self, db: &Connection, partial: &Partial) -> Result<Done, Trouble> {
        let open = self.staged.opened.contains_key(&partial.number) || open_state(db, partial.number)?.is_some();
        self.staged.in_parts.insert(partial.number);
        if open && !self.lost.contains(&partial.number) {
            db.prepare_cached("INSERT INTO decided(number, sum, parts) VALUES (?1, ?2, ?3)")?
                .execute(params![column(partial.number), partial.sum as i64, partial.parts])?;
            self.post(db, partial.number, partial.time, &partial.deliveries)?;
        }
        Ok(Done::Nothing)
    }

    fn late(&mut self, db: &Connection, advice: &Advice) -> Result<Done, Trouble> {
        let late = &advice.late;
        let kept = db
            .prepare_cached("SELECT 1 FROM frame WHERE number = ?1")?
            .exists([column(late.number)])?;
        if kept {
            let time = nanoseconds(late.time);
            let position = self.log(db, kind::LATE, late.number, time, None)?;
            db.prepare_cached("INSERT INTO late VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    column(position),
                    column(late.number),
                    late.part,
                    time,
                    late.service,
                    advice.findings,
                ])?;
            for delivery in &late.deliveries {
                self.post_one(db, late.number, late.part, time, delivery)?;
            }
        }
        Ok(Done::Nothing)
    }

    fn claim(&mut self, db: &Connection, limit: usize) -> Result<Done, Trouble> {
        self.write_opened(db)?;
        take_up(
            db,
            "SELECT number FROM open WHERE state = 1 AND number >= ?1 ORDER BY number LIMIT ?2",
            0,
            limit,
        )
    }

    /// Frames of an earlier process, running from now: another death counts for them.
    fn resume(db: &Connection, from: u64, limit: usize) -> Result<Done, Trouble> {
        let sql = "SELECT number FROM open WHERE recovered = 1 AND state IN (0, 3) AND number >= ?1
                   ORDER BY number LIMIT ?2";
        take_up(db, sql, from, limit)
    }

    /// Writes a record and returns its position.
    fn log(&mut self, db: &Connection, kind: i64, number: u64, time: i64, mark: Option<i64>) -> rusqlite::Result<u64> {
        let position = self.staged.tally.tail + 1;
        db.prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![column(position), kind, column(number), time, mark])?;
        self.staged.tally.tail = position;
        Ok(position)
    }
}

fn take_up(db: &Connection, sql: &str, from: u64, limit: usize) -> Result<Done, Trouble> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let numbers: Vec<u64> = db
        .prepare_cached(sql)?
        .query_map([column(from), limit], |row| number(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut update = db.prepare_cached("UPDATE open SET state = 0 WHERE number = ?1")?;
    for number in &numbers {
        update.execute([column(*number)])?;
    }
    Ok(Done::Numbers(numbers))
}

/// How the parts that were decided before ended.
fn sum_before(db: &Connection, number: u64) -> Result<Option<Sum>, Trouble> {
    let mut select = db.prepare_cached("SELECT max(sum) FROM decided WHERE number = ?1")?;
    let sum: Option<i64> = select.query_row([column(number)], |row| row.get(0))?;
    Ok(sum.map(Sum::from_column))
}

fn open_state(db: &Connection, number: u64) -> Result<Option<i64>, Trouble> {
    let mut select = db.prepare_cached("SELECT state FROM open WHERE number = ?1")?;
    Ok(select.query_row([column(number)], |row| row.get(0)).optional()?)
}

/// The replies that were kept for a frame.
fn kept_replies(db: &Connection, number: u64, again: Option<u64>) -> Result<Done, Trouble> {
    let column: Option<Vec<u8>> = db
        .prepare_cached("SELECT replies FROM answer WHERE number = ?1")?
        .query_row([column(number)], |row| row.get(0))
        .optional()?;
    let Some(column) = column else {
        return Ok(Done::Failed(storage("the frame is not in the log")));
    };
    let replies = codec::read_replies(Bytes::from(column))?.into();
    Ok(Done::Sent(Sent { replies, again }))
}

fn too_large() -> Fault {
    Fault::new(FaultKind::TooLarge, "the message is larger than the log takes")
}

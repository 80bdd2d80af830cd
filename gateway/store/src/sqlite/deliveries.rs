//! Deliveries on the writer's side: posting, what came of attempts, and what a person decides about them. A row is short,
//! since what is sent is rendered from frame and answer, so changing it in place is cheap.

use causeway_core::Fault;
use causeway_core::store::{Account, Attempt, Audit, Dead, Decided, Deliveries, End, Posted, Query, State};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{oneshot, watch};

use super::apply::Trouble;
use super::command::{Command, Settling, Turn};
use super::core::Core;
use super::group::Done;
use super::schema::delivery;
use super::{SqliteLog, column, nanoseconds};

/// So many are turned in one command, so that the writer never stalls for it.
const STEP: usize = 1_000;

impl Core {
    /// Posts the deliveries of some parts.
    pub(super) fn post(
        &mut self,
        db: &Connection,
        number: u64,
        time: i64,
        all: &[(u32, causeway_core::Delivery)],
    ) -> Result<(), Trouble> {
        all.iter()
            .try_for_each(|(part, of)| self.post_one(db, number, *part, time, of))
    }

    /// Posts a delivery under the next number.
    pub(super) fn post_one(
        &mut self,
        db: &Connection,
        number: u64,
        part: u32,
        time: i64,
        of: &causeway_core::Delivery,
    ) -> Result<(), Trouble> {
        let id = self.staged.tally.deliveries + 1;
        db.prepare_cached(
            "INSERT INTO delivery(id, number, part, destination, order_key, message_type, media_type, body, state, posted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            column(id),
            column(number),
            part,
            of.destination,
            of.order,
            of.message_type,
            of.media_type,
            of.body,
            delivery::WAITING,
            time,
        ])?;
        self.staged.tally.deliveries = id;
        let account = self.account(&of.destination);
        account.posted += 1;
        account.last = id;
        Ok(())
    }

    /// Writes what came of an attempt; one of a delivery that does not wait any more is forgotten.
    pub(super) fn settle(&mut self, db: &Connection, attempt: &Attempt) -> Result<Done, Trouble> {
        let none = String::new();
        let (state, due, failed, class, cause) = match &attempt.end {
            End::Delivered { said } => (delivery::DELIVERED, None, false, none.as_str(), said),
            End::Again {
                due,
                failed,
                class,
                cause,
            } => (delivery::WAITING, Some(nanoseconds(*due)), *failed, *class, cause),
            End::Dead { class, cause } => (delivery::DEAD, None, true, *class, cause),
        };
        let destination: Option<String> = db
            .prepare_cached(
                "UPDATE delivery SET state = ?2, due = ?3, failed = failed + ?4, class = ?5, cause = ?6, settled = ?7,
                 attempts = attempts + 1 WHERE id = ?1 AND state = 0 RETURNING destination",
            )?
            .query_row(
                params![
                    column(attempt.id),
                    state,
                    due,
                    failed,
                    class,
                    cause,
                    nanoseconds(attempt.time)
                ],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(destination) = destination {
            let account = self.account(&destination);
            account.delivered += u64::from(state == delivery::DELIVERED);
            account.dead += u64::from(state == delivery::DEAD);
        }
        Ok(Done::Nothing)
    }

    /// Tells a destination to rest, or to go on.
    pub(super) fn pause(&mut self, destination: &str, paused: bool) -> Done {
        self.account(destination).paused = paused;
        Done::Nothing
    }

    /// Puts deliveries back or takes them away, as far as they are where they can be.
    pub(super) fn turn(&mut self, db: &Connection, ids: &[u64], turn: Turn) -> Result<Done, Trouble> {
        let now = nanoseconds(jiff::Timestamp::now());
        let mut turned = Vec::with_capacity(ids.len());
        for id in ids {
            let of: Option<(String, i64)> = db
                .prepare_cached("SELECT destination, state FROM delivery WHERE id = ?1")?
                .query_row([column(*id)], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((destination, state)) = of else { continue };
            let (to, may) = match turn {
                Turn::Back => (delivery::WAITING, state != delivery::WAITING),
                Turn::Away => (delivery::DROPPED, matches!(state, delivery::WAITING | delivery::DEAD)),
            };
            if !may {
                continue;
            }
            db.prepare_cached("UPDATE delivery SET state = ?2, due = NULL, failed = 0, settled = ?3 WHERE id = ?1")?
                .execute([column(*id), to, now])?;
            let account = self.account(&destination);
            account.dead -= u64::from(state == delivery::DEAD && account.dead > 0);
            account.dropped += u64::from(to == delivery::DROPPED);
            // What had ended counts once more.
            account.posted += u64::from(matches!(state, delivery::DELIVERED | delivery::DROPPED));
            account.turned += 1;
            // After a start it stands at what waited then; whoever looks ahead must look as far as this one.
            account.last = account.last.max(*id);
            turned.push(*id);
        }
        Ok(Done::Numbers(turned))
    }

    fn account(&mut self, destination: &str) -> &mut Account {
        let known = &self.accounts;
        let staged = &mut self.staged.accounts;
        // Nearly always it is there, and then its name need not be copied.
        if !staged.contains_key(destination) {
            let account = known.get(destination).copied().unwrap_or_default();
            staged.insert(destination.to_owned(), account);
        }
        staged.entry(destination.to_owned()).or_default()
    }
}

impl SqliteLog {
    /// Turns those that a query means, some at a time.
    fn turn(&self, query: &Query, turn: Turn) -> Result<u64, Fault> {
        let (mut after, mut turned) = (0, 0);
        loop {
            let ids = self.reader.ids(query, after, STEP)?;
            let Some(last) = ids.last().copied() else {
                return Ok(turned);
            };
            after = last;
            let done = self.ask(|answer| Command::Turn { ids, turn, answer })?;
            turned += done.len() as u64;
        }
    }
}

impl Deliveries for SqliteLog {
    fn account(&self, destination: &str) -> watch::Receiver<Account> {
        self.shared.accounts.watch(destination)
    }

    fn accounts(&self) -> Vec<(String, Account)> {
        self.shared.accounts.all()
    }

    fn audit(&self) -> Result<Vec<Audit>, Fault> {
        self.reader.audit()
    }

    fn waiting(&self, destination: &str, key: Option<&str>, after: u64, limit: usize) -> Result<Vec<Posted>, Fault> {
        self.reader.waiting(destination, key, after, limit)
    }

    fn part(&self, number: u64, part: u32) -> Result<Option<Decided>, Fault> {
        self.reader.part(number, part)
    }

    fn position(&self, number: u64) -> Result<Option<u64>, Fault> {
        self.reader.position(number)
    }

    fn settle(&self, attempt: Attempt) -> oneshot::Receiver<Result<(), Fault>> {
        let (kept, wait) = oneshot::channel();
        self.send(Command::Settle(Settling { attempt, kept }));
        wait
    }

    fn pause(&self, destination: &str, paused: bool) -> Result<(), Fault> {
        let destination = destination.to_owned();
        self.ask(|answer| Command::Pause {
            destination,
            paused,
            answer,
        })
    }

    fn find(&self, query: &Query, after: u64, limit: usize) -> Result<Vec<Posted>, Fault> {
        self.reader.find(query, after, limit)
    }

    fn count(&self, query: &Query) -> Result<u64, Fault> {
        self.reader.count(query)
    }

    fn dead(&self, destination: Option<&str>) -> Result<Vec<Dead>, Fault> {
        self.reader.dead(destination)
    }

    fn replay(&self, query: &Query) -> Result<u64, Fault> {
        self.turn(query, Turn::Back)
    }

    fn discard(&self, query: &Query) -> Result<u64, Fault> {
        self.turn(query, Turn::Away)
    }
}

/// A state from its column.
pub(super) fn state(column: i64) -> State {
    match column {
        delivery::DELIVERED => State::Delivered,
        delivery::DEAD => State::Dead,
        delivery::DROPPED => State::Dropped,
        _ => State::Waiting,
    }
}

//! The writer's memory: counters, the index of marks, who waits for whom. Changes that a commit will make true are
//! staged and merged after it, so that a rollback leaves no trace.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use causeway_core::Fault;
use causeway_core::store::Sent;
use rusqlite::{Connection, params};

use super::accounts::{self, Accounts};
use super::command::{Command, Sender};
use super::group::Done;
use super::index::{Index, Seen};
use super::schema::state;
use super::{column, number};
use crate::resend::held;

/// So many resends are remembered that have not asked for their replies yet; the oldest go first. A caller that never
/// asks is gone.
const AGAIN: usize = 65_536;

/// The counters as they are on disk.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) tail: u64,
    pub(super) next: u64,
    pub(super) accepted: u64,
    pub(super) answered: u64,
    pub(super) held: u64,
    /// Frames up to this position are in the index on disk.
    pub(super) indexed: u64,
    /// The highest number of a delivery.
    pub(super) deliveries: u64,
}

impl Tally {
    pub(super) fn load(db: &Connection) -> rusqlite::Result<Self> {
        let sql = "SELECT tail, next, accepted, answered, held, indexed, deliveries FROM tally";
        db.query_row(sql, [], |row| {
            Ok(Self {
                tail: number(row, 0)?,
                next: number(row, 1)?,
                accepted: number(row, 2)?,
                answered: number(row, 3)?,
                held: number(row, 4)?,
                indexed: number(row, 5)?,
                deliveries: number(row, 6)?,
            })
        })
    }

    pub(super) fn save(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE tally SET tail = ?1, next = ?2, accepted = ?3, answered = ?4, held = ?5, indexed = ?6,
                   deliveries = ?7";
        let [tail, next, accepted] = [self.tail, self.next, self.accepted].map(column);
        let [answered, held, indexed] = [self.answered, self.held, self.indexed].map(column);
        db.prepare_cached(sql)?
            .execute([tail, next, accepted, answered, held, indexed, column(self.deliveries)])?;
        Ok(())
    }
}

/// What the commit under way will make true.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) tally: Tally,
    /// Frames of this commit that are not answered in it; the value says whether they are parked.
    pub(super) opened: BTreeMap<u64, bool>,
    /// Frames some of whose parts are decided in this commit before the last.
    pub(super) in_parts: BTreeSet<u64>,
    /// Marks of new frames.
    pub(super) fresh: HashMap<i64, Seen>,
    /// Resends: arrival to earlier frame.
    pub(super) again: BTreeMap<u64, u64>,
    /// Destinations whose numbers change.
    pub(super) accounts: Accounts,
}

#[derive(Debug)]
pub(super) struct Core {
    pub(super) tally: Tally,
    pub(super) accounts: Accounts,
    pub(super) staged: Staged,
    pub(super) index: Index,
    pub(super) window: Duration,
    /// Resends that have not asked for their replies yet: arrival to earlier frame.
    again: BTreeMap<u64, u64>,
    waiters: HashMap<u64, Vec<Sender>>,
    /// Frames whose record or answer was reported as failed and may be open on disk: nobody works on them.
    pub(super) lost: BTreeSet<u64>,
}

impl Core {
    pub(super) fn load(db: &Connection, window: Duration) -> rusqlite::Result<Self> {
        let tally = Tally::load(db)?;
        Ok(Self {
            tally,
            accounts: accounts::load(db)?,
            staged: Staged::default(),
            index: Index::load(db, tally.indexed, window)?,
            window,
            again: BTreeMap::new(),
            waiters: HashMap::new(),
            lost: BTreeSet::new(),
        })
    }

    /// Reads again what the disk says; who waits and what was lost is kept.
    pub(super) fn reload(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let fresh = Self::load(db, self.window)?;
        self.tally = fresh.tally;
        accounts::reload(&mut self.accounts, fresh.accounts);
        self.index = fresh.index;
        self.staged = Staged::default();
        Ok(())
    }

    /// The earlier frame of a resend that has not asked for its replies yet.
    pub(super) fn earlier_of(&self, arrival: u64) -> Option<u64> {
        self.staged
            .again
            .get(&arrival)
            .or_else(|| self.again.get(&arrival))
            .copied()
    }

    /// Writes the open frames and counters of this commit.
    pub(super) fn seal(&mut self, db: &Connection) -> rusqlite::Result<()> {
        self.write_opened(db)?;
        self.index.step(db, self.staged.fresh.len(), &mut self.staged.tally)?;
        accounts::save(&self.staged.accounts, db)?;
        // A claim that found nothing writes nothing, so that asking again and again costs no fsync.
        if self.staged.tally == self.tally {
            return Ok(());
        }
        self.staged.tally.save(db)
    }

    /// Writes the frames that are open so far, for what looks for them in the table.
    pub(super) fn write_opened(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert =
            db.prepare_cached("INSERT INTO open(number, state, deaths, recovered) VALUES (?1, ?2, 0, 0)")?;
        for (number, parked) in std::mem::take(&mut self.staged.opened) {
            let state = if parked { state::PARKED } else { state::RUNNING };
            insert.execute(params![column(number), state])?;
        }
        Ok(())
    }

    /// The commit is done: what was staged is true.
    /// Returns the destinations whose numbers changed.
    pub(super) fn merge(&mut self) -> Accounts {
        let staged = std::mem::take(&mut self.staged);
        self.tally = staged.tally;
        self.index.extend(staged.fresh, staged.tally.tail);
        self.again.extend(staged.again);
        while self.again.len() > AGAIN {
            self.again.pop_first();
        }
        self.accounts
            .extend(staged.accounts.iter().map(|(name, account)| (name.clone(), *account)));
        staged.accounts
    }

    /// Says what became of a command that is on disk.
    pub(super) fn finish(&mut self, command: Command, done: Done) {
        match (command, done) {
            (Command::Receive(incoming), Done::Kept) => incoming.entry.settle.kept(),
            (Command::Receive(incoming), Done::Again(earlier)) => incoming.entry.settle.again(earlier),
            (Command::Receive(incoming), Done::Failed(fault)) => incoming.entry.settle.failed(fault),
            (Command::Answered(ending), Done::Sent(sent)) => {
                self.again.remove(&ending.number);
                if sent.again.is_none() {
                    self.wake(ending.number, &sent);
                }
                tell(ending.sent, Ok(sent));
            }
            (Command::Answered(ending), Done::Wait(earlier)) => {
                self.again.remove(&ending.number);
                self.waiters.entry(earlier).or_default().push(ending.sent);
            }
            (Command::Claim { answer, .. } | Command::Resume { answer, .. }, Done::Numbers(numbers)) => {
                for number in &numbers {
                    self.lost.remove(number);
                }
                drop(answer.send(Ok(numbers)));
            }
            (Command::Forget { answer, .. } | Command::Turn { answer, .. }, Done::Numbers(numbers)) => {
                drop(answer.send(Ok(numbers)));
            }
            (Command::Settle(ended), _) => drop(ended.kept.send(Ok(()))),
            (Command::Pause { answer, .. }, _) => drop(answer.send(Ok(()))),
            (Command::Answered(ending), Done::Failed(fault)) => {
                self.again.remove(&ending.number);
                self.disappoint(ending.number, &fault);
                tell(ending.sent, Err(fault));
            }
            (command, Done::Failed(fault)) => self.fail(command, &fault),
            _ => {}
        }
    }

    fn wake(&mut self, number: u64, sent: &Sent) {
        for waiter in self.waiters.remove(&number).unwrap_or_default() {
            let sent = Sent {
                replies: sent.replies.clone(),
                again: Some(number),
            };
            tell(waiter, Ok(sent));
        }
    }

    fn disappoint(&mut self, number: u64, fault: &Fault) {
        for waiter in self.waiters.remove(&number).unwrap_or_default() {
            tell(waiter, Err(fault.clone()));
        }
    }

    /// Says that a command could not be done. A frame whose answer is lost has nobody who works on it any more.
    pub(super) fn fail(&mut self, command: Command, fault: &Fault) {
        match command {
            Command::Receive(incoming) => incoming.entry.settle.failed(fault.clone()),
            Command::Answered(ending) => {
                if self.again.remove(&ending.number).is_none() {
                    self.lost.insert(ending.number);
                }
                self.disappoint(ending.number, fault);
                tell(ending.sent, Err(fault.clone()));
            }
            Command::Decided(partial) => {
                self.lost.insert(partial.number);
            }
            Command::Claim { answer, .. }
            | Command::Resume { answer, .. }
            | Command::Forget { answer, .. }
            | Command::Turn { answer, .. } => drop(answer.send(Err(fault.clone()))),
            Command::Settle(ended) => drop(ended.kept.send(Err(fault.clone()))),
            Command::Pause { answer, .. } => drop(answer.send(Err(fault.clone()))),
            // Nobody waits for a late result, and the answer has said already that there was none in time.
            Command::Late(_) | Command::Want(_) | Command::Close => {}
        }
    }

    /// Says that a command's commit failed; it may be on disk all the same.
    pub(super) fn doubt(&mut self, command: Command, fault: &Fault) {
        if let Command::Receive(incoming) = &command {
            self.lost.insert(incoming.entry.number);
        }
        self.fail(command, fault);
    }
}

/// A resend of a held frame is refused until an operator has decided on it, whoever asks.
pub(super) fn refuse_held() -> Done {
    Done::Failed(held())
}

/// Whoever asked may have gone; the log has it all the same.
fn tell(to: Sender, what: Result<Sent, Fault>) {
    drop(to.send(what));
}

//! Finds the earlier frame of a resend by its mark. An index over random marks costs more the larger it is, since every
//! message then dirties a page of its own. So the newest marks are in memory (they are in the log's records anyway, from
//! which they are read at the start); when there are many, they move in the order of marks, a few with every commit,
//! into a table per day, so that a page takes many at once. A sieve per day keeps new messages from looking there, and
//! days beyond the window are emptied in small steps.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::core::Tally;
use super::{column, nanoseconds, number};
use crate::Sieve;

/// So many marks are in memory before they move; twice as many at most.
const RECENT: usize = 32_768;
/// Marks that move with a commit, and how many more for every mark that it brings, so that moving always ends before the
/// next are many.
const STEP: usize = 64;
const STEP_EACH: usize = 4;
/// Rows of an expired day that go with one commit.
const EXPIRED: i64 = 256;
const DAY: i64 = 86_400_000_000_000;

/// Where a mark was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) number: u64,
    /// Days since 1970 of its frame's receipt.
    pub(super) day: i64,
}

impl Seen {
    pub(super) fn new(number: u64, received: i64) -> Self {
        // A clock before 1970 is no clock.
        let day = (received / DAY).max(0);
        Self { number, day }
    }
}

#[derive(Debug, Default)]
pub(super) struct Index {
    /// Of frames after `Tally::indexed` that do not move yet.
    recent: HashMap<i64, Seen>,
    /// Of frames that move.
    moving: HashMap<i64, Seen>,
    /// The marks that have still to move, the next one last.
    queue: Vec<(i64, i64)>,
    /// The position up to which all have moved when the queue is empty.
    until: u64,
    days: BTreeMap<i64, Sieve>,
    /// Whole days of the window.
    window: i64,
    recent_limit: usize,
}

impl Index {
    pub(super) fn load(db: &Connection, indexed: u64, window: Duration) -> rusqlite::Result<Self> {
        let mut select = db.prepare("SELECT mark, number, time FROM log WHERE position > ?1 AND kind = 0")?;
        let seen = select.query_map([column(indexed)], |row| {
            Ok((row.get(0)?, Seen::new(number(row, 1)?, row.get(2)?)))
        })?;
        let mut sieves = db.prepare("SELECT day, bits FROM sieve")?;
        let days = sieves.query_map([], |row| {
            Ok((row.get(0)?, Sieve::from_bytes(&row.get::<_, Vec<u8>>(1)?)))
        })?;
        Ok(Self {
            recent: seen.collect::<rusqlite::Result<_>>()?,
            days: days.collect::<rusqlite::Result<_>>()?,
            window: i64::try_from(window.as_secs().div_ceil(86_400)).unwrap_or(i64::MAX / 2),
            recent_limit: RECENT,
            ..Self::default()
        })
    }

    /// The latest frame with a mark.
    pub(super) fn find(&self, db: &Connection, mark: i64) -> rusqlite::Result<Option<u64>> {
        if let Some(seen) = self.recent.get(&mark).or_else(|| self.moving.get(&mark)) {
            return Ok(Some(seen.number));
        }
        for (day, sieve) in self.days.iter().rev() {
            if sieve.may_hold(mark)
                && let Some(number) = find_in(db, *day, mark)?
            {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Takes up the marks of a commit; `tail` is its last position.
    pub(super) fn extend(&mut self, frames: impl IntoIterator<Item = (i64, Seen)>, tail: u64) {
        self.recent.extend(frames);
        if self.recent.len() < self.recent_limit || !self.queue.is_empty() {
            return;
        }
        self.moving = std::mem::take(&mut self.recent);
        self.until = tail;
        let expired = self.expired();
        let place = |(mark, seen): (&i64, &Seen)| (seen.day, *mark);
        self.queue = self
            .moving
            .iter()
            .map(place)
            .filter(|(day, _)| *day > expired)
            .collect();
        self.queue.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// Moves some marks into their tables, or drops a part of an expired day: a little with every commit. What goes
    /// wrong here fails the commit, and all of this is then read again from disk.
    pub(super) fn step(&mut self, db: &Connection, brought: usize, tally: &mut Tally) -> rusqlite::Result<()> {
        if !self.moving.is_empty() {
            return self.move_some(db, STEP + STEP_EACH * brought, tally);
        }
        match self.days.first_key_value() {
            Some((day, _)) if *day <= self.expired() => self.drop_some(db, *day),
            _ => Ok(()),
        }
    }

    /// The last day that no resend can belong to any more.
    fn expired(&self) -> i64 {
        nanoseconds(Timestamp::now()) / DAY - self.window - 1
    }

    fn move_some(&mut self, db: &Connection, count: usize, tally: &mut Tally) -> rusqlite::Result<()> {
        let rest = self.queue.len().saturating_sub(count);
        for (day, mark) in self.queue.drain(rest..).rev() {
            let sieve = match self.days.get_mut(&day) {
                Some(sieve) => sieve,
                None => new_day(db, &mut self.days, day, self.window)?,
            };
            if let Some(seen) = self.moving.get(&mark) {
                sieve.insert(mark);
                db.prepare_cached(&format!("INSERT OR REPLACE INTO seen_{day} VALUES (?1, ?2)"))?
                    .execute([mark, column(seen.number)])?;
            }
        }
        if self.queue.is_empty() {
            self.moving = HashMap::new();
            tally.indexed = self.until;
            self.save_sieves(db)?;
        }
        Ok(())
    }

    fn save_sieves(&mut self, db: &Connection) -> rusqlite::Result<()> {
        for (day, sieve) in &mut self.days {
            if let Some(bits) = sieve.unsaved() {
                db.execute("INSERT OR REPLACE INTO sieve VALUES (?1, ?2)", params![day, bits])?;
            }
        }
        Ok(())
    }

    fn drop_some(&mut self, db: &Connection, day: i64) -> rusqlite::Result<()> {
        let sql = format!("DELETE FROM seen_{day} WHERE mark IN (SELECT mark FROM seen_{day} LIMIT ?1)");
        if db.prepare_cached(&sql)?.execute([EXPIRED])? == 0 {
            db.execute_batch(&format!("DROP TABLE seen_{day}"))?;
            db.execute("DELETE FROM sieve WHERE day = ?1", [day])?;
            self.days.remove(&day);
        }
        Ok(())
    }
}

fn find_in(db: &Connection, day: i64, mark: i64) -> rusqlite::Result<Option<u64>> {
    db.prepare_cached(&format!("SELECT number FROM seen_{day} WHERE mark = ?1"))?
        .query_row([mark], |row| number(row, 0))
        .optional()
}

fn new_day<'a>(
    db: &Connection,
    days: &'a mut BTreeMap<i64, Sieve>,
    day: i64,
    window: i64,
) -> rusqlite::Result<&'a mut Sieve> {
    db.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS seen_{day}(mark INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT"
    ))?;
    Ok(days.entry(day).or_insert_with(|| Sieve::for_days(window)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema;

    const WEEK: Duration = Duration::from_hours(7 * 24);

    struct Bench {
        db: Connection,
        index: Index,
        tally: Tally,
        now: i64,
    }

    impl Bench {
        fn new() -> Self {
            let mut db = Connection::open_in_memory().unwrap();
            schema::migrate(&mut db).unwrap();
            let index = Index::load(&db, 0, WEEK).unwrap();
            let now = nanoseconds(Timestamp::now());
            let mut bench = Self {
                db,
                index,
                tally: Tally::default(),
                now,
            };
            bench.index.recent_limit = 1_000;
            bench
        }

        fn mark(n: u64) -> i64 {
            crate::resend::mark(&n.to_string(), &[0; 32])
        }

        /// One commit with a frame of a mark, so many days ago.
        fn commit(&mut self, mark: i64, number: u64, days_ago: i64) {
            self.tally.tail += 1;
            let received = self.now - days_ago * DAY;
            let row = params![column(self.tally.tail), column(number), received, mark];
            self.db
                .execute("INSERT INTO log VALUES (?1, 0, ?2, ?3, ?4)", row)
                .unwrap();
            self.index.step(&self.db, 1, &mut self.tally).unwrap();
            self.index
                .extend([(mark, Seen::new(number, received))], self.tally.tail);
        }

        fn find(&self, mark: i64) -> Option<u64> {
            self.index.find(&self.db, mark).unwrap()
        }

        fn tables(&self) -> i64 {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'seen%' AND type = 'table'";
            self.db.query_row(sql, [], |row| row.get(0)).unwrap()
        }

        fn reload(&mut self) {
            self.index = Index::load(&self.db, self.tally.indexed, WEEK).unwrap();
            self.index.recent_limit = 1_000;
        }
    }

    #[test]
    fn every_frame_is_found_wherever_it_is_and_after_every_restart() {
        let mut bench = Bench::new();
        for n in 0..5_000 {
            bench.commit(Bench::mark(n), n, i64::from(n % 3 == 0));
            // Restarts hit every stage of moving: 617 is prime to the steps.
            if n % 617 == 0 {
                bench.reload();
                assert!(
                    (0..=n).all(|seen| bench.find(Bench::mark(seen)) == Some(seen)),
                    "at {n}"
                );
            }
        }
        assert!((0..5_000).all(|seen| bench.find(Bench::mark(seen)) == Some(seen)));
        assert!((5_000..6_000).all(|unseen| bench.find(Bench::mark(unseen)).is_none()));
        assert!(bench.tally.indexed > 3_000);
        assert!(bench.index.recent.len() + bench.index.moving.len() < 2_100);
        assert_eq!(bench.tables(), 2);
    }

    #[test]
    fn the_latest_frame_of_a_mark_wins() {
        let mut bench = Bench::new();
        let mark = Bench::mark(1_000_000);
        bench.commit(mark, 1, 2);
        (10..3_000).for_each(|n| bench.commit(Bench::mark(n), n, 0));
        assert_eq!(bench.find(mark), Some(1));
        bench.commit(mark, 5_000, 1);
        assert_eq!(bench.find(mark), Some(5_000));
        (3_000..8_000).for_each(|n| bench.commit(Bench::mark(n), n, 0));
        assert_eq!(bench.find(mark), Some(5_000));
        assert!(!bench.index.recent.contains_key(&mark) && !bench.index.moving.contains_key(&mark));
    }

    #[test]
    fn days_beyond_the_window_go() {
        let mut bench = Bench::new();
        (0..3_000).for_each(|n| bench.commit(Bench::mark(n), n, 7));
        (3_000..6_000).for_each(|n| bench.commit(Bench::mark(n), n, 1));
        assert_eq!(bench.tables(), 2);
        bench.index.window = 5;
        (6_000..9_000).for_each(|n| bench.commit(Bench::mark(n), n, 1));
        assert_eq!(bench.tables(), 1);
        assert_eq!(bench.find(Bench::mark(7)), None);
        assert_eq!(bench.find(Bench::mark(3_001)), Some(3_001));
        let sieves: i64 = bench
            .db
            .query_row("SELECT count(*) FROM sieve", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sieves, 1);
    }
}

//! The deliveries of one destination that are looked at ahead: one lane for each order key, in it one under way at a time.
//! What does not fit stays in the log and is asked for again, so memory is bounded however much waits. No clock, no I/O.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use causeway_core::store::Posted;
use jiff::Timestamp;

/// Deliveries of one key that are in memory; more of it are asked for when they are gone.
const OF_KEY: usize = 16;
/// Keys that wait for their time may be so many times the window.
const DELAYED: usize = 8;
/// Deliveries that are asked for at a time.
const PAGE: usize = 256;

type Key = Arc<str>;

/// The key of a delivery.
fn key_of(posted: &Posted) -> &str {
    posted.delivery.order.as_deref().unwrap_or_default()
}

/// What is to be read of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// The next ones of this key; of all keys without one.
    pub(super) key: Option<Key>,
    /// After this number.
    pub(super) after: u64,
    /// So many at most.
    pub(super) limit: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Mode {
    /// Its first may go.
    Ready,
    /// One of it is under way, or is not on disk yet as settled.
    Busy(u64),
    /// Its first is not due yet.
    Delayed,
    /// It has nothing in memory, and more in the log.
    Hungry,
}

#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Posted>,
    mode: Mode,
    /// More of it has higher numbers than this.
    last: u64,
    /// Whether the log has more of it, up to where the queue has looked.
    more: bool,
    /// Whether the one under way may not be to be delivered any more: only the log knows.
    doubted: bool,
}

impl Lane {
    fn has(&self, id: u64) -> bool {
        self.mode == Mode::Busy(id) || self.waiting.iter().any(|posted| posted.id == id)
    }
}

/// What waits in memory.
#[derive(Debug)]
pub(super) struct Queue {
    window: usize,
    lanes: HashMap<Key, Lane>,
    /// Keys whose first may go, in the order in which they became so.
    ready: VecDeque<Key>,
    /// Keys whose first is not due yet.
    delayed: BTreeMap<(Timestamp, u64), Key>,
    /// Keys that have more in the log and nothing in memory.
    hungry: VecDeque<Key>,
    /// How far the log was looked at.
    seen: u64,
    /// Deliveries in memory, those of delayed keys apart.
    ahead: usize,
    /// Deliveries that ended while something was being read: what was read may have them as waiting.
    ended: HashSet<u64>,
    /// Whether something is being read, and whether it is out of date.
    reading: Option<bool>,
}

impl Queue {
    /// An empty queue that looks so far ahead.
    pub(super) fn new(window: usize) -> Self {
        Self {
            window,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            delayed: BTreeMap::new(),
            hungry: VecDeque::new(),
            seen: 0,
            ahead: 0,
            ended: HashSet::new(),
            reading: None,
        }
    }

    /// What is to be read now, if anything is; [`Queue::read`] takes what was found. `last` is the highest number posted.
    pub(super) fn wish(&mut self, last: u64) -> Option<Wish> {
        if self.reading.is_some() {
            return None;
        }
        let wish = self.hungry_wish().or_else(|| self.next_wish(last))?;
        self.reading = Some(false);
        self.ended.clear();
        Some(wish)
    }

    fn hungry_wish(&mut self) -> Option<Wish> {
        let key = self.hungry.pop_front()?;
        let after = self.lanes.get(&key)?.last;
        Some(Wish {
            key: Some(key),
            after,
            limit: OF_KEY,
        })
    }

    fn next_wish(&self, last: u64) -> Option<Wish> {
        let room = self.window.saturating_sub(self.ahead);
        let crowded = self.delayed.len() >= self.window.saturating_mul(DELAYED);
        (room > 0 && !crowded && self.seen < last).then(|| Wish {
            key: None,
            after: self.seen,
            limit: room.min(PAGE),
        })
    }

    /// Takes what was found for a wish; `last` is the highest number that had been posted when it was made.
    pub(super) fn read(&mut self, wish: &Wish, found: Vec<Posted>, last: u64, now: Timestamp) {
        let stale = self.reading.take().unwrap_or(true);
        if stale {
            return;
        }
        if let Some(key) = &wish.key {
            self.feed(key, found, wish.limit, now);
        } else {
            // A page may end early, so that only an empty one says that there is no more.
            self.seen = found.last().map_or(last, |posted| posted.id);
            for posted in found {
                self.add(posted, now);
            }
        }
        self.ended.clear();
    }

    /// What was to be read could not be.
    pub(super) fn unread(&mut self, wish: Wish) {
        let stale = self.reading.take().unwrap_or(true);
        if let (Some(key), false) = (wish.key, stale) {
            self.hungry.push_front(key);
        }
    }

    fn add(&mut self, posted: Posted, now: Timestamp) {
        if self.ended.contains(&posted.id) {
            return;
        }
        let key: Key = key_of(&posted).into();
        match self.lanes.get_mut(&key) {
            // After a look at all of it again, it may be here already.
            Some(lane) if lane.has(posted.id) => {}
            Some(lane) if lane.more || lane.mode == Mode::Delayed || lane.waiting.len() >= OF_KEY => {
                lane.more = true;
                lane.last = lane.last.min(posted.id - 1);
            }
            Some(lane) => {
                lane.last = posted.id;
                lane.waiting.push_back(posted);
                self.ahead += 1;
            }
            None => {
                let lane = Lane {
                    last: posted.id,
                    waiting: VecDeque::from([posted]),
                    mode: Mode::Hungry,
                    more: false,
                    doubted: false,
                };
                self.ahead += 1;
                self.lanes.insert(Key::clone(&key), lane);
                self.go_on(key, now);
            }
        }
    }

    /// Takes more of a key. What is beyond where the queue has looked is found when it looks there.
    fn feed(&mut self, key: &Key, found: Vec<Posted>, limit: usize, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        let full = found.len() == limit;
        let (mut beyond, seen, ended) = (false, self.seen, &self.ended);
        for posted in found {
            beyond |= posted.id > seen;
            if posted.id > seen || ended.contains(&posted.id) {
                continue;
            }
            lane.last = posted.id;
            lane.waiting.push_back(posted);
            self.ahead += 1;
        }
        lane.more = full && !beyond;
        self.go_on(Key::clone(key), now);
    }

    /// Puts a lane that nothing of is under way where it belongs.
    fn go_on(&mut self, key: Key, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        match lane.waiting.front() {
            Some(first) => match first.due.filter(|due| *due > now) {
                None => {
                    lane.mode = Mode::Ready;
                    self.ready.push_back(key);
                }
                Some(due) => {
                    // Only its first stays in memory while it waits for its time.
                    self.ahead -= lane.waiting.len();
                    lane.more |= lane.waiting.len() > 1;
                    lane.last = first.id;
                    let id = first.id;
                    lane.waiting.truncate(1);
                    lane.mode = Mode::Delayed;
                    self.delayed.insert((due, id), key);
                }
            },
            None if lane.more => {
                lane.mode = Mode::Hungry;
                self.hungry.push_back(key);
            }
            None => {
                self.lanes.remove(&key);
            }
        }
    }

    /// The next that may go now, oldest keys first. It is under way until it is handed back.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Posted> {
        while let Some(entry) = self.delayed.first_entry().filter(|entry| entry.key().0 <= now) {
            let key = entry.remove();
            if let Some(lane) = self.lanes.get_mut(&key) {
                lane.mode = Mode::Ready;
                self.ahead += lane.waiting.len();
                self.ready.push_back(key);
            }
        }
        while let Some(key) = self.ready.pop_front() {
            let lane = self.lanes.get_mut(&key);
            if let Some((lane, posted)) = lane.and_then(|lane| lane.waiting.pop_front().map(|posted| (lane, posted))) {
                lane.mode = Mode::Busy(posted.id);
                return Some(posted);
            }
        }
        None
    }

    /// When the next that is not due yet will be.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }

    /// Whether another of the same order waits for this one.
    pub(super) fn is_wanted(&self, posted: &Posted) -> bool {
        let lane = self.lanes.get(key_of(posted));
        lane.is_some_and(|lane| lane.more || !lane.waiting.is_empty())
    }

    /// One that was under way has ended, and that is on disk.
    pub(super) fn ended(&mut self, posted: &Posted, now: Timestamp) {
        self.ahead -= 1;
        if self.reading.is_some() {
            self.ended.insert(posted.id);
        }
        self.free(key_of(posted).into(), posted.id, None, now);
    }

    /// One that was under way is to be tried again: at its time, if it has one, and after the others that are ready.
    pub(super) fn again(&mut self, posted: Posted, now: Timestamp) {
        self.free(key_of(&posted).into(), posted.id, Some(posted), now);
    }

    /// Nothing of a key is under way any more.
    fn free(&mut self, key: Key, id: u64, back: Option<Posted>, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&key).filter(|lane| lane.mode == Mode::Busy(id)) else {
            return;
        };
        let doubted = std::mem::take(&mut lane.doubted);
        match back {
            None => {}
            Some(_) if doubted => {
                // It is read again from the log, if it still waits there, and what is behind it after it.
                self.ahead -= 1 + lane.waiting.len();
                lane.waiting.clear();
                lane.more = true;
                lane.last = id - 1;
            }
            Some(back) => lane.waiting.push_front(back),
        }
        self.go_on(key, now);
    }

    /// Deliveries came back or were taken away: looks at all of it again. What is under way stays so.
    pub(super) fn look_again(&mut self) {
        if let Some(stale) = &mut self.reading {
            *stale = true;
        }
        self.lanes.retain(|_, lane| {
            lane.waiting.clear();
            // All of it is found again, from the first on.
            lane.more = false;
            lane.last = 0;
            lane.doubted = true;
            matches!(lane.mode, Mode::Busy(_))
        });
        self.ahead = self.lanes.len();
        self.ready.clear();
        self.delayed.clear();
        self.hungry.clear();
        self.seen = 0;
    }
}

#[cfg(test)]
mod tests;

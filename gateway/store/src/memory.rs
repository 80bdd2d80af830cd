//! The log in memory, with the same promises as on disk except that nothing outlives it: for `causeway answer`, demos of
//! a moment and tests. Everything happens under one lock at once; nothing here waits and nothing is bounded, so it is
//! not for a gateway that runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use causeway_core::store::{
    Decided, Deliveries, Ended, Entry, Event, Health, Late, Open, Outcome, Parts, Pending, Record, Sent,
};
use causeway_core::{Fault, Frame, Store};
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::resend::{Earlier, Ruling, Sum, held, judge, mark};
use crate::sqlite::Options;
use crate::storage;

mod deliveries;

use deliveries::Post;

type Waiter = oneshot::Sender<Result<Sent, Fault>>;

/// The log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    state: Mutex<State>,
    closed: AtomicBool,
    window: Duration,
}

#[derive(Debug, Default)]
struct State {
    kept: BTreeMap<u64, Kept>,
    records: BTreeMap<u64, Record>,
    seen: HashMap<i64, u64>,
    /// Resends that have not asked for their replies yet: arrival to earlier frame.
    again: BTreeMap<u64, u64>,
    waiters: HashMap<u64, Vec<(u64, Waiter)>>,
    health: Health,
    post: Post,
    next: u64,
}

#[derive(Debug)]
struct Kept {
    frame: Arc<Frame>,
    hash: [u8; 32],
    snapshot: Arc<str>,
    parked: bool,
    decided: Vec<Decided>,
    answered: Option<(Ended, Sum)>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log with the default window.
    pub fn new() -> Self {
        Self::with(&Options::default())
    }

    /// An empty log.
    pub fn with(options: &Options) -> Self {
        let state = State {
            next: 1,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            closed: AtomicBool::new(false),
            window: options.window,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, Fault> {
        if self.closed.load(Ordering::Acquire) {
            return Err(storage("the log was closed"));
        }
        Ok(self.lock())
    }
}

impl State {
    fn record(&mut self, number: u64, event: Event) {
        let position = self.health.tail + 1;
        self.health.tail = position;
        let record = Record {
            position,
            number,
            event,
        };
        self.records.insert(position, record);
    }

    fn earlier(&self, entry: &Entry, mark: i64, window: Duration) -> Option<(u64, Earlier)> {
        let number = *self.seen.get(&mark)?;
        let kept = self.kept.get(&number)?;
        let same = kept.hash == entry.hash && kept.frame.sender() == entry.frame.sender();
        let age = entry.frame.received.duration_since(kept.frame.received);
        if !same || age.unsigned_abs() > window {
            return None;
        }
        let earlier = match &kept.answered {
            None => Earlier::Open,
            Some((_, sum)) => Earlier::Answered {
                sum: *sum,
                same_snapshot: kept.snapshot == entry.snapshot,
            },
        };
        Some((number, earlier))
    }

    fn receive(&mut self, entry: Entry, window: Duration) {
        self.next = self.next.max(entry.number + 1);
        let mark = mark(&entry.frame.sender(), &entry.hash);
        let earlier = self.earlier(&entry, mark, window);
        match earlier.map(|(number, earlier)| (number, judge(earlier))) {
            None | Some((_, Ruling::New)) => self.keep(entry, mark),
            Some((number, ruling)) => {
                let received = entry.frame.received;
                self.record(number, Event::Again { received });
                self.again.insert(entry.number, number);
                match ruling {
                    Ruling::Held => entry.settle.failed(held()),
                    _ => entry.settle.again(number),
                }
            }
        }
    }

    fn keep(&mut self, entry: Entry, mark: i64) {
        if self.kept.contains_key(&entry.number) {
            return entry.settle.failed(storage("a frame's number was given twice"));
        }
        self.seen.insert(mark, entry.number);
        let event = Event::Received {
            frame: Arc::clone(&entry.frame),
            hash: entry.hash,
        };
        self.record(entry.number, event);
        self.health.accepted += 1;
        let kept = Kept {
            frame: entry.frame,
            hash: entry.hash,
            snapshot: entry.snapshot,
            parked: entry.parked,
            decided: Vec::new(),
            answered: None,
        };
        self.kept.insert(entry.number, kept);
        entry.settle.kept();
    }

    fn answered(&mut self, outcome: Outcome) {
        if let Some(earlier) = self.again.remove(&outcome.number) {
            return self.wait(outcome.number, earlier, outcome.sent);
        }
        let number = outcome.number;
        let Some(kept) = self.kept.get_mut(&number) else {
            return tell(outcome.sent, Err(storage("the frame is not in the log")));
        };
        if let Some((ended, _)) = &kept.answered {
            let replies = Arc::clone(&ended.replies);
            return tell(outcome.sent, Ok(Sent { replies, again: None }));
        }
        let time = Timestamp::now();
        self.post.post_all(number, time, &outcome.decided);
        let mut decided = std::mem::take(&mut kept.decided);
        decided.extend(outcome.decided);
        let ended = Ended {
            decided,
            earlier: false,
            replies: outcome.replies,
        };
        let sum = Sum::of(&ended.decided).unwrap_or_else(|| Sum::of_replies(&ended.replies));
        kept.parked = false;
        kept.answered = Some((ended.clone(), sum));
        self.health.answered += 1;
        let replies = Arc::clone(&ended.replies);
        self.record(number, Event::Answered { time, ended });
        for (_, waiter) in self.waiters.remove(&number).unwrap_or_default() {
            let replies = Arc::clone(&replies);
            let again = Some(number);
            tell(waiter, Ok(Sent { replies, again }));
        }
        tell(outcome.sent, Ok(Sent { replies, again: None }));
    }

    fn wait(&mut self, arrival: u64, earlier: u64, sent: Waiter) {
        let Some(kept) = self.kept.get(&earlier) else {
            return tell(sent, Err(storage("the earlier frame is no longer kept")));
        };
        match &kept.answered {
            Some((ended, _)) => {
                let replies = Arc::clone(&ended.replies);
                let again = Some(earlier);
                tell(sent, Ok(Sent { replies, again }));
            }
            None => self.waiters.entry(earlier).or_default().push((arrival, sent)),
        }
    }

    fn forget(&mut self, before: Timestamp) -> u64 {
        let count = self.kept.len();
        let post = &self.post;
        self.kept
            .retain(|number, kept| kept.answered.is_none() || kept.frame.received >= before || post.holds(*number));
        let kept = &self.kept;
        self.post.forget(|number| kept.contains_key(&number));
        self.records.retain(|_, record| kept.contains_key(&record.number));
        u64::try_from(count - self.kept.len()).unwrap_or(u64::MAX)
    }
}

/// Whoever asked may have gone; the log has it all the same.
fn tell(to: Waiter, what: Result<Sent, Fault>) {
    drop(to.send(what));
}

impl Kept {
    fn pending(&self, number: u64) -> Pending {
        Pending {
            number,
            frame: Arc::clone(&self.frame),
            hash: self.hash,
            deaths: 0,
        }
    }
}

impl Store for MemoryLog {
    fn receive(&self, entry: Entry) {
        match self.open() {
            Ok(mut state) => state.receive(entry, self.window),
            Err(fault) => entry.settle.failed(fault),
        }
    }

    fn want(&self, _number: u64) {}

    fn answered(&self, outcome: Outcome) {
        match self.open() {
            Ok(mut state) => state.answered(outcome),
            Err(fault) => tell(outcome.sent, Err(fault)),
        }
    }

    fn decided(&self, number: u64, decided: Vec<Decided>) -> oneshot::Receiver<()> {
        if let Ok(mut state) = self.open()
            && let state = &mut *state
            && let Some(kept) = state.kept.get_mut(&number)
            && kept.answered.is_none()
        {
            state.post.post_all(number, Timestamp::now(), &decided);
            kept.decided.extend(decided);
        }
        oneshot::channel().1
    }

    fn late(&self, mut late: Late) {
        if let Ok(mut state) = self.open()
            && state.kept.contains_key(&late.number)
        {
            for delivery in std::mem::take(&mut late.deliveries) {
                state.post.post(late.number, late.part, late.time, &delivery);
            }
            state.record(late.number, Event::Late(late));
        }
    }

    fn claim(&self, limit: usize) -> Result<Vec<Pending>, Fault> {
        let mut state = self.open()?;
        let parked = state.kept.iter_mut().filter(|(_, kept)| kept.parked).take(limit);
        let claim = |(number, kept): (&u64, &mut Kept)| {
            kept.parked = false;
            kept.pending(*number)
        };
        Ok(parked.map(claim).collect())
    }

    fn pending(&self, _from: u64, _limit: usize) -> Result<Vec<Pending>, Fault> {
        self.open().map(|_| Vec::new())
    }

    fn read_from(&self, position: u64, limit: usize) -> Result<Vec<Record>, Fault> {
        let state = self.open()?;
        let after = state.records.range(position.saturating_add(1)..);
        Ok(after.take(limit).map(|(_, record)| record.clone()).collect())
    }

    fn frame(&self, number: u64) -> Result<Option<Pending>, Fault> {
        Ok(self.open()?.kept.get(&number).map(|kept| kept.pending(number)))
    }

    fn outcome(&self, number: u64) -> Result<Option<Ended>, Fault> {
        let state = self.open()?;
        let answered = state.kept.get(&number).and_then(|kept| kept.answered.as_ref());
        Ok(answered.map(|(ended, _)| ended.clone()))
    }

    fn decided_earlier(&self, number: u64, _from: u64) -> Result<Parts, Fault> {
        // An answer has all of its parts here, so there are earlier ones only before it.
        let state = self.open()?;
        let kept = state.kept.get(&number).filter(|kept| kept.answered.is_none());
        Ok(Parts {
            decided: kept.map(|kept| kept.decided.clone()).unwrap_or_default(),
            next: None,
        })
    }

    fn came_late(&self, number: u64) -> Result<Vec<Late>, Fault> {
        let state = self.open()?;
        let late = |record: &Record| match &record.event {
            Event::Late(late) if late.number == number => Some(late.clone()),
            _ => None,
        };
        Ok(state.records.values().filter_map(late).collect())
    }

    fn forget(&self, before: Timestamp) -> Result<u64, Fault> {
        Ok(self.open()?.forget(before))
    }

    fn deliveries(&self) -> &dyn Deliveries {
        self
    }

    fn health(&self) -> Health {
        self.lock().health.clone()
    }

    fn open_frames(&self) -> Result<Open, Fault> {
        let state = self.open()?;
        let open = state.kept.values().filter(|kept| kept.answered.is_none()).count();
        Ok(Open {
            accepted: state.health.accepted,
            answered: state.health.answered,
            open: open as u64,
            ..Open::default()
        })
    }

    fn next_number(&self) -> u64 {
        self.lock().next
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let waiters = std::mem::take(&mut self.lock().waiters);
        let mut waiters: Vec<(u64, Waiter)> = waiters.into_values().flatten().collect();
        waiters.sort_by_key(|(arrival, _)| *arrival);
        for (_, waiter) in waiters {
            tell(waiter, Err(storage("the log was closed")));
        }
    }
}

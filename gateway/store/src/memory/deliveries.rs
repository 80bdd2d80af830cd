//! Deliveries of the log in memory.

use std::collections::BTreeMap;

use causeway_core::store::{
    Account, Attempt, Audit, Dead, Decided, Deliveries, End, Event, Posted, Query, Record, State,
};
use causeway_core::{Delivery, Fault};
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use super::MemoryLog;

/// What was posted, and the numbers of its destinations.
#[derive(Debug, Default)]
pub(super) struct Post {
    all: BTreeMap<u64, Posted>,
    /// The highest number given; never given again.
    last: u64,
    accounts: BTreeMap<String, watch::Sender<Account>>,
}

impl Post {
    pub(super) fn post_all(&mut self, number: u64, posted: Timestamp, parts: &[Decided]) {
        for part in parts {
            for delivery in &part.deliveries {
                self.post(number, part.part, posted, delivery);
            }
        }
    }

    pub(super) fn post(&mut self, number: u64, part: u32, posted: Timestamp, delivery: &Delivery) {
        self.last += 1;
        let id = self.last;
        self.change(&delivery.destination, |account| {
            account.posted += 1;
            account.last = id;
        });
        let posted = Posted {
            id,
            number,
            part,
            delivery: delivery.clone(),
            state: State::Waiting,
            posted,
            attempts: 0,
            failed: 0,
            due: None,
            settled: None,
            class: String::new(),
            cause: String::new(),
        };
        self.all.insert(id, posted);
    }

    /// Whether a frame has a delivery that waits or is dead.
    pub(super) fn holds(&self, number: u64) -> bool {
        let open = |one: &Posted| matches!(one.state, State::Waiting | State::Dead);
        self.all.values().any(|one| one.number == number && open(one))
    }

    /// Drops those of frames that are gone.
    pub(super) fn forget(&mut self, kept: impl Fn(u64) -> bool) {
        self.all.retain(|_, posted| kept(posted.number));
    }

    fn sender(&mut self, destination: &str) -> &watch::Sender<Account> {
        self.accounts.entry(destination.to_owned()).or_default()
    }

    fn change(&mut self, destination: &str, change: impl FnOnce(&mut Account)) {
        self.sender(destination).send_modify(change);
    }

    fn settle(&mut self, attempt: Attempt) {
        let Some(posted) = self.all.get_mut(&attempt.id) else {
            return;
        };
        if posted.state != State::Waiting {
            return;
        }
        posted.attempts += 1;
        posted.due = None;
        posted.settled = Some(attempt.time);
        (posted.class, posted.cause) = match attempt.end {
            End::Delivered { said } => {
                posted.state = State::Delivered;
                (String::new(), said)
            }
            End::Again {
                due,
                failed,
                class,
                cause,
            } => {
                posted.due = Some(due);
                posted.failed += u32::from(failed);
                (class.to_owned(), cause)
            }
            End::Dead { class, cause } => {
                posted.state = State::Dead;
                posted.failed += 1;
                (class.to_owned(), cause)
            }
        };
        let (state, destination) = (posted.state, posted.delivery.destination.clone());
        self.change(&destination, |account| {
            account.delivered += u64::from(state == State::Delivered);
            account.dead += u64::from(state == State::Dead);
        });
    }

    /// Puts those that are meant into another state, as far as they may be.
    fn turn(&mut self, query: &Query, to: State, may: impl Fn(State) -> bool) -> u64 {
        let meant = self.all.values().filter(|one| query.takes(one) && may(one.state));
        let ids: Vec<u64> = meant.map(|one| one.id).collect();
        for id in &ids {
            let Some(posted) = self.all.get_mut(id) else { continue };
            let before = std::mem::replace(&mut posted.state, to);
            posted.due = None;
            posted.failed = 0;
            posted.settled = Some(Timestamp::now());
            let destination = posted.delivery.destination.clone();
            self.change(&destination, |account| {
                account.dead -= u64::from(before == State::Dead);
                account.dropped += u64::from(to == State::Dropped);
                account.posted += u64::from(matches!(before, State::Delivered | State::Dropped));
                account.turned += 1;
                account.last = account.last.max(*id);
            });
        }
        ids.len() as u64
    }
}

impl Deliveries for MemoryLog {
    fn account(&self, destination: &str) -> watch::Receiver<Account> {
        self.lock().post.sender(destination).subscribe()
    }

    fn accounts(&self) -> Vec<(String, Account)> {
        let state = self.lock();
        let all = state.post.accounts.iter();
        all.map(|(name, sender)| (name.clone(), *sender.borrow())).collect()
    }

    fn audit(&self) -> Result<Vec<Audit>, Fault> {
        let state = self.open()?;
        let of = |destination: &String, in_state: State| {
            let all = state.post.all.values();
            all.filter(move |one| one.delivery.destination == *destination && one.state == in_state)
                .map(|one| one.posted)
                .collect::<Vec<_>>()
        };
        let audit = |(destination, sender): (&String, &watch::Sender<Account>)| {
            let waiting = of(destination, State::Waiting);
            Audit {
                destination: destination.clone(),
                account: *sender.borrow(),
                waiting: waiting.len() as u64,
                dead: of(destination, State::Dead).len() as u64,
                oldest: waiting.first().copied(),
            }
        };
        Ok(state.post.accounts.iter().map(audit).collect())
    }

    fn waiting(&self, destination: &str, key: Option<&str>, after: u64, limit: usize) -> Result<Vec<Posted>, Fault> {
        let query = Query {
            destination: Some(destination.to_owned()),
            state: Some(State::Waiting),
            ..Query::default()
        };
        let of_key = |one: &&Posted| key.is_none() || one.delivery.order.as_deref() == key;
        let state = self.open()?;
        let after = state.post.all.range(after.saturating_add(1)..).map(|(_, one)| one);
        let found = after.filter(|one| query.takes(one)).filter(of_key).take(limit);
        Ok(found.cloned().collect())
    }

    fn part(&self, number: u64, part: u32) -> Result<Option<Decided>, Fault> {
        let state = self.open()?;
        let kept = state.kept.get(&number);
        let decided = kept.map(|kept| match &kept.answered {
            Some((ended, _)) => &ended.decided,
            None => &kept.decided,
        });
        let found = decided.and_then(|decided| decided.iter().find(|one| one.part == part));
        Ok(found.cloned())
    }

    fn position(&self, number: u64) -> Result<Option<u64>, Fault> {
        let state = self.open()?;
        let answer =
            |(_, record): &(&u64, &Record)| record.number == number && matches!(record.event, Event::Answered { .. });
        Ok(state.records.iter().find(answer).map(|(position, _)| *position))
    }

    fn settle(&self, attempt: Attempt) -> oneshot::Receiver<Result<(), Fault>> {
        let (kept, wait) = oneshot::channel();
        let settled = self.open().map(|mut state| state.post.settle(attempt));
        drop(kept.send(settled));
        wait
    }

    fn pause(&self, destination: &str, paused: bool) -> Result<(), Fault> {
        self.open()?.post.change(destination, |account| account.paused = paused);
        Ok(())
    }

    fn find(&self, query: &Query, after: u64, limit: usize) -> Result<Vec<Posted>, Fault> {
        let state = self.open()?;
        let after = state.post.all.range(after.saturating_add(1)..).map(|(_, one)| one);
        let found = after.filter(|one| query.takes(one)).take(limit);
        Ok(found.cloned().collect())
    }

    fn count(&self, query: &Query) -> Result<u64, Fault> {
        let state = self.open()?;
        Ok(state.post.all.values().filter(|one| query.takes(one)).count() as u64)
    }

    fn dead(&self, destination: Option<&str>) -> Result<Vec<Dead>, Fault> {
        let state = self.open()?;
        let mut groups: BTreeMap<(&str, &str, &str), Dead> = BTreeMap::new();
        for one in state.post.all.values().filter(|one| one.state == State::Dead) {
            let name = one.delivery.destination.as_str();
            if destination.is_some_and(|wanted| wanted != name) {
                continue;
            }
            let group = groups.entry((name, &one.class, &one.cause)).or_insert_with(|| Dead {
                destination: name.to_owned(),
                class: one.class.clone(),
                cause: one.cause.clone(),
                count: 0,
                first: one.id,
                last: one.id,
            });
            group.count += 1;
            group.last = one.id;
        }
        let mut groups: Vec<Dead> = groups.into_values().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.first));
        Ok(groups)
    }

    fn replay(&self, query: &Query) -> Result<u64, Fault> {
        let mut state = self.open()?;
        Ok(state.post.turn(query, State::Waiting, |state| state != State::Waiting))
    }

    fn discard(&self, query: &Query) -> Result<u64, Fault> {
        let may = |state| matches!(state, State::Waiting | State::Dead);
        Ok(self.open()?.post.turn(query, State::Dropped, may))
    }
}

//! Deliveries in the log: what waits for which destination, what became of it, and what an operator may do about it. In
//! which form, over which wire and how often they are tried is the outbox's business.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use super::Decided;
use crate::{Delivery, Fault};

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is to be delivered.
    Waiting,
    /// The peer has it.
    Delivered,
    /// The peer will not take it, or it cannot be made: a person decides.
    Dead,
    /// A person decided that it need not be delivered.
    Dropped,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Dead, Self::Dropped];

    /// The word in listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
        }
    }
}

/// A delivery as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its number, rising in order of posting and never given twice.
    pub id: u64,
    /// Number of the frame that it tells of.
    pub number: u64,
    /// Number of the part within the frame, from 0.
    pub part: u32,
    /// What is to be delivered.
    pub delivery: Delivery,
    /// What became of it.
    pub state: State,
    /// When it was posted.
    pub posted: Timestamp,
    /// Attempts so far that the peer may know of.
    pub attempts: u32,
    /// Of these, those that the peer could not process.
    pub failed: u32,
    /// While it waits: when the next attempt is due, unless it is due now.
    pub due: Option<Timestamp>,
    /// When it last changed its state.
    pub settled: Option<Timestamp>,
    /// The class of the last failure; empty without one.
    pub class: String,
    /// The cause of the last failure; of a delivered one, the peer's word for it.
    pub cause: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The delivery.
    pub id: u64,
    /// When it ended.
    pub time: Timestamp,
    /// How it ended.
    pub end: End,
    /// Whether another delivery waits for this one to be on disk.
    pub wanted: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The peer has it.
    Delivered {
        /// The peer's word for it.
        said: String,
    },
    /// It is to be tried again.
    Again {
        /// Not before this.
        due: Timestamp,
        /// Whether the peer has said that it could not process it.
        failed: bool,
        /// What class of failure.
        class: &'static str,
        /// Why.
        cause: String,
    },
    /// It will not be tried again.
    Dead {
        /// What class of failure.
        class: &'static str,
        /// Why.
        cause: String,
    },
}

/// A destination's numbers. Posted = delivered + dropped + dead + waiting, since the log began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// Whether an operator has told it to rest.
    pub paused: bool,
    /// Deliveries posted; one that was delivered or dropped and is to be delivered again counts once more.
    pub posted: u64,
    /// Of these, delivered.
    pub delivered: u64,
    /// Of these, dropped by a person.
    pub dropped: u64,
    /// Of these, dead now.
    pub dead: u64,
    /// The highest number posted for it by this process or, at the start, by any.
    pub last: u64,
    /// How often deliveries came back or were taken away since the process began: whoever looked ahead looks again.
    pub turned: u64,
}

impl Account {
    /// Deliveries that wait.
    pub fn waiting(&self) -> u64 {
        let ended = self.delivered.saturating_add(self.dropped).saturating_add(self.dead);
        self.posted.saturating_sub(ended)
    }
}

/// A destination's counters beside what the log's tables hold at the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The destination.
    pub destination: String,
    /// By the counters.
    pub account: Account,
    /// Waiting ones, counted one by one.
    pub waiting: u64,
    /// Dead ones, counted one by one.
    pub dead: u64,
    /// When the oldest waiting one was posted.
    pub oldest: Option<Timestamp>,
}

impl Audit {
    /// Whether nothing is lost: posted = delivered + dropped + waiting + dead.
    pub fn agrees(&self) -> bool {
        let Account {
            delivered,
            dropped,
            dead,
            posted,
            ..
        } = self.account;
        let mut others = [dropped, self.waiting, self.dead].into_iter();
        others.try_fold(delivered, u64::checked_add) == Some(posted) && dead == self.dead
    }
}

/// Dead deliveries that failed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// The destination.
    pub destination: String,
    /// The class of the failure.
    pub class: String,
    /// The cause.
    pub cause: String,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
}

/// Which deliveries are meant: those to which everything that is given applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Query {
    /// This one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Those that tell of this frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Those for this destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Those whose last failure was of this class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Those with this cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Those that tell of messages of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// Those posted at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Those posted before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Query {
    /// Whether it means a delivery.
    pub fn takes(&self, posted: &Posted) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        self.id.is_none_or(|id| id == posted.id)
            && self.number.is_none_or(|number| number == posted.number)
            && self.state.is_none_or(|state| state == posted.state)
            && self.since.is_none_or(|since| posted.posted >= since)
            && self.until.is_none_or(|until| posted.posted < until)
            && same(&self.destination, &posted.delivery.destination)
            && same(&self.class, &posted.class)
            && same(&self.cause, &posted.cause)
            && same(&self.message_type, &posted.delivery.message_type)
    }
}

/// Deliveries of the log.
pub trait Deliveries {
    /// A destination's numbers as the last commit left them; what is returned changes with every commit that changes them.
    fn account(&self, destination: &str) -> watch::Receiver<Account>;

    /// Every destination that the log knows, with its numbers as the last commit left them, by name. Reads nothing.
    fn accounts(&self) -> Vec<(String, Account)>;

    /// Every destination with its numbers beside what is counted one by one, of one moment.
    ///
    /// # Errors
    /// The log cannot be read.
    fn audit(&self) -> Result<Vec<Audit>, Fault>;

    /// The waiting deliveries of a destination after a number, in order; with a key, those of that order alone.
    ///
    /// # Errors
    /// The log cannot be read.
    fn waiting(&self, destination: &str, key: Option<&str>, after: u64, limit: usize) -> Result<Vec<Posted>, Fault>;

    /// The answer of one part of a frame, found without reading those of the others.
    ///
    /// # Errors
    /// The log cannot be read.
    fn part(&self, number: u64, part: u32) -> Result<Option<Decided>, Fault>;

    /// The position of a frame's answer in the log; none while it has none, as of a large frame of which parts are decided.
    ///
    /// # Errors
    /// The log cannot be read.
    fn position(&self, number: u64) -> Result<Option<u64>, Fault>;

    /// Hands what came of an attempt to the writer; one of a delivery that does not wait any more changes nothing. Never
    /// blocks; what is returned says when it is on disk, or that it could not be kept.
    fn settle(&self, attempt: Attempt) -> oneshot::Receiver<Result<(), Fault>>;

    /// Tells a destination to rest, or to go on, for good.
    ///
    /// # Errors
    /// The log cannot be written.
    fn pause(&self, destination: &str, paused: bool) -> Result<(), Fault>;

    /// Deliveries after a number, in order.
    ///
    /// # Errors
    /// The log cannot be read.
    fn find(&self, query: &Query, after: u64, limit: usize) -> Result<Vec<Posted>, Fault>;

    /// How many are meant.
    ///
    /// # Errors
    /// The log cannot be read.
    fn count(&self, query: &Query) -> Result<u64, Fault>;

    /// Dead deliveries by destination, class and cause; many before few.
    ///
    /// # Errors
    /// The log cannot be read.
    fn dead(&self, destination: Option<&str>) -> Result<Vec<Dead>, Fault>;

    /// Puts deliveries that do not wait back into their queue, under their own numbers, to be tried as often as new
    /// ones. Returns how many.
    ///
    /// # Errors
    /// The log cannot be read or written; a part of them may be back.
    fn replay(&self, query: &Query) -> Result<u64, Fault>;

    /// Takes waiting and dead deliveries away for good. Returns how many.
    ///
    /// # Errors
    /// The log cannot be read or written; a part of them may be gone.
    fn discard(&self, query: &Query) -> Result<u64, Fault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_with_one_missing_does_not_agree() {
        let account = Account {
            posted: 10,
            delivered: 4,
            dropped: 1,
            dead: 2,
            ..Account::default()
        };
        assert_eq!(account.waiting(), 3);
        let audit = |waiting, dead| Audit {
            destination: "ward".into(),
            account,
            waiting,
            dead,
            oldest: None,
        };
        assert!(audit(3, 2).agrees());
        assert!(!audit(2, 2).agrees() && !audit(2, 3).agrees());
    }
}

//! Order within one patient: answers of one key enter the log in the order in which their frames were lifted, while
//! chains run side by side. A place is taken at lifting and given up when the answer was handed to the writer. Lanes
//! hold no messages and decide nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

type Done = watch::Receiver<()>;

/// All lanes of a gateway.
#[derive(Debug, Clone, Default)]
pub struct Lanes(Arc<Mutex<Tails>>);

#[derive(Debug, Default)]
struct Tails {
    next: u64,
    last: HashMap<String, (u64, Done)>,
}

/// A place in a lane, given up when dropped.
#[derive(Debug)]
pub struct Place {
    lanes: Lanes,
    key: String,
    number: u64,
    before: Option<Done>,
    _done: watch::Sender<()>,
}

impl Lanes {
    /// Takes the next place in the lane of a key.
    pub fn take(&self, key: &str) -> Place {
        let (done, waiter) = watch::channel(());
        let mut tails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = tails.next;
        tails.next += 1;
        let before = tails
            .last
            .insert(key.to_owned(), (number, waiter))
            .map(|(_, before)| before);
        Place {
            lanes: self.clone(),
            key: key.to_owned(),
            number,
            before,
            _done: done,
        }
    }

    /// How many keys have somebody in their lane.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last.len()
    }

    /// Whether nobody is in any lane.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Place {
    /// Waits until everybody before has gone.
    pub async fn turn(&mut self) {
        if let Some(mut before) = self.before.take() {
            // The sender never sends: `changed` ends when it is dropped.
            while before.changed().await.is_ok() {}
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tails = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tails
            .last
            .get(&self.key)
            .is_some_and(|(number, _)| *number == self.number)
        {
            tails.last.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_others_do_not() {
        let lanes = Lanes::default();
        let mut first = lanes.take("张伟");
        let mut second = lanes.take("张伟");
        let mut other = lanes.take("李娜");
        first.turn().await;
        other.turn().await;
        let waiting = tokio::spawn(async move { second.turn().await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        drop(other);
        assert!(lanes.is_empty());
    }
}

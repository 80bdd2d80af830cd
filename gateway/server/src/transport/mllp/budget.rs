//! Memory for frames that are still being read. A frame's first 64 KiB are free; what goes beyond is charged to one
//! budget that all connections of all listeners share, so that many large frames at once wait instead of exhausting
//! memory. A received frame is charged to the inbox; this budget ends where that one begins.
//!
//! Frames that hold a part and wait for the rest could wait for each other for ever. So one frame at a time may go on
//! without paying: the bound is the budget plus one frame, and the frames in line come through one after the other.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::codec::HEAD;

/// One permit.
const UNIT: usize = 64 << 10;
/// How much is charged at a time, in units: a large frame asks once in 512 KiB.
const STEP: usize = 8;

/// The shared budget.
#[derive(Debug, Clone)]
pub struct ReadBudget {
    units: Arc<Semaphore>,
    /// For the one frame that need not pay.
    pass: Arc<Semaphore>,
    total: usize,
}

impl ReadBudget {
    /// A budget of about so many bytes.
    pub fn new(bytes: usize) -> Self {
        let total = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self {
            units: Arc::new(Semaphore::new(total)),
            pass: Arc::new(Semaphore::new(1)),
            total,
        }
    }
}

/// What one frame has been charged.
#[derive(Debug)]
pub(in crate::transport) struct Charge {
    budget: ReadBudget,
    paid: Option<OwnedSemaphorePermit>,
    pass: Option<OwnedSemaphorePermit>,
}

impl Charge {
    pub(in crate::transport) fn new(budget: ReadBudget) -> Self {
        Self {
            budget,
            paid: None,
            pass: None,
        }
    }

    /// Units still missing for a frame of `held` bytes. Never more than the whole budget, which would never be granted:
    /// a frame larger than that has the budget to itself.
    pub(in crate::transport) fn missing(&self, held: usize) -> u32 {
        let have = self.paid.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let need = held.saturating_sub(HEAD).div_ceil(UNIT);
        if need <= have || self.pass.is_some() {
            return 0;
        }
        let want = (need - have).max(STEP).min(self.budget.total - have);
        u32::try_from(want).unwrap_or(u32::MAX)
    }

    /// Waits for so many units more, or for the pass.
    pub(in crate::transport) async fn more(&mut self, units: u32) -> Result<(), AcquireError> {
        tokio::select! {
            biased;
            paid = Arc::clone(&self.budget.units).acquire_many_owned(units) => match &mut self.paid {
                Some(have) => have.merge(paid?),
                None => self.paid = Some(paid?),
            },
            pass = Arc::clone(&self.budget.pass).acquire_owned() => self.pass = Some(pass?),
        }
        Ok(())
    }

    /// Gives everything back.
    pub(super) fn release(&mut self) {
        self.paid = None;
        self.pass = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_frames_are_free_and_large_ones_pay_in_steps() {
        let mut charge = Charge::new(ReadBudget::new(1 << 20));
        assert_eq!(charge.missing(HEAD), 0);
        assert_eq!(charge.missing(HEAD + 1), 8);
        charge.more(8).await.unwrap();
        assert_eq!(charge.missing(HEAD + (512 << 10)), 0);
        assert_eq!(charge.missing(HEAD + (512 << 10) + 1), 8);
    }

    #[tokio::test]
    async fn a_frame_larger_than_the_budget_gets_all_of_it_and_gives_it_back() {
        let budget = ReadBudget::new(1 << 20);
        let mut charge = Charge::new(budget.clone());
        let units = charge.missing(1 << 30);
        charge.more(units).await.unwrap();
        assert_eq!(charge.missing(1 << 30), 0);
        assert_eq!(budget.units.available_permits(), 0);
        charge.release();
        assert_eq!(budget.units.available_permits(), 16);
    }

    #[tokio::test]
    async fn frames_that_hold_everything_between_them_get_through_one_by_one() {
        let budget = ReadBudget::new(1 << 20);
        let (mut one, mut two) = (Charge::new(budget.clone()), Charge::new(budget.clone()));
        one.more(8).await.unwrap();
        two.more(8).await.unwrap();
        // Each needs more than is left: nothing. The first to ask need not pay, the other waits for it.
        one.more(8).await.unwrap();
        assert_eq!(one.missing(1 << 30), 0);
        let waiting = tokio::spawn(async move { two.more(8).await.map(|()| two) });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        one.release();
        let two = waiting.await.unwrap().unwrap();
        assert_eq!(two.missing(HEAD + (1 << 20)), 0);
    }
}

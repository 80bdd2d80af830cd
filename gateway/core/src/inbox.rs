//! The one door for frames. `Inbox::receive` takes a frame under permits, hands it to the store's writer and returns a
//! `Receipt`; pure work may go on while the frame is being written. `Kept` proves that it is on disk, and only the
//! writer's word makes one. Nothing here knows how the store keeps anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::store::{Decided, Entry, Outcome, Pending, Sent};
use crate::{Fault, FaultKind, Frame, Reply, Store};

/// Proof that a frame is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    number: u64,
}

impl Kept {
    /// The frame's number.
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// What the writer found.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// The frame is new and on disk.
    New(Kept),
    /// The same bytes of the same sender came before; that frame's number. Its answer is the answer.
    Again(u64),
}

#[derive(Debug, Default)]
struct Slot {
    value: OnceLock<Result<Arrival, Fault>>,
    notify: Notify,
}

/// The writer's side of a receipt: says once what became of the frame.
#[derive(Debug)]
pub struct Settle {
    slot: Arc<Slot>,
    number: u64,
}

impl Settle {
    /// The frame is on disk.
    pub fn kept(&self) {
        self.set(Ok(Arrival::New(Kept { number: self.number })));
    }

    /// The frame is a resend of an earlier one.
    pub fn again(&self, earlier: u64) {
        self.set(Ok(Arrival::Again(earlier)));
    }

    /// The frame could not be kept.
    pub fn failed(&self, fault: Fault) {
        self.set(Err(fault));
    }

    fn set(&self, arrival: Result<Arrival, Fault>) {
        if self.slot.value.set(arrival).is_ok() {
            self.slot.notify.notify_waiters();
        }
    }
}

impl Drop for Settle {
    /// A writer that goes away without a word has not kept the frame.
    fn drop(&mut self) {
        self.set(Err(Fault::new(FaultKind::Storage, "the log was closed")));
    }
}

/// Room for one frame: a message and its bytes, given back when the last holder lets go.
#[derive(Debug)]
pub struct Permits {
    _message: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

struct Inner {
    number: u64,
    hash: [u8; 32],
    frame: Arc<Frame>,
    slot: Arc<Slot>,
    store: Arc<dyn Store>,
    _permits: Option<Permits>,
}

/// The frame is in the inbox's hands. Clones share the permits.
#[derive(Clone)]
pub struct Receipt(Arc<Inner>);

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").field("number", &self.0.number).finish()
    }
}

impl Receipt {
    /// The frame's number, rising in order of receipt.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// SHA-256 of the body.
    pub fn hash(&self) -> &[u8; 32] {
        &self.0.hash
    }

    /// The frame.
    pub fn frame(&self) -> &Arc<Frame> {
        &self.0.frame
    }

    /// Waits until the frame is on disk, or is found to be a resend.
    ///
    /// # Errors
    /// The frame could not be kept: nothing positive may be said.
    pub async fn kept(&self) -> Result<Arrival, Fault> {
        if self.0.slot.value.get().is_none() {
            self.0.store.want(self.0.number);
        }
        loop {
            let notified = self.0.slot.notify.notified();
            if let Some(arrival) = self.0.slot.value.get() {
                return arrival.clone();
            }
            notified.await;
        }
    }
}

/// A frame's answers and replies are on disk.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Proof; of the earlier frame for a resend.
    pub kept: Kept,
    /// What to send.
    pub sent: Sent,
}

/// How much may be in work at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Frames.
    pub messages: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            messages: 4_000,
            bytes: 256 << 20,
        }
    }
}

/// The one door for frames.
pub struct Inbox {
    store: Arc<dyn Store>,
    next: AtomicU64,
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    budget: Budget,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl Inbox {
    /// An inbox before a store.
    pub fn new(store: Arc<dyn Store>, budget: Budget) -> Self {
        let next = AtomicU64::new(store.next_number());
        let messages = Arc::new(Semaphore::new(budget.messages));
        let bytes = Arc::new(Semaphore::new(budget.bytes.min(u32::MAX as usize)));
        Self {
            store,
            next,
            messages,
            bytes,
            budget,
        }
    }

    /// The store behind it.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Waits for room for a frame of so many bytes; whoever waits here stops reading, and the peer feels it. A frame
    /// above the whole budget takes all of it, since a semaphore never gives more than it has.
    ///
    /// # Errors
    /// The inbox is closed.
    pub async fn admit(&self, bytes: usize) -> Result<Permits, Fault> {
        let closed = |_| Fault::new(FaultKind::Draining, "the gateway is stopping");
        let wanted = u32::try_from(bytes.min(self.budget.bytes)).unwrap_or(u32::MAX);
        let message = Arc::clone(&self.messages).acquire_owned().await.map_err(closed)?;
        let bytes = Arc::clone(&self.bytes)
            .acquire_many_owned(wanted)
            .await
            .map_err(closed)?;
        Ok(Permits {
            _message: message,
            _bytes: bytes,
        })
    }

    /// Room for one more frame of so many bytes if there is some right now.
    pub fn try_admit(&self, bytes: usize) -> Option<Permits> {
        let wanted = u32::try_from(bytes.min(self.budget.bytes)).unwrap_or(u32::MAX);
        let message = Arc::clone(&self.messages).try_acquire_owned().ok()?;
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(wanted).ok()?;
        Some(Permits {
            _message: message,
            _bytes: bytes,
        })
    }

    /// Frames that have permits now.
    pub fn in_work(&self) -> usize {
        self.budget.messages.saturating_sub(self.messages.available_permits())
    }

    /// Bytes of their bodies.
    pub fn bytes_in_work(&self) -> usize {
        self.budget.bytes.saturating_sub(self.bytes.available_permits())
    }

    /// Hands a frame to the writer. There is no await between this and the work's own task, so a timeout cannot leave
    /// a frame that is logged and never run.
    pub fn receive(&self, frame: Frame, permits: Permits, snapshot: Arc<str>) -> Receipt {
        self.hand_over(frame, permits, snapshot, false)
    }

    /// Hands a frame to the writer that is not run now: whoever claims it later runs it. Its receipt is dropped, and its
    /// permits with it, once the sender was told that it is kept.
    pub fn park(&self, frame: Frame, permits: Permits, snapshot: Arc<str>) -> Receipt {
        self.hand_over(frame, permits, snapshot, true)
    }

    fn hand_over(&self, frame: Frame, permits: Permits, snapshot: Arc<str>, parked: bool) -> Receipt {
        let hash = frame.hash();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = Arc::new(frame);
        let slot = Arc::new(Slot::default());
        let settle = Settle {
            slot: Arc::clone(&slot),
            number,
        };
        let entry = Entry {
            number,
            frame: Arc::clone(&frame),
            hash,
            snapshot,
            parked,
            settle,
        };
        self.store.receive(entry);
        let store = Arc::clone(&self.store);
        Receipt(Arc::new(Inner {
            number,
            hash,
            frame,
            slot,
            store,
            _permits: Some(permits),
        }))
    }

    /// A receipt for a frame that the log holds already: recovery and parked frames.
    pub fn resume(&self, pending: Pending, permits: Option<Permits>) -> Receipt {
        let slot = Arc::new(Slot::default());
        Settle {
            slot: Arc::clone(&slot),
            number: pending.number,
        }
        .kept();
        Receipt(Arc::new(Inner {
            number: pending.number,
            hash: pending.hash,
            frame: pending.frame,
            slot,
            store: Arc::clone(&self.store),
            _permits: permits,
        }))
    }

    /// Hands the answers and replies of a frame to the writer at once; the future waits until they are on disk. The
    /// place of the frame in its patient's order may be given up as soon as this returns.
    ///
    /// # Errors
    /// They could not be kept: nothing positive may be said.
    pub fn answered(
        &self,
        receipt: &Receipt,
        decided: Vec<Decided>,
        replies: Vec<Reply>,
    ) -> impl Future<Output = Result<Answered, Fault>> + Send + use<> {
        let (sent, wait) = oneshot::channel();
        let number = receipt.number();
        self.store.answered(Outcome {
            number,
            decided,
            replies: replies.into(),
            sent,
        });
        async move {
            let closed = |_| Err(Fault::new(FaultKind::Storage, "the log was closed"));
            let sent = wait.await.unwrap_or_else(closed)?;
            Ok(Answered {
                kept: Kept {
                    number: sent.again.unwrap_or(number),
                },
                sent,
            })
        }
    }

    /// Lets nothing more in.
    pub fn close(&self) {
        self.messages.close();
        self.bytes.close();
    }
}

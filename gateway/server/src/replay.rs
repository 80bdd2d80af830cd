//! Running a message of the log again because an operator wants it: a held one under its own number, a failed or refused
//! one as a frame that comes in anew, by the same way as any other. What was answered positively is left alone.

use std::sync::Arc;
use std::time::Duration;

use causeway_core::store::{Pending, parts_of};
use causeway_core::{Fault, FaultKind, Frame, Inbox, Leave, Parcel, Parsed, Stamp, Store};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::config::Format;
use crate::projection::{self, Describe};
use crate::replies::Outgoing;
use crate::service::FrameService;

/// How long an operator waits for the end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a frame that the log held.
pub type Resume = Arc<dyn Fn(Pending) -> BoxFuture<'static, Result<EndOfWork, Fault>> + Send + Sync>;
/// Tells when the work on a frame has ended.
pub type EndOfWork = oneshot::Receiver<Vec<Outgoing>>;

/// Renders a delivery in a listener's own format.
pub type RenderBack = Arc<dyn Fn(&Parcel<'_>, &Stamp) -> Parsed<Vec<u8>> + Send + Sync>;

/// The ways into one listener's joint.
#[derive(Clone)]
pub struct Door {
    /// The listener's name.
    pub listener: String,
    /// For new frames.
    pub service: FrameService,
    /// For frames of the log.
    pub resume: Resume,
    /// For frames that nothing was made of.
    pub describe: Describe,
    /// The format that its frames are in.
    pub format: Format,
    /// For deliveries in its format.
    pub render: RenderBack,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

/// What became of the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It ran.
    Ran {
        /// Under this number.
        number: u64,
        /// How it ended, as listings say; `pending` when it is still running.
        state: &'static str,
    },
    /// There is no such message.
    Unknown,
    /// It is running.
    InWork,
    /// It was answered positively.
    Answered,
    /// Its listener is not configured any more.
    NoListener(String),
}

/// Runs messages again.
#[derive(Debug, Clone)]
pub struct Replay {
    inbox: Arc<Inbox>,
    doors: Arc<[Door]>,
}

impl Replay {
    /// For the doors of a gateway.
    pub fn new(inbox: Arc<Inbox>, doors: Vec<Door>) -> Self {
        Self {
            inbox,
            doors: doors.into(),
        }
    }

    /// Runs a message again and waits for its end.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub async fn run(&self, number: u64) -> Result<Replayed, Fault> {
        let found = self
            .read(move |log| Ok((log.frame(number)?, state(log, number)?)))
            .await?;
        let (Some(pending), state) = found else {
            return Ok(Replayed::Unknown);
        };
        let listener = &*pending.frame.listener;
        let Some(door) = self.doors.iter().find(|door| door.listener == listener) else {
            return Ok(Replayed::NoListener(listener.to_owned()));
        };
        match state {
            None if !pending.is_held() => Ok(Replayed::InWork),
            None => self.resume(door, pending).await,
            Some("failed" | "refused") => self.anew(door, &pending.frame).await,
            Some(_) => Ok(Replayed::Answered),
        }
    }

    async fn resume(&self, door: &Door, pending: Pending) -> Result<Replayed, Fault> {
        let number = pending.number;
        tracing::info!(number, "a held message is run again for an operator");
        let ended = (door.resume)(pending).await?;
        // What is sent nowhere need not be looked at: the log has it.
        let _late = tokio::time::timeout(PATIENCE, ended).await;
        self.state(number).await
    }

    async fn anew(&self, door: &Door, frame: &Frame) -> Result<Replayed, Fault> {
        let frame = Frame {
            received: Timestamp::now(),
            ..frame.clone()
        };
        let replies = match door.service.clone().oneshot(frame).await {
            Ok(replies) => replies,
            Err(never) => match never {},
        };
        let outgoing = tokio::time::timeout(PATIENCE, replies.collect())
            .await
            .unwrap_or_default();
        match outgoing.into_iter().next_back().map(|last| last.leave) {
            Some(Leave::Kept(kept)) => self.state(kept.number()).await,
            Some(Leave::NotKept(fault)) => Err(fault),
            // Nobody waits for its replies; it is in the log and its turn comes.
            Some(Leave::Passing) | None => Ok(Replayed::Ran {
                number: self.inbox.store().next_number().saturating_sub(1),
                state: "pending",
            }),
        }
    }

    async fn state(&self, number: u64) -> Result<Replayed, Fault> {
        let state = self.read(move |log| state(log, number)).await?;
        let state = state.unwrap_or("pending");
        Ok(Replayed::Ran { number, state })
    }

    async fn read<T: Send + 'static>(
        &self,
        what: impl FnOnce(&dyn Store) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = Arc::clone(self.inbox.store());
        let read = tokio::task::spawn_blocking(move || what(store.as_ref())).await;
        read.unwrap_or_else(|_| Err(Fault::new(FaultKind::Storage, "the log was closed")))
    }
}

/// How a message ended, as listings say; nothing before it is answered.
fn state(log: &dyn Store, number: u64) -> Result<Option<&'static str>, Fault> {
    let Some(ended) = log.outcome(number)? else {
        return Ok(None);
    };
    let mut parts = parts_of(|from| log.decided_earlier(number, from), ended);
    let state = parts.try_fold(projection::ACCEPTED, |state, parts| {
        Ok(projection::state(state, &parts?))
    });
    state.map(Some)
}

//! Works off the deliveries of one destination: looks ahead in the log, starts as many as the destination takes, and writes
//! what came of each. A connection is free at the peer's word; the order's next goes only when that word is on disk.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use causeway_core::Store;
use causeway_core::store::{Account, Attempt, End, Posted};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, watch};

use super::live::{Condition, Live};
use super::material::Material;
use super::pace::{Pace, Rejected};
use super::queue::{Queue, Wish};
use super::{Class, Delivered, Destination, Failure, Peer};
use crate::guard::defect;
use crate::telemetry::{Caller, Delivery as Told, TraceId};

/// Between two attempts to write or read while the log is out of order.
const OUTAGE: Duration = Duration::from_millis(500);
/// At the latest after so long it is looked again at what is due, whatever the clock did.
const LOOK: Duration = Duration::from_secs(30);
/// What is under way when the gateway stops may end within this time; later it counts as not made.
const GRACE: Duration = Duration::from_secs(5);

/// What a destination's work needs.
pub(super) struct Worker {
    destination: Arc<Destination>,
    peer: Arc<dyn Peer>,
    material: Material,
    /// Renderings at once, of all destinations: as many as the log keeps connections for reading.
    rendering: Arc<Semaphore>,
    live: Arc<Live>,
    queue: Queue,
    pace: Pace,
    /// Deliveries at the peer.
    flying: usize,
    under_way: FuturesUnordered<BoxFuture<'static, Event>>,
}

/// What happened.
enum Event {
    /// The peer said something, or nothing.
    Landed {
        posted: Posted,
        epoch: u64,
        trace: Option<TraceId>,
        result: Result<Delivered, Failure>,
    },
    /// What came of one is on disk.
    Settled { posted: Posted, ended: bool },
    /// The log was read.
    Read {
        wish: Wish,
        last: u64,
        found: Option<Vec<Posted>>,
    },
}

impl Worker {
    pub(super) fn new(
        destination: Arc<Destination>,
        peer: Arc<dyn Peer>,
        material: Material,
        rendering: Arc<Semaphore>,
        live: Arc<Live>,
    ) -> Self {
        Self {
            queue: Queue::new(destination.window),
            pace: Pace::new(&destination.retry),
            destination,
            peer,
            material,
            rendering,
            live,
            flying: 0,
            under_way: FuturesUnordered::new(),
        }
    }

    /// Works until told to stop, and lets what is under way end.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut account = self.store().deliveries().account(&self.destination.name);
        let mut turned = account.borrow().turned;
        loop {
            let now = *account.borrow_and_update();
            if std::mem::replace(&mut turned, now.turned) != now.turned {
                self.queue.look_again();
            }
            self.go_on(&now);
            self.show(&now);
            let sleep = self.sleep(now.paused);
            tokio::select! {
                Some(event) = self.under_way.next() => self.happened(event),
                Ok(()) = account.changed() => {}
                () = tokio::time::sleep(sleep) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        let end = async {
            while let Some(event) = self.under_way.next().await {
                self.happened(event);
            }
        };
        // What did not end in time was not made, as far as the log knows.
        let _late = tokio::time::timeout(GRACE, end).await;
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.material.store
    }

    fn go_on(&mut self, account: &Account) {
        if account.paused {
            return;
        }
        if let Some(wish) = self.queue.wish(account.last) {
            self.read(wish, account.last);
        }
        let now = Timestamp::now();
        while self.room() > 0
            && let Some(posted) = self.queue.take(now)
        {
            self.start(posted);
        }
    }

    fn room(&self) -> usize {
        self.pace
            .room(self.flying, self.destination.concurrency, Instant::now())
    }

    /// How long there is nothing to do unless something happens.
    fn sleep(&self, paused: bool) -> Duration {
        // What is due and may not go yet goes when something happens.
        let may = !paused && self.room() > 0;
        let due = self.queue.next_due().filter(|_| may).map(|due| {
            let span = due.duration_since(Timestamp::now());
            Duration::try_from(span).unwrap_or_default()
        });
        let rest = self.pace.until();
        let rest = rest.map(|until| until.saturating_duration_since(Instant::now()));
        let next = match rest {
            Some(rest) if rest.is_zero() => due, // it is tried already, or nothing waits
            Some(rest) => Some(rest),
            None => due,
        };
        next.unwrap_or(LOOK).clamp(Duration::from_millis(1), LOOK)
    }

    fn read(&mut self, wish: Wish, last: u64) {
        let (store, name) = (Arc::clone(self.store()), self.destination.name.clone());
        self.under_way.push(Box::pin(async move {
            let asked = wish.clone();
            let found = tokio::task::spawn_blocking(move || {
                let deliveries = store.deliveries();
                deliveries.waiting(&name, asked.key.as_deref(), asked.after, asked.limit)
            });
            let found = found.await.ok().and_then(Result::ok);
            if found.is_none() {
                tokio::time::sleep(OUTAGE).await;
            }
            Event::Read { wish, last, found }
        }));
    }

    fn start(&mut self, posted: Posted) {
        self.flying += 1;
        let epoch = self.pace.epoch();
        let (destination, peer) = (Arc::clone(&self.destination), Arc::clone(&self.peer));
        let (material, rendering) = (self.material.clone(), Arc::clone(&self.rendering));
        self.under_way.push(Box::pin(async move {
            let mut trace = None;
            let attempt = deliver(&destination, peer.as_ref(), material, &rendering, &posted, &mut trace);
            let result = AssertUnwindSafe(attempt).catch_unwind().await.unwrap_or_else(|panic| {
                let fault = defect("deliver", panic.as_ref());
                Err(Failure::new(Class::Broken, fault.outside.to_string()))
            });
            Event::Landed {
                posted,
                epoch,
                trace,
                result,
            }
        }));
    }

    fn happened(&mut self, event: Event) {
        let now = Timestamp::now();
        match event {
            Event::Landed {
                posted,
                epoch,
                trace,
                result,
            } => {
                self.flying -= 1;
                let land = || match result {
                    Ok(delivered) => self.delivered(posted, epoch, delivered),
                    Err(failure) => self.failed(posted, epoch, failure),
                };
                match trace {
                    Some(trace) => trace.within(land),
                    None => land(),
                }
            }
            Event::Settled { posted, ended: true } => self.queue.ended(&posted, now),
            Event::Settled { posted, ended: false } => self.queue.again(posted, now),
            Event::Read { wish, last, found } => match found {
                Some(found) => self.queue.read(&wish, found, last, now),
                None => self.queue.unread(wish),
            },
        }
    }

    fn opens(&self, opens: bool) {
        if opens {
            let destination = &self.destination.name;
            tracing::info!(destination, "the destination takes deliveries again");
        }
    }

    fn delivered(&mut self, posted: Posted, epoch: u64, delivered: Delivered) {
        let opens = self.pace.took(epoch);
        self.opens(opens);
        let said = delivered.said;
        self.settle(posted, End::Delivered { said });
    }

    fn failed(&mut self, posted: Posted, epoch: u64, failure: Failure) {
        self.live.failed(&failure);
        let now = Instant::now();
        let rests = match failure.class {
            Class::Unreachable | Class::Busy | Class::Timeout => self.pace.down(epoch, failure.retry_after, now),
            Class::Failed => self.pace.failed(epoch, now),
            Class::Rejected => self.rejected(epoch, &failure),
            Class::Broken => false,
        };
        if rests {
            let (destination, class) = (&self.destination.name, failure.class.word());
            tracing::warn!(destination, class, cause = failure.cause, "the destination rests");
        }
        match failure.class {
            // The peer knows nothing of it, so nothing is to be written.
            Class::Unreachable | Class::Busy => self.queue.again(posted, Timestamp::now()),
            Class::Timeout => self.later(posted, failure),
            Class::Rejected if self.pace.refuses_all() => self.later(posted, failure),
            Class::Failed if posted.failed + 1 < self.destination.retry.attempts => self.later(posted, failure),
            Class::Failed | Class::Rejected | Class::Broken => self.dead(posted, failure),
        }
    }

    /// Whether the destination rests from now on.
    fn rejected(&mut self, epoch: u64, failure: &Failure) -> bool {
        match self.pace.rejected(epoch, &failure.cause, Instant::now()) {
            Rejected::Alone { opens } => {
                self.opens(opens);
                false
            }
            Rejected::WithAll { rests } => rests,
        }
    }

    /// Tries it again after a while of its own.
    fn later(&mut self, mut posted: Posted, failure: Failure) {
        posted.attempts += 1;
        let failed = failure.class == Class::Failed;
        posted.failed += u32::from(failed);
        let pause = SignedDuration::try_from(self.pace.own(posted.attempts)).unwrap_or(SignedDuration::ZERO);
        let due = Timestamp::now().checked_add(pause).unwrap_or(Timestamp::MAX);
        posted.due = Some(due);
        let (class, cause) = (failure.class.word(), failure.cause);
        self.settle(
            posted,
            End::Again {
                due,
                failed,
                class,
                cause,
            },
        );
    }

    fn dead(&mut self, posted: Posted, failure: Failure) {
        let (class, cause) = (failure.class.word(), failure.cause);
        let (destination, id, number) = (&self.destination.name, posted.id, posted.number);
        tracing::warn!(destination, id, number, class, cause, "a delivery is dead");
        self.settle(posted, End::Dead { class, cause });
    }

    /// Writes what came of one; it is written again and again until it is on disk.
    fn settle(&mut self, posted: Posted, end: End) {
        let ended = !matches!(end, End::Again { .. });
        let attempt = Attempt {
            id: posted.id,
            time: Timestamp::now(),
            end,
            wanted: self.queue.is_wanted(&posted),
        };
        let store = Arc::clone(self.store());
        self.under_way.push(Box::pin(async move {
            // Without a word the log is closed; at the next start it is tried again.
            while !matches!(store.deliveries().settle(attempt.clone()).await, Ok(Ok(()))) {
                tokio::time::sleep(OUTAGE).await;
            }
            Event::Settled { posted, ended }
        }));
    }

    fn show(&self, account: &Account) {
        let how = match () {
            () if account.paused => Condition::Paused,
            () if self.pace.refuses_all() => Condition::Refusing,
            () if self.pace.is_resting() => Condition::Resting,
            () => Condition::Open,
        };
        self.live.show(how, self.flying);
    }
}

/// Makes a delivery and hands it to the peer.
async fn deliver(
    destination: &Arc<Destination>,
    peer: &dyn Peer,
    material: Material,
    rendering: &Arc<Semaphore>,
    posted: &Posted,
    trace: &mut Option<TraceId>,
) -> Result<Delivered, Failure> {
    let (begun, telemetry, attempt) = (Timestamp::now(), Arc::clone(&material.telemetry), posted.attempts + 1);
    let applied = material.applied(destination, posted.number).await?;
    let stopping = |_| Failure::new(Class::Unreachable, "the gateway is stopping");
    let permit = Arc::clone(rendering).acquire_owned().await.map_err(stopping)?;
    let (to, posted) = (Arc::clone(destination), posted.clone());
    let outgoing = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        material.outgoing(&to, &posted, applied)
    });
    let broken = |_| Failure::new(Class::Broken, "a defect of the gateway");
    let outgoing = outgoing.await.map_err(broken)??;
    let (ours, caller, number) = (outgoing.span, Caller::of(&outgoing.frame), outgoing.number);
    *trace = Some(ours.trace);
    let result = ours.trace.scope(peer.deliver(outgoing)).await;
    telemetry.delivery(&Told {
        destination: &destination.name,
        number,
        attempt,
        begun,
        outcome: result
            .as_ref()
            .map_or_else(|failure| failure.class.word(), |_| Told::DONE),
        ours,
        caller,
    });
    result
}

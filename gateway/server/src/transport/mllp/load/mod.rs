//! Many messages over many connections, and how long their replies took: `causeway send --connections --count --rate`.
//! Without a rate each connection sends as soon as a reply came; with one, messages have their times, and waiting for a
//! busy connection counts.

mod connection;
mod latency;
mod message;
mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::connection::Sender;
use self::message::Templates;
use self::report::Tally;
use super::client::Timeouts;
use crate::transport::tls::{Connector, Stream};

pub use latency::Latency;
pub use message::Fresh;
pub use report::LoadReport;

/// How to load.
#[derive(Debug, Clone)]
pub struct Load {
    /// Connections at once.
    pub connections: usize,
    /// Messages in all; the given ones are sent in turn, again and again.
    pub count: u64,
    /// How long new messages are sent at most; those under way then are still waited for.
    pub lasting: Option<Duration>,
    /// Messages a second over all connections; absent: as fast as replies come.
    pub rate: Option<f64>,
    /// Messages of one connection that wait for replies at once.
    pub pipeline: usize,
    /// What is new in every message.
    pub fresh: Fresh,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// With or without TLS.
    pub tls: Connector,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            connections: 1,
            count: 1,
            lasting: None,
            rate: None,
            pipeline: 1,
            fresh: Fresh::Ids,
            timeouts: Timeouts::default(),
            tls: Connector::plain(),
        }
    }
}

/// What all connections share.
#[derive(Debug)]
struct Plan {
    address: String,
    templates: Templates,
    load: Load,
    start: Instant,
    next: AtomicU64,
    answered: Arc<AtomicU64>,
}

impl Plan {
    /// The next message's number and when it is due; `None` when all are given out or the time is over.
    fn ticket(&self) -> Option<(u64, Instant)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.start + self.load.rate.map_or(Duration::ZERO, |rate| due(number, rate));
        let over = |lasting| due.max(Instant::now()) >= self.start + lasting;
        let given_out = number >= self.load.count || self.load.lasting.is_some_and(over);
        (!given_out).then_some((number, due))
    }
}

/// When message `number` is due; a rate that is no positive number means at once.
#[expect(clippy::cast_precision_loss, reason = "a count of messages is far below 2^53")]
fn due(number: u64, rate: f64) -> Duration {
    Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::ZERO)
}

/// Sends and waits for every reply. `answered` counts along, for a progress bar.
///
/// # Errors
/// There is no message to send, or not one connection can be made.
pub async fn load(
    address: &str,
    messages: &[Bytes],
    load: Load,
    answered: Arc<AtomicU64>,
) -> Result<LoadReport, super::ClientError> {
    let connections = load.connections.max(1);
    let first = super::client::connected(&load.tls, address, load.timeouts).await?;
    let plan = Arc::new(Plan {
        address: address.to_owned(),
        templates: Templates::new(messages, load.fresh),
        load,
        start: Instant::now(),
        next: AtomicU64::new(0),
        answered,
    });
    let tally = send_all(&plan, first, connections).await;
    Ok(tally.report(connections, plan.start.elapsed()))
}

async fn send_all(plan: &Arc<Plan>, first: Stream, connections: usize) -> Tally {
    let mut senders = JoinSet::new();
    senders.spawn(Sender::new(plan.clone(), Some(first)).run());
    for _ in 1..connections {
        senders.spawn(Sender::new(plan.clone(), None).run());
    }
    let mut tally = Tally::default();
    while let Some(ended) = senders.join_next().await {
        match ended {
            Ok(one) => tally.merge(one),
            Err(error) => tally.error(error.to_string()),
        }
    }
    tally
}

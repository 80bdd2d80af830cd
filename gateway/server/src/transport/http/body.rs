//! Reads a request's body as it comes, up to the listener's limit and deadline, and pays for a large one from the budget
//! that all transports share. How long a peer says that its body is plays no part in what is allocated.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use causeway_core::{Fault, FaultKind};
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::transport::mllp::Charge;

/// How much of a body that was given up the refusal gets to see.
const FIRST: usize = 64 << 10;

/// A body that was given up: why, and its beginning.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) fault: Fault,
    pub(super) first: Bytes,
}

/// Reads a body to its end.
pub(super) async fn read(
    mut body: Incoming,
    limit: usize,
    within: Duration,
    charge: &mut Charge,
) -> Result<Bytes, Broken> {
    let due = Instant::now() + within;
    let mut held = Held::default();
    loop {
        let next = timeout_at(due, poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))).await;
        let data = match next {
            Err(_) => return Err(held.broken(FaultKind::Timeout, "the message took too long to arrive")),
            Ok(None) => return Ok(held.whole()),
            Ok(Some(Err(_))) => return Err(held.broken(FaultKind::Unreadable, "the message was cut short")),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(), // trailers say nothing to us
        };
        if held.len() + data.len() > limit {
            let text = format!("the message is larger than the {limit} bytes that are taken");
            return Err(held.broken(FaultKind::TooLarge, text));
        }
        held.add(data);
        let units = charge.missing(held.len());
        if units > 0 && !matches!(timeout_at(due, charge.more(units)).await, Ok(Ok(()))) {
            return Err(held.broken(FaultKind::Overload, "no memory for a large message; try again"));
        }
    }
}

/// What came so far: most bodies come in one piece, which is not copied.
#[derive(Debug, Default)]
struct Held {
    first: Bytes,
    rest: BytesMut,
}

impl Held {
    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    fn add(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
        } else {
            if self.rest.is_empty() {
                self.rest.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.rest.extend_from_slice(&data);
        }
    }

    fn whole(self) -> Bytes {
        if self.rest.is_empty() {
            self.first
        } else {
            self.rest.freeze()
        }
    }

    fn broken(self, kind: FaultKind, text: impl Into<std::borrow::Cow<'static, str>>) -> Broken {
        let mut first = self.whole();
        first.truncate(FIRST);
        Broken {
            fault: Fault::new(kind, text),
            first,
        }
    }
}

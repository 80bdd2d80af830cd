//! One connection of a load run: up to `pipeline` messages wait for replies; replies are matched by MSA-2.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

use super::super::client::{ClientError, MAX_REPLY, Want, connected, decode};
use super::super::codec::Decoder;
use super::super::correlate;
use super::Plan;
use super::report::Tally;
use crate::transport::tls::Stream;

/// Bytes read at a time.
const CHUNK: usize = 16 << 10;

/// A message that waits for replies.
#[derive(Debug)]
struct Waiting {
    control_id: Vec<u8>,
    want: Want,
    since: Instant,
}

pub(super) struct Sender {
    plan: Arc<Plan>,
    stream: Option<Stream>,
    decoder: Decoder,
    waiting: VecDeque<Waiting>,
    /// A message that is not due yet, or that found no room.
    next: Option<(u64, Instant)>,
    /// The next message's time was waited for.
    awaited: bool,
    exhausted: bool,
    out: Vec<u8>,
    tally: Tally,
}

impl Sender {
    pub(super) fn new(plan: Arc<Plan>, stream: Option<Stream>) -> Self {
        Self {
            plan,
            stream,
            decoder: Decoder::new(MAX_REPLY),
            waiting: VecDeque::new(),
            next: None,
            awaited: false,
            exhausted: false,
            out: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Sends until nothing is left. A connection that breaks is made anew; one that cannot be made ends this sender.
    pub(super) async fn run(mut self) -> Tally {
        loop {
            let stream = match self.stream.take() {
                Some(stream) => Ok(stream),
                None => connected(&self.plan.load.tls, &self.plan.address, self.plan.load.timeouts).await,
            };
            let ended = match stream {
                Ok(stream) => self.talk(stream).await,
                Err(error) => {
                    self.failed(&error);
                    return self.tally;
                }
            };
            match ended {
                Ok(()) => return self.tally,
                Err(error) => self.failed(&error),
            }
        }
    }

    fn failed(&mut self, error: &ClientError) {
        self.tally.failed += self.waiting.len() as u64;
        self.waiting.clear();
        self.out.clear();
        self.decoder = Decoder::new(MAX_REPLY);
        self.tally.error(error.to_string());
    }

    async fn talk(&mut self, mut stream: Stream) -> Result<(), ClientError> {
        let mut buffer = vec![0; CHUNK];
        loop {
            self.fill();
            if !self.out.is_empty() {
                stream.write_all(&self.out).await?;
                self.out.clear();
            }
            if self.waiting.is_empty() && self.next.is_none() {
                return Ok(());
            }
            let read = self.wait(&mut stream, &mut buffer).await?;
            self.take(buffer.get(..read).unwrap_or_default())?;
        }
    }

    /// Writes what is due and finds room.
    fn fill(&mut self) {
        // Asked again only after messages have gone out: a busy connection's messages are late then, and count so.
        let now = Instant::now();
        while self.waiting.len() < self.plan.load.pipeline.max(1) {
            if self.next.is_none() && !self.exhausted {
                self.next = self.plan.ticket();
                self.exhausted = self.next.is_none();
            }
            match self.next {
                Some((number, due)) if due <= now => self.write(number, due),
                _ => return,
            }
        }
    }

    fn write(&mut self, number: u64, due: Instant) {
        self.next = None;
        let before = self.out.len();
        let Some(written) = self.plan.templates.write(number, &mut self.out) else {
            return;
        };
        self.tally.sent += 1;
        self.tally.bytes_sent += (self.out.len() - before) as u64;
        if written.want == Want::Nothing {
            self.answered();
            return;
        }
        let since = if self.plan.load.rate.is_some() {
            due
        } else {
            Instant::now()
        };
        self.waiting.push_back(Waiting {
            control_id: written.control_id,
            want: written.want,
            since,
        });
    }

    /// Bytes of replies, or 0 when the next message is due.
    async fn wait(&mut self, stream: &mut Stream, buffer: &mut [u8]) -> Result<usize, ClientError> {
        let room = self.waiting.len() < self.plan.load.pipeline.max(1);
        let due = self.next.filter(|_| room).map(|(_, due)| due);
        let late = self
            .waiting
            .front()
            .map(|first| first.since + self.plan.load.timeouts.reply);
        tokio::select! {
            biased;
            read = stream.read(buffer) => match read? {
                0 => Err(ClientError::Closed { replies: Vec::new() }),
                read => Ok(read),
            },
            () = until(due) => {
                self.awaited = true;
                Ok(0)
            }
            () = until(late) => Err(ClientError::Timeout { replies: Vec::new(), unmatched: None }),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        let mut ready = VecDeque::new();
        decode(&mut self.decoder, bytes, &mut ready)?;
        for reply in &ready {
            self.reply(reply);
        }
        Ok(())
    }

    fn reply(&mut self, reply: &Bytes) {
        let said = correlate::said(reply).unwrap_or_default();
        let whose = |waiting: &Waiting| waiting.control_id.is_empty() || waiting.control_id == said.control_id;
        let Some(index) = self.waiting.iter().position(whose) else {
            self.tally.unmatched += 1;
            return;
        };
        self.tally.code(said.code);
        let more = said.code == b"CA" && self.waiting.get(index).is_some_and(|one| one.want == Want::Application);
        if !more && let Some(waiting) = self.waiting.remove(index) {
            self.tally.latency.add(waiting.since.elapsed());
            self.answered();
        }
    }

    fn answered(&mut self) {
        self.tally.answered += 1;
        self.plan.answered.fetch_add(1, Ordering::Relaxed);
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

//! The sending side: one connection, one message at a time, and only replies to that message. A reply is matched by
//! MSA-2 to MSH-10; others (late ones of an earlier message) are discarded and counted. After a timeout the socket is
//! closed, since a reply that comes later could be taken for the next message's.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::codec::{self, Decoder, Event};
use super::correlate::{self, Sent};
use crate::transport::tls::{Connector, Stream};

/// Bytes read at a time.
const CHUNK: usize = 8 << 10;
/// The largest reply that is taken.
pub(super) const MAX_REPLY: usize = 16 << 20;

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// For all replies of a message, from the moment it begins to be sent.
    pub reply: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            reply: Duration::from_secs(30),
        }
    }
}

impl From<Duration> for Timeouts {
    fn from(all: Duration) -> Self {
        Self {
            connect: all,
            reply: all,
        }
    }
}

/// Which replies to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// None.
    Nothing,
    /// The first, whatever it is.
    First,
    /// A commit and then the application's reply. One reply is enough if it is not a positive commit: CE and CR end the
    /// matter, and a peer in original mode says AA at once.
    Application,
}

impl Want {
    /// What a message brings for certain once [`asking`] made it ask for a commit.
    pub fn word(message: &[u8]) -> Self {
        match correlate::sent(message).application {
            b"AL" => Self::Application,
            _ => Self::First,
        }
    }

    /// What a message asks for in MSH-15 and MSH-16 (HL7 v2.9 2.9.2). ER and SU may bring nothing, so nothing is waited
    /// for on their account except what comes first.
    pub fn by(message: &[u8]) -> Self {
        let sent = correlate::sent(message);
        match (sent.commit, sent.application) {
            (b"NE", b"NE") => Self::Nothing,
            (b"AL", b"AL") => Self::Application,
            _ => Self::First,
        }
    }
}

/// Why there is no reply, or not all.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection cannot be made.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The peer closed the connection.
    #[error("the peer closed the connection{}", got(.replies))]
    Closed {
        /// What had come for this message.
        replies: Vec<Bytes>,
    },
    /// Not all replies came in time; the connection is closed.
    #[error("no reply in time{}{}", got(.replies), others(.unmatched.as_ref()))]
    Timeout {
        /// What had come for this message.
        replies: Vec<Bytes>,
        /// The last reply that was not for this message.
        unmatched: Option<Bytes>,
    },
    /// The connection was closed after an earlier failure.
    #[error("the connection is closed after a failure")]
    Spent,
    /// A reply larger than 16 MiB.
    #[error("a reply of {0} bytes is too large")]
    TooLarge(u64),
}

fn got(replies: &[Bytes]) -> &'static str {
    if replies.is_empty() {
        ""
    } else {
        " after the first reply"
    }
}

fn others(unmatched: Option<&Bytes>) -> &'static str {
    unmatched.map_or("", |_| "; a reply to some other message came")
}

/// A connection to a listener.
#[derive(Debug)]
pub struct Client {
    stream: Option<Stream>,
    timeouts: Timeouts,
    decoder: Decoder,
    ready: VecDeque<Bytes>,
    unmatched: u64,
}

impl Client {
    /// Connects to `host:port` in the clear.
    ///
    /// # Errors
    /// [`ClientError::Connect`].
    pub async fn connect(address: &str, timeouts: impl Into<Timeouts>) -> Result<Self, ClientError> {
        Self::connect_with(&Connector::plain(), address, timeouts).await
    }

    /// Connects to `host:port` with or without TLS; the handshake counts as part of connecting.
    ///
    /// # Errors
    /// [`ClientError::Connect`].
    pub async fn connect_with(
        tls: &Connector,
        address: &str,
        timeouts: impl Into<Timeouts>,
    ) -> Result<Self, ClientError> {
        let timeouts = timeouts.into();
        Ok(Self {
            stream: Some(connected(tls, address, timeouts).await?),
            timeouts,
            decoder: Decoder::new(MAX_REPLY),
            ready: VecDeque::new(),
            unmatched: 0,
        })
    }

    /// Sends a message and waits for the replies that it asks for itself; see [`Want::by`].
    ///
    /// # Errors
    /// See [`Client::exchange_for`].
    pub async fn exchange(&mut self, message: &[u8]) -> Result<Vec<Bytes>, ClientError> {
        self.exchange_for(message, Want::by(message)).await
    }

    /// Sends a message and waits for these replies. After any error the connection is closed.
    ///
    /// # Errors
    /// Every [`ClientError`] but `Connect`; one that comes after a first reply holds it.
    pub async fn exchange_for(&mut self, message: &[u8], want: Want) -> Result<Vec<Bytes>, ClientError> {
        let due = Instant::now() + self.timeouts.reply;
        let result = self.attempt(message, want, due).await;
        if result.is_err() {
            self.stream = None;
        }
        result
    }

    /// Replies so far that were not for the message that was waited for.
    pub fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// Whether the connection is still there, as far as that can be told without waiting. Replies that came since the last
    /// message are late ones and are discarded.
    pub fn is_open(&mut self) -> bool {
        let Some(stream) = self.stream.as_mut() else {
            return false;
        };
        let mut buffer = [0; CHUNK];
        loop {
            match stream.read(&mut buffer).now_or_never() {
                None => break,
                Some(Ok(read)) if read > 0 => {
                    let bytes = buffer.get(..read).unwrap_or_default();
                    if decode(&mut self.decoder, bytes, &mut self.ready).is_err() {
                        return false;
                    }
                }
                Some(_) => return false,
            }
        }
        self.unmatched += self.ready.len() as u64;
        self.ready.clear();
        true
    }

    async fn attempt(&mut self, message: &[u8], want: Want, due: Instant) -> Result<Vec<Bytes>, ClientError> {
        let mut replies = Vec::new();
        let mut unmatched = None;
        let ended = timeout_at(due, async {
            self.send(message).await?;
            self.collect(correlate::sent(message), want, &mut replies, &mut unmatched)
                .await
        });
        match ended.await {
            Ok(Ok(true)) => Ok(replies),
            Ok(Ok(false)) => Err(ClientError::Closed { replies }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ClientError::Timeout { replies, unmatched }),
        }
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), ClientError> {
        let stream = self.stream.as_mut().ok_or(ClientError::Spent)?;
        let mut bytes = Vec::new();
        codec::encode(message, &mut bytes);
        Ok(stream.write_all(&bytes).await?)
    }

    /// True when all that is wanted is there, false when the peer closed before.
    async fn collect(
        &mut self,
        sent: Sent<'_>,
        want: Want,
        replies: &mut Vec<Bytes>,
        unmatched: &mut Option<Bytes>,
    ) -> Result<bool, ClientError> {
        if want == Want::Nothing {
            return Ok(true);
        }
        while let Some(reply) = self.next().await? {
            let said = correlate::said(&reply).unwrap_or_default();
            if !sent.control_id.is_empty() && said.control_id != sent.control_id {
                self.unmatched += 1;
                *unmatched = Some(reply);
                continue;
            }
            let last = want == Want::First || said.code != b"CA";
            replies.push(reply);
            if last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next reply of whatever message.
    async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        let stream = self.stream.as_mut().ok_or(ClientError::Spent)?;
        let mut buffer = [0; CHUNK];
        loop {
            if let Some(reply) = self.ready.pop_front() {
                return Ok(Some(reply));
            }
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Ok(None);
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            decode(&mut self.decoder, bytes, &mut self.ready)?;
        }
    }
}

/// A connection with small delays, made in time.
pub(super) async fn connected(tls: &Connector, address: &str, timeouts: Timeouts) -> Result<Stream, ClientError> {
    timeout(timeouts.connect, tls.connect(address))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(ClientError::Connect)
}

/// All whole replies among the bytes; what broke off is dropped.
pub(super) fn decode(decoder: &mut Decoder, mut bytes: &[u8], ready: &mut VecDeque<Bytes>) -> Result<(), ClientError> {
    while !bytes.is_empty() {
        let (taken, event) = decoder.push(bytes);
        bytes = bytes.get(taken..).unwrap_or_default();
        match event {
            Some(Event::Frame(reply)) => ready.push_back(reply),
            Some(Event::TooLarge { length, .. }) => return Err(ClientError::TooLarge(length)),
            Some(Event::Truncated { .. }) | None => {}
        }
    }
    Ok(())
}

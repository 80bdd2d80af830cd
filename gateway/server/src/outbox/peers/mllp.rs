//! A listener of the Minimal Lower Layer Protocol as a peer. Its word is the acknowledgement of this very message, matched by
//! MSA-2; where none comes in time the connection is closed, so that a late one is never taken for the next message's.
//! Connections stay open between deliveries.
//!
//! Delivery is at least once: a message whose acknowledgement was lost is sent again with the same MSH-10.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::outbox::{Class, Delivered, Destination, Failure, Outgoing, Peer};
use crate::transport::mllp::{Client, ClientError, Timeouts, Want, Word, asking, word};
use crate::transport::tls::Connector;

/// The largest message that is sent out of a file.
const LARGEST: u64 = 64 << 20;

/// An MLLP listener.
#[derive(Debug)]
pub struct Mllp {
    address: String,
    connector: Connector,
    timeouts: Timeouts,
    /// Connections that are kept open at most.
    most: usize,
    idle: Mutex<Vec<Client>>,
}

impl Mllp {
    /// The listener of a destination.
    pub fn new(destination: &Destination, address: String, connector: Connector) -> Self {
        Self {
            address,
            connector,
            timeouts: Timeouts {
                connect: destination.connect_timeout,
                reply: destination.timeout,
            },
            most: destination.concurrency,
            idle: Mutex::default(),
        }
    }

    /// One attempt. A connection that was open may have been closed while nobody looked; that says nothing of the message,
    /// which then goes out by a new one.
    async fn send(&self, message: &[u8]) -> Result<Delivered, Failure> {
        let message = asking(message);
        let want = Want::word(&message);
        if let Some(client) = self.kept() {
            match self.exchange(client, &message, want).await {
                Err(error) if is_broken(&error) => {}
                said => return judge(said),
            }
        }
        let client = Client::connect_with(&self.connector, &self.address, self.timeouts).await;
        let said = match client {
            Ok(client) => self.exchange(client, &message, want).await,
            Err(error) => Err(error),
        };
        judge(said)
    }

    async fn exchange(&self, mut client: Client, message: &[u8], want: Want) -> Result<Vec<Bytes>, ClientError> {
        let replies = client.exchange_for(message, want).await?;
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push(client);
        }
        Ok(replies)
    }

    /// A connection that is still open.
    fn kept(&self) -> Option<Client> {
        let mut idle = self.idle();
        while let Some(mut client) = idle.pop() {
            if client.is_open() {
                return Some(client);
            }
        }
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer for Mllp {
    fn deliver(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Delivered, Failure>> {
        Box::pin(async move {
            match outgoing.file {
                Some(file) => self.send(&read(file).await?).await,
                None => self.send(&outgoing.bytes).await,
            }
        })
    }
}

/// The bytes of a file.
async fn read(file: PathBuf) -> Result<Vec<u8>, Failure> {
    let read = tokio::task::spawn_blocking(move || {
        let lost = |error: io::Error| Failure::new(Class::Broken, format!("its bytes: {}", error.kind()));
        if fs::metadata(&file).map_err(lost)?.len() > LARGEST {
            return Err(Failure::new(Class::Broken, "it is larger than goes out by MLLP"));
        }
        fs::read(&file).map_err(lost)
    });
    read.await
        .unwrap_or_else(|_| Err(Failure::new(Class::Broken, "a defect of the gateway")))
}

/// Whether the connection ended before anything was said.
fn is_broken(error: &ClientError) -> bool {
    match error {
        ClientError::Io(_) | ClientError::Spent => true,
        ClientError::Closed { replies } => replies.is_empty(),
        ClientError::Connect(_) | ClientError::Timeout { .. } | ClientError::TooLarge(_) => false,
    }
}

/// What follows from the replies, or from there being none.
fn judge(said: Result<Vec<Bytes>, ClientError>) -> Result<Delivered, Failure> {
    let (class, cause) = match said {
        Ok(replies) => return by_word(replies.last()),
        // After its commit the receiver has it, whatever becomes of its application's reply.
        Err(ClientError::Closed { replies } | ClientError::Timeout { replies, .. }) if !replies.is_empty() => {
            return by_word(replies.last());
        }
        Err(ClientError::Connect(error)) => (Class::Unreachable, why(&error)),
        // The peer may have it; and if it is this message that it breaks at, others go first.
        Err(ClientError::Io(error)) => (Class::Timeout, why(&error)),
        Err(ClientError::Closed { .. } | ClientError::Spent) => {
            (Class::Timeout, "the peer closed the connection".to_owned())
        }
        Err(ClientError::Timeout { unmatched: None, .. }) => (Class::Timeout, "no reply in time".to_owned()),
        Err(ClientError::Timeout { .. }) => {
            let cause = "no reply in time; one to some other message came";
            (Class::Timeout, cause.to_owned())
        }
        Err(ClientError::TooLarge(_)) => (Class::Failed, "the reply is too large".to_owned()),
    };
    Err(Failure::new(class, cause))
}

fn by_word(reply: Option<&Bytes>) -> Result<Delivered, Failure> {
    match reply.and_then(|reply| word(reply)) {
        Some((Word::Taken, code)) => Ok(Delivered::said(code)),
        Some((Word::Failed, cause)) => Err(Failure::new(Class::Failed, cause)),
        Some((Word::Rejected, cause)) => Err(Failure::new(Class::Rejected, cause)),
        None => Err(Failure::new(Class::Failed, "the reply is no acknowledgement")),
    }
}

/// What the system says; of a handshake, what TLS says.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Other | io::ErrorKind::InvalidData => error.to_string(),
        kind => kind.to_string(),
    }
}

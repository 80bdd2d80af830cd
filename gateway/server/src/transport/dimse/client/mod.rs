//! The other side of an association: the gateway as the one that asks (service class user). A request with a presentation
//! context for each kind of object, C-ECHO, C-STORE and release, all on any stream. An object is sent from its
//! file as it lies there, block by block; it is never in memory as a whole and never transcoded.

mod association;
mod file;
mod said;
mod source;

use std::io;
use std::time::Duration;

use tokio::time::timeout;

pub use association::{Association, Ready};
pub use file::{FileError, Kind, ObjectFile};
pub use said::{Said, Verdict};

use crate::transport::tls::{Connector, Stream};

/// Whom to call, and how.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `host:port`.
    pub address: String,
    /// The title that is called.
    pub called_ae: String,
    /// The title that calls.
    pub calling_ae: String,
    /// In the clear or under TLS.
    pub connector: Connector,
    /// For the connection with its handshake, and for the answer to the request of an association (ARTIM, PS3.8 9.1.4).
    pub connect: Duration,
    /// For a response, and for every piece that the peer takes.
    pub timeout: Duration,
}

/// Why nothing was said of a request.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no connection.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broke(io::Error),
    /// The peer rejected the association (PS3.8 9.3.4).
    #[error("the association was rejected{}: {why}", if *transient { " for now" } else { "" })]
    Rejected {
        /// Whether it may be taken later.
        transient: bool,
        /// The peer's reason.
        why: String,
    },
    /// The peer aborted the association.
    #[error("the peer aborted the association")]
    Aborted,
    /// The peer takes no object of this SOP class in this transfer syntax (PS3.8 table 9-18).
    #[error("{why}: SOP class {}, transfer syntax {}", .kind.sop_class, .kind.transfer_syntax)]
    NotTaken {
        /// What was to be sent.
        kind: Kind,
        /// What the peer's answer to its presentation context says.
        why: &'static str,
    },
    /// The peer was silent for too long.
    #[error("the peer did not answer in time")]
    Timeout,
    /// The peer broke the protocol.
    #[error("the peer broke the protocol: {0}")]
    Invalid(&'static str),
    /// The object's file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Caller {
    /// Connects and asks for an association for objects of these kinds, and for C-ECHO.
    ///
    /// # Errors
    /// There is no connection or no association.
    pub async fn call(&self, kinds: &[Kind]) -> Result<Association<Stream>, CallError> {
        let connected = timeout(self.connect, self.connector.connect(&self.address)).await;
        let late = |_| CallError::Connect(io::ErrorKind::TimedOut.into());
        let stream = connected.map_err(late)?.map_err(CallError::Connect)?;
        Association::request(stream, self, kinds).await
    }
}

#[cfg(test)]
mod tests;

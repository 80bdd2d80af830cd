//! The server's side of a handshake: within its deadline, in the connection's own task, so that a slow or hostile peer
//! holds up nobody else; and only peers that the listener knows. Every failure is logged with peer and reason, and
//! counted.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use openssl::ssl::{Ssl, SslRef};
use openssl::x509::X509VerifyResult;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_openssl::SslStream;
use tracing::{debug, warn};

use super::context::{self, Alpn, Loaded, TlsError};
use super::names::Names;
use super::options::Options;
use super::stream::Stream;

/// After a failure, how long the peer may take to read why: closing on unread bytes would make TCP throw the alert away.
const LINGER: Duration = Duration::from_secs(1);
/// How much of what it still sends is read meanwhile, in bytes.
const LINGER_BYTES: u64 = 64 << 10;

/// Why a peer was turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The handshake was not done within `handshake`.
    #[error("the handshake took too long")]
    Slow,
    /// The handshake failed: no common version, no TLS at all, no certificate, one that nobody vouches for.
    #[error("{0}")]
    Failed(String),
    /// The certificate is good and names nobody whom the listener knows.
    #[error("its certificate names {0}, who is not among the listener's senders")]
    Stranger(Arc<str>),
}

/// What a listener's handshakes came to.
#[derive(Debug, Default)]
pub struct Handshakes {
    /// Those that were done.
    pub done: AtomicU64,
    /// Those that failed or took too long.
    pub failed: AtomicU64,
    /// Peers turned away for whom their certificate names.
    pub strangers: AtomicU64,
}

/// What a listener accepts connections with; without TLS it lets them through as they are.
#[derive(Debug, Clone, Default)]
pub struct Acceptor(Option<Arc<Live>>);

/// A listener's TLS with the files in force.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) listener: Arc<str>,
    options: Options,
    alpn: Alpn,
    loaded: RwLock<Arc<Loaded>>,
    pub(super) handshakes: Handshakes,
}

impl Live {
    /// Reads the files.
    pub(super) fn open(listener: &str, options: &Options, alpn: Alpn) -> Result<Self, TlsError> {
        Ok(Self {
            listener: listener.into(),
            options: options.clone(),
            alpn,
            loaded: RwLock::new(Arc::new(context::load(listener, options, alpn)?)),
            handshakes: Handshakes::default(),
        })
    }

    /// Reads the files again and leaves what is in force.
    pub(super) fn read(&self) -> Result<Loaded, TlsError> {
        context::load(&self.listener, &self.options, self.alpn)
    }

    /// Puts it in force for connections to come.
    pub(super) fn put(&self, loaded: Loaded) {
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
    }

    /// What is in force.
    pub(super) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn accept(&self, stream: TcpStream) -> Result<Stream, Refused> {
        let ssl = Ssl::new(&self.loaded().context).map_err(|error| Refused::Failed(context::reason(&error)))?;
        let mut stream = SslStream::new(ssl, stream).map_err(|error| Refused::Failed(context::reason(&error)))?;
        let shaken = timeout(self.options.handshake, Pin::new(&mut stream).accept()).await;
        match shaken.map_err(|_| Refused::Slow) {
            Err(slow) => Err(slow),
            Ok(Err(error)) => {
                let why = Refused::Failed(failure(&error, stream.ssl()));
                part(stream.get_mut()).await;
                Err(why)
            }
            Ok(Ok(())) => self.known(stream).await,
        }
    }

    /// Lets a peer through whose certificate names one of the senders, and one without where none is required.
    async fn known(&self, mut stream: SslStream<TcpStream>) -> Result<Stream, Refused> {
        let names = stream
            .ssl()
            .peer_certificate()
            .map(|certificate| Names::of(&certificate));
        let senders = &self.options.senders;
        match names {
            Some(names) if !names.is_among(senders) => {
                let ended = timeout(LINGER, stream.shutdown()).await;
                debug!(?ended, "said goodbye to a stranger");
                Err(Refused::Stranger(names.shown()))
            }
            names => Ok(Stream::tls(stream, names.map(|names| names.shown()))),
        }
    }

    fn note(&self, peer: SocketAddr, refused: &Refused) {
        let count = match refused {
            Refused::Slow | Refused::Failed(_) => &self.handshakes.failed,
            Refused::Stranger(_) => &self.handshakes.strangers,
        };
        count.fetch_add(1, Ordering::Relaxed);
        warn!(listener = %self.listener, %peer, reason = %refused, "TLS handshake refused");
    }
}

impl Acceptor {
    pub(super) fn of(live: Arc<Live>) -> Self {
        Self(Some(live))
    }

    /// Whether connections come under TLS.
    pub fn is_tls(&self) -> bool {
        self.0.is_some()
    }

    /// Makes a connection of an accepted socket. Call it in the connection's own task: it takes as long as the peer does,
    /// at most the listener's `handshake` and a second. A refusal is logged and counted here.
    ///
    /// # Errors
    /// The peer was turned away; the socket is closed.
    pub async fn accept(&self, stream: TcpStream, peer: SocketAddr) -> Result<Stream, Refused> {
        let Some(live) = &self.0 else {
            return Ok(Stream::plain(stream));
        };
        let accepted = live.accept(stream).await;
        match &accepted {
            Ok(_) => drop(live.handshakes.done.fetch_add(1, Ordering::Relaxed)),
            Err(refused) => live.note(peer, refused),
        }
        accepted
    }

    /// The same, unless the listener is told to stop first: nothing is owed before a handshake is done.
    pub async fn accept_until(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        shutdown: &mut watch::Receiver<bool>,
    ) -> Option<Stream> {
        tokio::select! {
            biased;
            accepted = self.accept(stream, peer) => accepted.ok(),
            _ = shutdown.wait_for(|stop| *stop) => None,
        }
    }
}

/// What failed, in OpenSSL's words: about the certificate where it is that.
pub(super) fn failure(error: &openssl::ssl::Error, ssl: &SslRef) -> String {
    let verified = ssl.verify_result();
    if verified != X509VerifyResult::OK {
        return verified.error_string().to_owned();
    }
    match (error.ssl_error(), error.io_error()) {
        (Some(stack), _) => context::reason(stack),
        (None, Some(error)) => error.to_string(),
        (None, None) => "the peer hung up".to_owned(),
    }
}

/// Says that nothing more comes and lets the peer read the alert.
async fn part(socket: &mut TcpStream) {
    let close = async {
        socket.shutdown().await?;
        let mut rest = socket.take(LINGER_BYTES);
        let mut scrap = [0; 1024];
        while rest.read(&mut scrap).await? > 0 {}
        std::io::Result::Ok(())
    };
    let ended = timeout(LINGER, close).await;
    debug!(?ended, "closed after a failed handshake");
}

//! Who is let in and how many at once. One task a connection. Beyond the limit of associations a few more are heard and
//! told to come again; nothing of an association is known here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{debug, info, warn};

use super::association::{self, End};
use super::counters::Counters;
use super::objects::Objects;
use super::options::Options;
use crate::service::FrameService;
use crate::transport::accept::{Accepting, allowed, prepare};
use crate::transport::mllp::Cidr;
use crate::transport::tls::Acceptor;

/// How much of the beginning of a data set is metadata: its bytes so far, its transfer syntax, and whether no more of it
/// will be shown; none while it cannot be told. The wiring gives it, so that the format is not known here.
pub type MetadataFn = Arc<dyn Fn(&[u8], &str, bool) -> Option<usize> + Send + Sync>;

/// Connections beyond the limit that are heard at once, only to be told to come again.
const WAITING: usize = 32;
/// What a listener is made of.
#[derive(Clone)]
pub struct Listener {
    /// Its configured name.
    pub name: Arc<str>,
    /// What takes the frames.
    pub service: FrameService,
    /// Where an object's metadata ends.
    pub metadata: MetadataFn,
    /// Where objects are put.
    pub objects: Arc<Objects>,
    /// Its settings.
    pub options: Options,
    /// Addresses and networks that may connect; empty: everybody.
    pub peers: Vec<Cidr>,
    /// What makes connections of accepted sockets: TLS, or nothing.
    pub tls: Acceptor,
    /// What it counts.
    pub counters: Arc<Counters>,
    /// How long messages under way may still take after the listener is told to stop.
    pub drain: Duration,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("name", &self.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Places for associations, and for those that hear that there are none.
struct Places {
    associations: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Listener {
    /// Serves until `shutdown` says true: then accepts nothing more, lets messages under way end for at most `drain`, and
    /// returns.
    ///
    /// # Errors
    /// The socket has no local address any more.
    pub async fn serve(self, socket: TcpListener, shutdown: watch::Receiver<bool>) -> io::Result<()> {
        info!(listener = %self.name, address = %socket.local_addr()?, "listening for DICOM");
        let (listener, signal) = (Arc::new(self), shutdown.clone());
        let places = Places {
            associations: Arc::new(Semaphore::new(listener.options.associations as usize)),
            waiting: Arc::new(Semaphore::new(WAITING)),
        };
        let accepting = Accepting {
            name: &listener.name,
            socket,
            errors: &listener.counters.accept_errors,
            drain: listener.drain,
        };
        let connect = |stream, peer| {
            let (place, permit) = admit(&listener, &places, peer)?;
            let (listener, signal) = (Arc::clone(&listener), signal.clone());
            Some(async move {
                let _permit = permit;
                listener.run(stream, peer, place, signal).await;
            })
        };
        accepting.serve(shutdown, connect).await;
        Ok(())
    }

    async fn run(&self, stream: TcpStream, peer: SocketAddr, has_place: bool, mut shutdown: watch::Receiver<bool>) {
        self.counters.accepted.add(1);
        self.counters.open.add(1);
        let _open = Open(&self.counters);
        prepare(&stream);
        if let Some(stream) = self.tls.accept_until(stream, peer, &mut shutdown).await {
            let peer = stream.peer(peer);
            self.associate(stream, &peer, has_place, shutdown).await;
        }
    }

    /// Runs an association on any stream; `has_place` false rejects it as transient.
    pub async fn associate<S>(
        &self,
        stream: S,
        peer: &Arc<str>,
        has_place: bool,
        shutdown: watch::Receiver<bool>,
    ) -> End
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
    {
        let end = association::run(self, stream, peer, has_place, shutdown).await;
        if !matches!(end, End::Released | End::Rejected) {
            self.counters.aborted.add(1);
        }
        debug!(listener = %self.name, %peer, ?end, "association ended");
        end
    }
}

/// A place for an association, or one to hear that there is none.
fn admit(listener: &Listener, places: &Places, peer: SocketAddr) -> Option<(bool, OwnedSemaphorePermit)> {
    if !allowed(&listener.peers, peer.ip()) {
        listener.counters.turned_away.add(1);
        warn!(listener = %listener.name, %peer, "not among the peers");
        return None;
    }
    if let Ok(permit) = Arc::clone(&places.associations).try_acquire_owned() {
        return Some((true, permit));
    }
    let waiting = Arc::clone(&places.waiting).try_acquire_owned();
    if waiting.is_err() {
        listener.counters.turned_away.add(1);
        warn!(listener = %listener.name, %peer, "far too many connections");
    }
    waiting.ok().map(|permit| (false, permit))
}

/// An open connection; counted until dropped, also when its task is aborted or breaks.
struct Open<'a>(&'a Counters);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.sub(1);
    }
}

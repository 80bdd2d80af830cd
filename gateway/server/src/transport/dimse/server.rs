//! The accept loop: who is let in, how many at once, and the way down. One task a connection. Beyond the limit of
//! associations a few more are heard and told to come again; nothing of an association is known here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info, warn};

use super::association::{self, End};
use super::counters::Counters;
use super::objects::Objects;
use super::options::Options;
use crate::service::FrameService;
use crate::transport::mllp::Cidr;

/// How much of the beginning of a data set is metadata: its bytes so far, its transfer syntax, and whether no more of it
/// will be shown; none while it cannot be told. The wiring gives it, so that the format is not known here.
pub type MetadataFn = Arc<dyn Fn(&[u8], &str, bool) -> Option<usize> + Send + Sync>;

/// Connections beyond the limit that are heard at once, only to be told to come again.
const WAITING: usize = 32;
/// How long the listener rests after a failed accept.
const REST: Duration = Duration::from_millis(100);
/// A peer that died without a word is found after about two minutes.
const PROBE_AFTER: Duration = Duration::from_mins(1);
const PROBE_EVERY: Duration = Duration::from_secs(20);

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
    pub async fn serve(self, socket: TcpListener, mut shutdown: watch::Receiver<bool>) -> io::Result<()> {
        info!(listener = %self.name, address = %socket.local_addr()?, "listening for DICOM");
        let listener = Arc::new(self);
        let mut connections = JoinSet::new();
        accept_all(&socket, &listener, &mut connections, &mut shutdown).await;
        drop(socket);
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(listener.drain, all).await.is_err() {
            warn!(listener = %listener.name, open = connections.len(), "drain deadline passed; closing");
            connections.shutdown().await;
        }
        Ok(())
    }

    /// Runs an association on any stream, one that TLS stands on for example; `has_place` false rejects it as transient.
    pub async fn associate<S>(
        &self,
        stream: S,
        peer: SocketAddr,
        has_place: bool,
        shutdown: watch::Receiver<bool>,
    ) -> End
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
    {
        self.counters.accepted.add(1);
        self.counters.open.add(1);
        let _open = Open(&self.counters);
        let end = association::run(self, stream, peer, has_place, shutdown).await;
        if !matches!(end, End::Released | End::Rejected) {
            self.counters.aborted.add(1);
        }
        debug!(listener = %self.name, %peer, ?end, "association ended");
        end
    }
}

async fn accept_all(
    socket: &TcpListener,
    listener: &Arc<Listener>,
    connections: &mut JoinSet<()>,
    shutdown: &mut watch::Receiver<bool>,
) {
    let places = Places {
        associations: Arc::new(Semaphore::new(listener.options.associations as usize)),
        waiting: Arc::new(Semaphore::new(WAITING)),
    };
    let signal = shutdown.clone();
    let stop = shutdown.wait_for(|stop| *stop);
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut stop => return,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    error!(listener = %listener.name, %error, "an association's task broke");
                }
                continue;
            }
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some((place, permit)) = admit(listener, &places, peer) {
                    let (listener, signal) = (Arc::clone(listener), signal.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        prepare(&stream);
                        listener.associate(stream, peer, place, signal).await;
                    });
                }
            }
            Err(error) => {
                listener.counters.accept_errors.add(1);
                warn!(listener = %listener.name, %error, "cannot accept");
                sleep(REST).await;
            }
        }
    }
}

/// A place for an association, or one to hear that there is none.
fn admit(listener: &Listener, places: &Places, peer: SocketAddr) -> Option<(bool, OwnedSemaphorePermit)> {
    let allowed = listener.peers.is_empty() || listener.peers.iter().any(|network| network.contains(peer.ip()));
    if !allowed {
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

/// Without `TCP_NODELAY` every response waits for the peer's delayed acknowledgement: 40 ms an object.
fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    let set = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        debug!(%error, "socket options not set");
    }
}

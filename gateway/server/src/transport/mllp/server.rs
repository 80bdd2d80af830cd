//! The accept loop: who is let in, how many at once, and the way down. One task a connection; nothing of a connection is
//! known here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use causeway_core::{Fault, Head, Reply};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info, warn};

use super::budget::ReadBudget;
use super::connection;
use super::counters::Counters;
use super::options::Options;
use super::peers::{Cidr, Place, Places};
use crate::service::FrameService;
use crate::transport::tls::{Acceptor, Stream};

/// Renders what the transport itself must refuse, from the first bytes of a frame; the wiring gives it. A reply without
/// bytes is not sent. The faults that get here: `TooLarge`, `Overload`, `Timeout`, `Draining`, and `Unreadable` for a
/// frame that broke off, which deserves a reply only if its control id can be read.
pub type RefuseFn = Arc<dyn Fn(&Head, &[u8], Fault) -> Reply + Send + Sync>;

/// How long the listener rests after a failed accept: doubled from the first to the second.
const REST: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// A peer that died without a word is found after about two minutes: a probe after 60 s of silence, then every 20 s.
const PROBE_AFTER: Duration = Duration::from_mins(1);
const PROBE_EVERY: Duration = Duration::from_secs(20);

/// What a listener is made of.
#[derive(Clone)]
pub struct Listener {
    /// Its configured name.
    pub name: Arc<str>,
    /// What takes the frames.
    pub service: FrameService,
    /// What renders refusals.
    pub refuse: RefuseFn,
    /// Its settings.
    pub options: Options,
    /// Addresses and networks that may connect; empty: everybody.
    pub peers: Vec<Cidr>,
    /// What makes connections of accepted sockets: TLS, or nothing.
    pub tls: Acceptor,
    /// What it counts.
    pub counters: Arc<Counters>,
    /// Memory for frames being read; clone one budget for all listeners.
    pub budget: ReadBudget,
    /// How long replies may still go out after the listener is told to stop.
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

impl Listener {
    /// Serves until `shutdown` says true (or its sender is gone): then accepts and reads nothing more, lets replies that
    /// are owed go out for at most `drain`, and returns.
    ///
    /// # Errors
    /// The socket has no local address any more.
    pub async fn serve(self, socket: TcpListener, mut shutdown: watch::Receiver<bool>) -> io::Result<()> {
        info!(listener = %self.name, address = %socket.local_addr()?, "listening for MLLP");
        let listener = Arc::new(self);
        let mut connections = JoinSet::new();
        accept_all(&socket, &listener, &mut connections, &mut shutdown).await;
        drop(socket);
        drain(&listener, &mut connections).await;
        Ok(())
    }
}

async fn accept_all(
    socket: &TcpListener,
    listener: &Arc<Listener>,
    connections: &mut JoinSet<()>,
    shutdown: &mut watch::Receiver<bool>,
) {
    let places = Places::default();
    let signal = shutdown.clone();
    let mut rest = REST.0;
    let stop = shutdown.wait_for(|stop| *stop);
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut stop => return,
            Some(ended) = connections.join_next() => {
                report(listener, ended);
                continue;
            }
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                rest = REST.0;
                if let Some(place) = admit(listener, &places, peer) {
                    connections.spawn(run(listener.clone(), stream, peer, place, signal.clone()));
                }
            }
            Err(error) => {
                listener.counters.accept_errors.add(1);
                if !of_one_connection(&error) {
                    warn!(listener = %listener.name, %error, "cannot accept; resting {rest:?}");
                    sleep(rest).await;
                    rest = (rest * 2).min(REST.1);
                }
            }
        }
    }
}

/// The failure is that of the connection which was to be accepted; the next may be fine.
fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

fn admit(listener: &Listener, places: &Places, peer: SocketAddr) -> Option<Place> {
    let options = &listener.options;
    if !allowed(&listener.peers, peer.ip()) {
        listener.counters.turned_away.add(1);
        warn!(listener = %listener.name, %peer, "not among the peers");
        return None;
    }
    let place = places.take(peer.ip(), options.connections, options.connections_per_peer);
    if place.is_none() {
        listener.counters.turned_away.add(1);
        warn!(listener = %listener.name, %peer, "too many connections");
    }
    place
}

fn allowed(peers: &[Cidr], peer: IpAddr) -> bool {
    peers.is_empty() || peers.iter().any(|network| network.contains(peer))
}

async fn run(
    listener: Arc<Listener>,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    mut shutdown: watch::Receiver<bool>,
) {
    let counters = listener.counters.clone();
    counters.accepted.add(1);
    counters.open.add(1);
    let _open = Open(&counters, place);
    prepare(&stream);
    let stream = tokio::select! {
        biased;
        accepted = listener.tls.accept(stream, peer) => accepted,
        _ = shutdown.wait_for(|stop| *stop) => return, // nothing is owed before a handshake is done
    };
    if let Ok(stream) = stream {
        talk(&listener, stream, peer, shutdown).await;
    }
}

/// The halves of a socket in the clear need no lock, those of one under TLS share its state.
async fn talk(listener: &Listener, stream: Stream, peer: SocketAddr, shutdown: watch::Receiver<bool>) {
    let name = stream.peer(peer);
    let why = match stream.into_plain() {
        Ok(socket) => {
            let (reader, writer) = socket.into_split();
            connection::run(listener, name, reader, writer, shutdown).await
        }
        Err(stream) => {
            let (reader, writer) = tokio::io::split(stream);
            connection::run(listener, name, reader, writer, shutdown).await
        }
    };
    debug!(listener = %listener.name, %peer, ?why, "connection closed");
}

/// An open connection; counted until dropped, also when its task is aborted or breaks.
struct Open<'a>(&'a Counters, #[expect(dead_code, reason = "held for its drop")] Place);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.sub(1);
    }
}

/// Finds dead peers and sends at once what is written.
pub(in crate::transport) fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    let set = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        debug!(%error, "socket options not set");
    }
}

async fn drain(listener: &Listener, connections: &mut JoinSet<()>) {
    let all = async {
        while let Some(ended) = connections.join_next().await {
            report(listener, ended);
        }
    };
    if timeout(listener.drain, all).await.is_err() {
        warn!(listener = %listener.name, open = connections.len(), "drain deadline passed; closing");
        connections.shutdown().await;
    }
}

fn report(listener: &Listener, ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!(listener = %listener.name, %error, "a connection's task broke");
    }
}

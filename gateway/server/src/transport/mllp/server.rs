//! Who is let in and how many at once, and under which stream a connection runs. One task a connection; nothing of a
//! connection is known here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use causeway_core::{Fault, Head, Reply};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::budget::ReadBudget;
use super::connection;
use super::counters::Counters;
use super::options::Options;
use super::peers::{Cidr, Place, Places};
use crate::service::FrameService;
use crate::transport::accept::{Accepting, allowed, prepare};
use crate::transport::tls::{Acceptor, Stream};

/// Renders what the transport itself must refuse, from the first bytes of a frame; the wiring gives it. A reply without
/// bytes is not sent. The faults that get here: `TooLarge`, `Overload`, `Timeout`, `Draining`, and `Unreadable` for a
/// frame that broke off, which deserves a reply only if its control id can be read.
pub type RefuseFn = Arc<dyn Fn(&Head, &[u8], Fault) -> Reply + Send + Sync>;

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
    pub async fn serve(self, socket: TcpListener, shutdown: watch::Receiver<bool>) -> io::Result<()> {
        info!(listener = %self.name, address = %socket.local_addr()?, "listening for MLLP");
        let (listener, places, signal) = (Arc::new(self), Places::default(), shutdown.clone());
        let accepting = Accepting {
            name: &listener.name,
            socket,
            errors: &listener.counters.accept_errors,
            drain: listener.drain,
        };
        let connect = |stream, peer| {
            let place = admit(&listener, &places, peer)?;
            Some(run(Arc::clone(&listener), stream, peer, place, signal.clone()))
        };
        accepting.serve(shutdown, connect).await;
        Ok(())
    }
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
    if let Some(stream) = listener.tls.accept_until(stream, peer, &mut shutdown).await {
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

//! Who is let in and how many at once. One task a connection; nothing of a request is known here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::{info, warn};

use super::connection;
use super::door::Door;
use super::options::Options;
use super::route::Route;
use super::said::LastWords;
use crate::transport::accept::{Accepting, allowed, prepare};
use crate::transport::mllp::{Cidr, Counters, Place, Places, ReadBudget};
use crate::transport::tls::Acceptor;

/// What a listener is made of.
#[derive(Debug)]
pub struct Listener {
    /// Its configured name.
    pub name: Arc<str>,
    /// What stands at its paths.
    pub routes: Vec<Route>,
    /// Its settings.
    pub options: Options,
    /// Addresses and networks that may connect; empty: everybody.
    pub peers: Vec<Cidr>,
    /// What it counts.
    pub counters: Arc<Counters>,
    /// Memory for bodies being read; clone one budget for all listeners.
    pub budget: ReadBudget,
    /// How long requests may still be answered after the listener is told to stop.
    pub drain: Duration,
    /// What makes connections of accepted sockets: TLS, or nothing.
    pub tls: Acceptor,
    /// What is asked of every request.
    pub(super) door: Door,
    /// What is said where no request came through.
    pub(super) words: LastWords,
}

impl Listener {
    /// A listener that is bound to an address.
    ///
    /// # Errors
    /// The token's file cannot be read or is empty.
    pub fn new(name: &str, address: SocketAddr, options: Options, budget: ReadBudget) -> io::Result<Self> {
        let token = match &options.token_file {
            None => None,
            Some(file) => {
                let text = std::fs::read_to_string(file)?.trim().to_owned();
                let empty = || io::Error::new(io::ErrorKind::InvalidData, "the file of the token is empty");
                Some(Some(text).filter(|text| !text.is_empty()).ok_or_else(empty)?)
            }
        };
        Ok(Self {
            name: name.into(),
            routes: Vec::new(),
            door: Door::new(address, &options, token),
            options,
            peers: Vec::new(),
            counters: Arc::default(),
            budget,
            drain: Duration::from_secs(30),
            tls: Acceptor::default(),
            words: LastWords::default(),
        })
    }

    /// The scheme of its URLs.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_tls() { "https" } else { "http" }
    }

    /// Serves until `shutdown` says true (or its sender is gone): then accepts nothing more, lets requests under way be
    /// answered for at most `drain`, and returns.
    pub async fn serve(mut self, socket: TcpListener, shutdown: watch::Receiver<bool>) {
        self.words = LastWords::of(&self.routes);
        info!(listener = %self.name, "listening for HTTP");
        let (listener, places, signal) = (Arc::new(self), Places::default(), shutdown.clone());
        let accepting = Accepting {
            name: &listener.name,
            socket,
            errors: &listener.counters.accept_errors,
            drain: listener.drain,
        };
        let connect = |stream, peer| {
            let place = admit(&listener, &places, &stream, peer)?;
            Some(run(Arc::clone(&listener), stream, peer, place, signal.clone()))
        };
        accepting.serve(shutdown, connect).await;
    }
}

fn admit(listener: &Listener, places: &Places, stream: &TcpStream, peer: SocketAddr) -> Option<Place> {
    let (all, per_peer) = (listener.options.connections, listener.options.connections_per_peer);
    if !allowed(&listener.peers, peer.ip()) {
        listener.counters.turned_away.add(1);
        warn!(listener = %listener.name, %peer, "not among the peers");
        return None;
    }
    let place = places.take(peer.ip(), all, per_peer);
    if place.is_none() {
        listener.counters.turned_away.add(1);
        warn!(listener = %listener.name, %peer, "too many connections");
        if listener.tls.is_tls() {
            return None; // nobody listens to plain text there, and a handshake would be one more connection
        }
        let of_all = places.take(peer.ip(), u32::MAX, per_peer).is_some();
        let words = &listener.words;
        // A courtesy: a peer whose socket does not take it at once hears nothing.
        let _said = stream.try_write(if of_all { &words.full } else { &words.too_many });
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
    let counters = Arc::clone(&listener.counters);
    counters.accepted.add(1);
    counters.open.add(1);
    let _open = Open(&counters, place);
    prepare(&stream);
    if let Some(stream) = listener.tls.accept_until(stream, peer, &mut shutdown).await {
        let peer = stream.peer(peer);
        connection::run(listener, peer, stream, shutdown).await;
    }
}

/// An open connection; counted until dropped, also when its task is aborted or breaks.
struct Open<'a>(&'a Counters, #[expect(dead_code, reason = "held for its drop")] Place);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.sub(1);
    }
}

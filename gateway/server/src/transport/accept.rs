//! The accept loop of every listener on a socket: connections until it is told to stop, a rest when accepting fails, and the
//! way down. Who is let in and what is said on a connection is each transport's own.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, warn};

use super::counters::Counter;
use super::mllp::Cidr;

/// How long a listener rests after a failed accept: doubled from the first to the second.
const REST: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// A peer that died without a word is found after about two minutes: a probe after 60 s of silence, then every 20 s.
const PROBE_AFTER: Duration = Duration::from_mins(1);
const PROBE_EVERY: Duration = Duration::from_secs(20);

/// A listener's socket and what goes with it.
#[derive(Debug)]
pub(in crate::transport) struct Accepting<'a> {
    /// The listener's name, for the log.
    pub(in crate::transport) name: &'a str,
    pub(in crate::transport) socket: TcpListener,
    /// Counts failed accepts.
    pub(in crate::transport) errors: &'a Counter,
    /// How long connections may still take after the stop.
    pub(in crate::transport) drain: Duration,
}

impl Accepting<'_> {
    /// Accepts until `shutdown` says true (or its sender is gone), gives each connection a task of what `connect` makes of
    /// it, if anything, and lets them end for at most the drain.
    pub(in crate::transport) async fn serve<F>(
        self,
        mut shutdown: watch::Receiver<bool>,
        connect: impl Fn(TcpStream, SocketAddr) -> Option<F>,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        self.accept_all(&mut connections, &mut shutdown, connect).await;
        drop(self.socket);
        let all = async {
            while let Some(ended) = connections.join_next().await {
                report(self.name, ended);
            }
        };
        if timeout(self.drain, all).await.is_err() {
            warn!(listener = %self.name, open = connections.len(), "drain deadline passed; closing");
            connections.shutdown().await;
        }
    }

    async fn accept_all<F>(
        &self,
        connections: &mut JoinSet<()>,
        shutdown: &mut watch::Receiver<bool>,
        connect: impl Fn(TcpStream, SocketAddr) -> Option<F>,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut rest = REST.0;
        let stop = shutdown.wait_for(|stop| *stop);
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                _ = &mut stop => return,
                Some(ended) = connections.join_next() => {
                    report(self.name, ended);
                    continue;
                }
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    rest = REST.0;
                    if let Some(connection) = connect(stream, peer) {
                        connections.spawn(connection);
                    }
                }
                Err(error) => {
                    self.errors.add(1);
                    if !of_one_connection(&error) {
                        warn!(listener = %self.name, %error, "cannot accept; resting {rest:?}");
                        sleep(rest).await;
                        rest = (rest * 2).min(REST.1);
                    }
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

fn report(name: &str, ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!(listener = %name, %error, "a connection's task broke");
    }
}

/// Whether an address may connect: every one where no network is named.
pub(in crate::transport) fn allowed(peers: &[Cidr], peer: IpAddr) -> bool {
    peers.is_empty() || peers.iter().any(|network| network.contains(peer))
}

/// Finds dead peers and sends at once what is written: without `TCP_NODELAY` a reply may wait 40 ms for the peer's delayed
/// acknowledgement.
pub(in crate::transport) fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    let set = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        debug!(%error, "socket options not set");
    }
}

//! The certificates of all listeners and clients: which are in force, when they end, and how new ones come into force, all
//! together or none. Connections that are open keep what they began with.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::acceptor::{Acceptor, Live};
use super::clients::Clients;
use super::context::{Alpn, Loaded, TlsError};
use super::expiry::Expiry;
use super::options::Options;

/// How often ends that are near are logged.
const DAY: Duration = Duration::from_hours(24);

/// The certificates of a gateway's listeners and clients.
#[derive(Debug, Clone, Default)]
pub struct Certificates(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    listeners: Vec<Arc<Live>>,
    clients: OnceLock<Clients>,
    /// Why the last reload was refused; empty once one is taken.
    refused: Mutex<Vec<TlsError>>,
}

impl Certificates {
    /// Reads the files of these listeners.
    ///
    /// # Errors
    /// A file cannot be read or used: at start nothing can take its place.
    pub fn open<'a>(listeners: impl IntoIterator<Item = (&'a str, &'a Options, Alpn)>) -> Result<Self, TlsError> {
        let live = listeners
            .into_iter()
            .map(|(name, options, alpn)| Live::open(name, options, alpn).map(Arc::new));
        Ok(Self(Arc::new(Inner {
            listeners: live.collect::<Result<_, _>>()?,
            clients: OnceLock::new(),
            refused: Mutex::default(),
        })))
    }

    /// Looks after what these clients show and trust, too; only the first ones count.
    pub fn cover(&self, clients: Clients) {
        drop(self.0.clients.set(clients));
    }

    /// What a listener accepts with: TLS if it is among these, else connections in the clear.
    pub fn acceptor(&self, listener: &str) -> Acceptor {
        let live = self.0.listeners.iter().find(|live| &*live.listener == listener);
        live.map_or_else(Acceptor::default, |live| Acceptor::of(Arc::clone(live)))
    }

    /// Reads all files again and puts them in force together; how many listeners and clients they are for. Blocks.
    ///
    /// # Errors
    /// What is wrong, file by file; what was in force stays.
    pub fn reload(&self) -> Result<usize, Vec<TlsError>> {
        let read = self.read_all();
        match &read {
            Ok(count) if *count > 0 => tracing::info!(owners = count, "certificates reloaded"),
            Ok(_) => {}
            Err(wrong) => wrong
                .iter()
                .for_each(|error| tracing::error!(%error, "certificates not reloaded; those in force stay")),
        }
        *self.0.refused.lock().unwrap_or_else(PoisonError::into_inner) = read.clone().err().unwrap_or_default();
        self.log_ends();
        read
    }

    fn read_all(&self) -> Result<usize, Vec<TlsError>> {
        let mut wrong = Vec::new();
        let mut next: Vec<(&Live, Loaded)> = Vec::new();
        for live in &self.0.listeners {
            match live.read() {
                Ok(loaded) => next.push((live.as_ref(), loaded)),
                Err(error) => wrong.push(error),
            }
        }
        let clients = self.0.clients.get().map(Clients::read).transpose();
        let clients = clients.unwrap_or_else(|more| {
            wrong.extend(more);
            None
        });
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let count = next.len() + clients.map_or(0, super::clients::Read::put);
        for (live, loaded) in next {
            live.put(loaded);
        }
        Ok(count)
    }

    /// When the certificates in force end.
    pub fn expiries(&self) -> Vec<Expiry> {
        let loaded = self.0.listeners.iter().map(|live| live.loaded());
        let mut all: Vec<Expiry> = loaded.flat_map(|loaded| loaded.expiries.clone()).collect();
        all.extend(self.0.clients.get().into_iter().flat_map(Clients::expiries));
        all
    }

    /// What operators should know: ends that are near or past, and a reload that was refused.
    pub fn remarks(&self, now: Timestamp) -> Vec<String> {
        let mut remarks: Vec<String> = self.expiries().iter().filter_map(|expiry| expiry.remark(now)).collect();
        let refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = refused
            .iter()
            .map(|error| format!("the last reload of the certificates was refused and those in force stay: {error}"));
        remarks.extend(refused);
        remarks
    }

    /// Handshakes by listener: done, failed, strangers turned away.
    pub fn handshakes(&self) -> Vec<(Arc<str>, [u64; 3])> {
        let counted = |live: &Arc<Live>| {
            let counts = &live.handshakes;
            let numbers = [&counts.done, &counts.failed, &counts.strangers];
            (
                Arc::clone(&live.listener),
                numbers.map(|count| count.load(Ordering::Relaxed)),
            )
        };
        self.0.listeners.iter().map(counted).collect()
    }

    /// The numbers and ends for `/status`.
    pub fn status(&self) -> Value {
        let counted = self
            .handshakes()
            .into_iter()
            .map(|(listener, [done, failed, strangers])| {
                let numbers = json!({"handshakes": done, "failed": failed, "strangers": strangers});
                (listener.to_string(), numbers)
            });
        let ends = self.expiries().into_iter().map(|expiry| {
            json!({
                "owner": &*expiry.owner, "file": expiry.file.display().to_string(), "subject": &*expiry.subject,
                "not_after": expiry.not_after.to_string(),
            })
        });
        let listeners: serde_json::Map<String, Value> = counted.collect();
        json!({"listeners": listeners, "certificates": ends.collect::<Vec<_>>()})
    }

    fn log_ends(&self) {
        let now = Timestamp::now();
        for remark in self.expiries().iter().filter_map(|expiry| expiry.remark(now)) {
            tracing::warn!("{remark}");
        }
    }

    /// Logs ends that are near, at once and every day.
    pub async fn watch(self, mut stop: watch::Receiver<bool>) {
        loop {
            self.log_ends();
            tokio::select! {
                () = tokio::time::sleep(DAY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }
}

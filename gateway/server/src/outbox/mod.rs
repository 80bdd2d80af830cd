//! The way out: what other systems are to get, in order for each patient, until they have it or a person decides. What is
//! waiting stands in the log and nowhere else; here are its destinations, the queue of each, and the peers that carry it
//! over a wire or into a folder. What a delivery says is an adapter's business.

mod config;
mod live;
mod material;
mod pace;
mod peer;
pub mod peers;
mod post;
mod queue;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;

use causeway_core::Store;
use causeway_core::store::Account;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub use config::{Destination, Form, Retry, Target};
pub use live::{Condition, Last, Live};
pub use material::{Material, Render};
pub use peer::{Class, Delivered, Failure, Outgoing, Peer};
pub use post::Post;
use worker::Worker;

/// Renderings at once; each reads the log.
const RENDERINGS: usize = 2;

/// The destinations of a gateway and how they are. What waits for them is asked of the log (`Store::deliveries`), whose
/// `pause`, `replay` and `discard` the workers hear of by themselves.
pub struct Outbox {
    store: Arc<dyn Store>,
    destinations: BTreeMap<String, (Arc<Destination>, Arc<Live>)>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox")
            .field("destinations", &self.destinations.keys())
            .finish_non_exhaustive()
    }
}

/// One destination, seen from outside.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Its configuration, if it has one.
    pub destination: Option<Arc<Destination>>,
    /// How it is.
    pub condition: Condition,
    /// Its numbers.
    pub account: Account,
    /// How its work goes, if it is configured.
    pub live: Option<Arc<Live>>,
}

impl Outbox {
    /// Destinations before a store.
    pub fn new(store: Arc<dyn Store>, destinations: &[Destination]) -> Self {
        let of = |one: &Destination| (one.name.clone(), (Arc::new(one.clone()), Arc::default()));
        Self {
            store,
            destinations: destinations.iter().map(of).collect(),
        }
    }

    /// What posts deliveries; none without destinations.
    pub fn post(&self) -> Option<Post> {
        let all = self.destinations.values().map(|(one, _)| Arc::clone(one));
        (!self.destinations.is_empty()).then(|| Post::new(all.collect()))
    }

    /// Starts the work of every destination with its peer; it ends when it is told to stop.
    pub fn start(
        &self,
        peers: Vec<(String, Arc<dyn Peer>)>,
        material: &Material,
        tasks: &mut JoinSet<()>,
        stop: &watch::Receiver<bool>,
    ) {
        let rendering = Arc::new(Semaphore::new(RENDERINGS));
        for (name, peer) in peers {
            let Some((destination, live)) = self.destinations.get(&name) else {
                continue;
            };
            let (destination, live) = (Arc::clone(destination), Arc::clone(live));
            let worker = Worker::new(destination, peer, material.clone(), Arc::clone(&rendering), live);
            tasks.spawn(worker.run(stop.clone()));
        }
    }

    /// Every destination that is configured or that the log has deliveries of, by name.
    pub fn standings(&self) -> Vec<Standing> {
        let mut all: BTreeMap<String, Standing> = BTreeMap::new();
        for (name, (destination, live)) in &self.destinations {
            let standing = Standing {
                name: name.clone(),
                destination: Some(Arc::clone(destination)),
                condition: live.condition(),
                account: Account::default(),
                live: Some(Arc::clone(live)),
            };
            all.insert(name.clone(), standing);
        }
        for (name, account) in self.store.deliveries().accounts() {
            let unknown = || Standing {
                name: name.clone(),
                destination: None,
                condition: Condition::Unknown,
                account,
                live: None,
            };
            all.entry(name.clone()).or_insert_with(unknown).account = account;
        }
        all.into_values().collect()
    }
}

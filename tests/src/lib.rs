//! What the scenarios share: a gateway in this process or as a child, on port 0 and in a throw-away folder, and
//! bare MLLP and HTTP peers that do what no proper client would. It holds no scenario itself.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scenario that cannot be set up is over"
)]

mod advisor;
mod authority;
mod claims;
mod collector;
mod dicom;
mod disk;
mod fhir;
mod http;
mod messages;
mod orthanc;
mod outgoing;
mod peer;
mod process;
mod receiver;
mod service;
mod tools;
mod wait;

pub use advisor::{Advice, Advisor};
pub use authority::{Authority, Identity};
pub use claims::{claims, write_claims};
pub use collector::{Collector, Watched, base64};
pub use dicom::write_ct;
pub use disk::Disk;
pub use fhir::{Fhir, JSON, issue, parts, patient, transaction};
pub use http::{Http, Response};
pub use messages::{EXAMPLE, decided, fields, message, oru, segment};
pub use orthanc::{Orthanc, free_port};
pub use outgoing::outgoing;
pub use peer::{Peer, exchange, framed};
pub use process::{Process, binary, json_lines, messages, shown};
pub use receiver::{React, Receiver};
pub use service::{Doing, Service, card_on, get, post};
pub use tools::{dcmtk, package, public, python};
pub use wait::until;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use causeway_core::{Hook, Store};
use causeway_server::chain::{Budget, HookSet};
use causeway_server::config::Config;
use causeway_server::wire;
use causeway_store::{Options, SqliteLog};

/// A gateway in this process.
#[derive(Debug)]
pub struct Gateway {
    /// The running gateway.
    pub gateway: wire::Gateway,
    /// Its log.
    pub log: Arc<SqliteLog>,
    /// Its folder, removed at the end.
    pub folder: tempfile::TempDir,
}

impl Gateway {
    /// Starts one with the default configuration, changed by `change`, and hooks.
    ///
    /// # Panics
    /// When it does not start: the test is over.
    pub async fn start(hooks: Vec<Arc<dyn Hook>>, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        config.listeners.iter_mut().for_each(|listener| listener.address = free);
        change(&mut config);
        let log = SqliteLog::open(&config.data, Options::default()).expect("a log");
        let hooks = HookSet {
            hooks: hooks.into(),
            budget: Budget(Duration::from_millis(config.chain.hook_budget_ms)),
            ..HookSet::default()
        };
        let gateway = wire::start(
            &config,
            Arc::clone(&log) as Arc<dyn Store>,
            hooks,
            &causeway_server::transport::tls::Clients::default(),
        )
        .await
        .expect("a gateway");
        Self { gateway, log, folder }
    }

    /// The address of the first listener.
    ///
    /// # Panics
    /// When there is none.
    pub fn address(&self) -> SocketAddr {
        self.gateway.bound.first().expect("a listener").1
    }
}

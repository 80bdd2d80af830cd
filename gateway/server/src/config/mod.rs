//! The configuration: one TOML file, every key with a default, an unknown key refused with the nearest name, single
//! values overridden by `CAUSEWAY__A__B`. Each part's own keys stand beside its code; this module only puts them
//! together and reads them. It opens the configuration file and nothing else.

mod environment;
#[cfg(test)]
mod example;
mod hl7v2;
mod listener;
mod load;
mod x12;

use std::net::SocketAddr;
use std::path::PathBuf;

use causeway_core::finding::Lang;
use serde::{Deserialize, Serialize};

pub use hl7v2::{Acknowledgement, BundleOption, Hl7v2Options, UnsupportedType};
pub use listener::{DicomOptions, Format, Listener, Route, Transport};
pub use load::{ConfigError, load, parse};
pub use x12::X12Options;

/// Everything that can be configured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// Language of texts in replies, logs and pages.
    pub lang: Lang,
    /// Lets listeners bind to other machines without TLS or a peer rule; readiness says so.
    pub insecure: bool,
    /// How much may be in work at once.
    pub limits: Limits,
    /// The admin port.
    pub admin: Admin,
    /// The log.
    pub store: Store,
    /// The chain.
    pub chain: Chain,
    /// FHIR resources.
    pub fhir: crate::resources::Options,
    /// Traces, metrics and logs for a collector.
    pub telemetry: crate::telemetry::Options,
    /// Listeners; without any, MLLP on 2575 and HTTP on 8080.
    #[serde(rename = "listener")]
    pub listeners: Vec<Listener>,
    /// Decision-support services.
    #[serde(rename = "hook")]
    pub hooks: Vec<crate::hooks::HookConfig>,
    /// Systems that get what was answered.
    #[serde(rename = "destination")]
    pub destinations: Vec<crate::outbox::Destination>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./causeway-data"),
            lang: Lang::En,
            insecure: false,
            limits: Limits::default(),
            admin: Admin::default(),
            store: Store::default(),
            chain: Chain::default(),
            fhir: crate::resources::Options::default(),
            telemetry: crate::telemetry::Options::default(),
            listeners: vec![Listener::default(), Listener::http()],
            hooks: Vec::new(),
            destinations: Vec::new(),
        }
    }
}

/// How much may be in work at once, over all listeners.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Messages.
    pub messages: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
    /// Bytes of messages that are still being read, beyond the first 64 KiB of each; large ones wait for their turn.
    pub read_bytes: usize,
    /// Seconds that a stop waits, in all, for work under way and for replies to go out.
    pub drain_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let budget = causeway_core::inbox::Budget::default();
        Self {
            messages: budget.messages,
            bytes: budget.bytes,
            read_bytes: 256 << 20,
            drain_seconds: 30,
        }
    }
}

/// The admin port.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Admin {
    /// Its address.
    pub address: SocketAddr,
    /// Names it answers to in `Host`, besides its address and localhost.
    pub hosts: Vec<String>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 9090)),
            hosts: Vec::new(),
        }
    }
}

/// The log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Store {
    /// Days within which the same bytes of the same sender are a resend.
    pub resend_days: u32,
    /// Days that answered frames are kept; 0 keeps them for ever.
    pub retention_days: u32,
    /// Percent of the disk that the log may fill before the oldest answered frames go early; 0 for no limit.
    pub disk_percent: u8,
    /// Days that it is kept who looked at resources; 0 keeps it for ever.
    pub audit_days: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            resend_days: 7,
            retention_days: 30,
            disk_percent: 50,
            audit_days: 180,
        }
    }
}

/// The chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chain {
    /// Whether bundles are checked against the R4 element facts.
    pub profile: bool,
    /// Folders of rule packs, laid over the embedded ones in order; a pack of the same name overrides.
    pub pack_folders: Vec<PathBuf>,
    /// ISO 3166 code of the country or part whose rules apply, `CN` or `CN-SH`.
    pub jurisdiction: String,
    /// Milliseconds that the services of one frame may take together.
    pub hook_budget_ms: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            profile: true,
            pack_folders: Vec::new(),
            jurisdiction: "CN".to_owned(),
            hook_budget_ms: 300,
        }
    }
}

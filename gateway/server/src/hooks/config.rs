//! One service's keys.

use serde::{Deserialize, Serialize};

use crate::transport::tls::ClientOptions;

/// A configured service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HookConfig {
    /// Its name in findings, logs and metrics.
    pub name: String,
    /// Where it is: the whole URL of the service, `http://127.0.0.1:8090/cds-services/potassium`.
    pub url: String,
    /// Its version, as recorded with every finding.
    #[serde(default)]
    pub version: String,
    /// The hook it is called for; private hooks are named in reverse-domain form (CDS Hooks 2.0, "Hooks").
    #[serde(default = "result_available")]
    pub hook: String,
    /// Message types it is asked about, such as `ORU^R01`; empty: all.
    #[serde(default)]
    pub on: Vec<String>,
    /// Milliseconds after which a call is given up, late or not.
    #[serde(default = "timeout")]
    pub timeout_ms: u64,
    /// Calls at once; more are "not evaluated".
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    /// Largest answer in bytes.
    #[serde(default = "answer_bytes")]
    pub answer_bytes: usize,
    /// A call slower than this many milliseconds counts as slow for the breaker.
    #[serde(default = "slow")]
    pub slow_ms: u64,
    /// Whom to trust, and what to show, where the URL is `https:`.
    #[serde(default)]
    pub tls: ClientOptions,
}

fn result_available() -> String {
    "health.causeway.result-available".to_owned()
}

fn timeout() -> u64 {
    10_000
}

fn concurrency() -> usize {
    64
}

fn answer_bytes() -> usize {
    256 << 10
}

fn slow() -> u64 {
    300
}

impl HookConfig {
    /// A service with every default.
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            version: String::new(),
            hook: result_available(),
            on: Vec::new(),
            timeout_ms: timeout(),
            concurrency: concurrency(),
            answer_bytes: answer_bytes(),
            slow_ms: slow(),
            tls: ClientOptions::default(),
        }
    }
}

//! The keys of `[telemetry]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::transport::tls::ClientOptions;
use crate::transport::units;

/// Where traces, metrics and logs go besides the admin port and stderr.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Telemetry {
    /// The base URL of an OpenTelemetry collector that takes OTLP over HTTP, `http://127.0.0.1:4318`; without it nothing
    /// is exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp: Option<String>,
    /// One message in so many is traced at the collector, 1 to trace each. Default 1. Which ones follows from the trace id, so
    /// gateways that are set alike trace the same; a request with a `traceparent` is traced where its caller is.
    pub trace_one_in: u32,
    /// How often metrics are exported. Default 15 seconds.
    #[serde(with = "units::duration")]
    pub every: Duration,
    /// Whom to trust, and what to show, where the URL is `https:`.
    pub tls: ClientOptions,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            otlp: None,
            trace_one_in: 1,
            every: Duration::from_secs(15),
            tls: ClientOptions::default(),
        }
    }
}

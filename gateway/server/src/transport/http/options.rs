//! What the owner of an HTTP listener may set, with defaults that suit a hospital's systems. No reading of files here.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::transport::units;

/// The settings of an HTTP listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The largest body that is taken, in bytes. Default 64 MiB, as over MLLP.
    #[serde(with = "units::size")]
    pub max_body: usize,
    /// Connections at once. Default 4,096; one more hears 503.
    pub connections: u32,
    /// Connections at once from one address. Default 1,024; one more hears 429.
    pub connections_per_peer: u32,
    /// From the first byte of a request to the end of its header. Default 10 seconds.
    #[serde(with = "units::duration")]
    pub header: Duration,
    /// How long a connection may be open between requests. Default 2 minutes.
    #[serde(with = "units::duration")]
    pub idle: Duration,
    /// From the end of the header to the end of the body. Default 2 minutes: 64 MiB at 4.5 Mbit/s.
    #[serde(with = "units::duration")]
    pub body: Duration,
    /// How long a peer may leave a response unread. Default 30 seconds.
    #[serde(with = "units::duration")]
    pub write: Duration,
    /// How long a request waits for room in a gateway that is full before it hears 503. Default 10 seconds.
    #[serde(with = "units::duration")]
    pub room: Duration,
    /// How long a request that is kept waits for its answer before it hears 503; sent again it gets the kept answer.
    /// Default 1 minute.
    #[serde(with = "units::duration")]
    pub answer: Duration,
    /// Names that it answers to in `Host`. A listener on a loopback address answers to its address and localhost besides,
    /// and to nothing else, so that no page in a browser can make itself a name for it; others answer to every name
    /// unless some are given.
    pub hosts: Vec<String>,
    /// A file with the token that requests must carry as `Authorization: Bearer TOKEN`; without it none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 64 << 20,
            connections: 4_096,
            connections_per_peer: 1_024,
            header: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            body: Duration::from_mins(2),
            write: Duration::from_secs(30),
            room: Duration::from_secs(10),
            answer: Duration::from_mins(1),
            hosts: Vec::new(),
            token_file: None,
        }
    }
}

//! One listener's keys: where it listens, what it speaks, and what is peculiar to the systems that send there.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listener {
    /// Its name in logs, listings and metrics; also what tells senders apart for resends.
    pub name: String,
    /// Where it listens; a folder has no address.
    pub address: SocketAddr,
    /// How frames come.
    pub transport: Transport,
    /// What the frames are.
    pub format: Format,
    /// Networks (CIDR) that may connect; empty: loopback only needs none, others must say.
    pub peers: Vec<crate::transport::mllp::Cidr>,
    /// TLS; without it connections are in the clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<crate::transport::tls::Options>,
    /// MLLP limits and deadlines.
    pub mllp: crate::transport::mllp::Options,
    /// The folder of files and how it is looked at.
    pub files: crate::transport::files::Options,
    /// What is peculiar to HL7v2.
    pub hl7v2: super::Hl7v2Options,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            name: "mllp".to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 2575)),
            transport: Transport::Mllp,
            format: Format::Hl7v2,
            peers: Vec::new(),
            tls: None,
            mllp: crate::transport::mllp::Options::default(),
            files: crate::transport::files::Options::default(),
            hl7v2: super::Hl7v2Options::default(),
        }
    }
}

impl Listener {
    /// Whether it is told who may connect: by networks, or by certificates that an authority vouches for.
    pub fn knows_peers(&self) -> bool {
        let proves = self
            .tls
            .as_ref()
            .is_some_and(crate::transport::tls::Options::proves_peers);
        !self.peers.is_empty() || proves
    }
}

/// How frames come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// The Minimal Lower Layer Protocol.
    Mllp,
    /// Files in a folder.
    Files,
}

/// What frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// HL7 version 2.
    Hl7v2,
}

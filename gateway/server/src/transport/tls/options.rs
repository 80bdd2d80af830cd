//! What a listener's or a client's owner may set about TLS. Files are named here and read elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use openssl::ssl::SslVersion;
use serde::{Deserialize, Serialize};

use crate::transport::units;

/// The oldest version of the protocol that is spoken. RFC 8996 retires 1.0 and 1.1, so they cannot be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Minimum {
    /// TLS 1.2 (RFC 5246).
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "1.3")]
    V1_3,
}

impl Minimum {
    /// As OpenSSL names it.
    pub(super) fn version(self) -> SslVersion {
        match self {
            Self::V1_2 => SslVersion::TLS1_2,
            Self::V1_3 => SslVersion::TLS1_3,
        }
    }
}

/// `[listener.tls]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// PEM file: the listener's certificate first, then the intermediate ones.
    pub certificate: PathBuf,
    /// PEM file: the certificate's private key, without a pass phrase.
    pub key: PathBuf,
    /// PEM file: the authorities whose client certificates are trusted; without it none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Whether a client must show a certificate where `client-ca` is set. Default true.
    #[serde(default = "yes")]
    pub require_client_certificate: bool,
    /// Whom the certificates may name: `CN=lis`, a whole subject as RFC 4514 writes it (`CN=lis,O=Hospital`), `DNS:`,
    /// `URI:`, `IP:` or `email:` with the alternative name. Empty: whomever the authorities vouch for.
    #[serde(default)]
    pub senders: Vec<String>,
    /// The oldest version that is spoken. Default 1.2.
    #[serde(default)]
    pub minimum: Minimum,
    /// From the connection to the end of the handshake. Default 10 seconds.
    #[serde(default = "handshake", with = "units::duration")]
    pub handshake: Duration,
}

fn yes() -> bool {
    true
}

fn handshake() -> Duration {
    Duration::from_secs(10)
}

impl Options {
    /// The defaults around a certificate and its key.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: None,
            require_client_certificate: true,
            senders: Vec::new(),
            minimum: Minimum::default(),
            handshake: handshake(),
        }
    }

    /// Whether nobody gets in without a certificate that an authority vouches for.
    pub fn proves_peers(&self) -> bool {
        self.client_ca.is_some() && self.require_client_certificate
    }
}

/// `[hook.tls]` and what else connects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientOptions {
    /// PEM file: the authorities that are trusted, instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// PEM file: the certificate that is shown to servers which ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file: its private key, without a pass phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// The oldest version that is spoken. Default 1.2.
    pub minimum: Minimum,
}

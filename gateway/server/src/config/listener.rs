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
    /// What the frames are; over HTTP the routes say it.
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
    /// HTTP limits and deadlines.
    pub http: crate::transport::http::Options,
    /// What stands at the paths of an HTTP listener.
    #[serde(rename = "route", skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// What is peculiar to HL7v2.
    pub hl7v2: super::Hl7v2Options,
    /// What is peculiar to X12.
    pub x12: super::X12Options,
    /// DICOM associations: titles, limits and deadlines.
    pub dimse: crate::transport::dimse::Options,
    /// What is peculiar to DICOM objects.
    pub dicom: DicomOptions,
}

/// What is peculiar to the DICOM systems behind a listener.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DicomOptions {
    /// The character set of objects that declare none in (0008,0005): `GB18030`, `ISO_IR 192`.
    pub charset: Option<String>,
    /// The zone of times whose object has no offset in (0008,0201): `Asia/Shanghai`; without it such times stay dates.
    pub zone: Option<String>,
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
            http: crate::transport::http::Options::default(),
            routes: Vec::new(),
            hl7v2: super::Hl7v2Options::default(),
            dimse: crate::transport::dimse::Options::default(),
            dicom: DicomOptions::default(),
            x12: super::X12Options::default(),
        }
    }
}

impl Listener {
    /// Whether it is told who may connect: by networks, or by certificates that an authority vouches for.
    fn knows_peers(&self) -> bool {
        let proves = self
            .tls
            .as_ref()
            .is_some_and(crate::transport::tls::Options::proves_peers);
        !self.peers.is_empty() || proves
    }

    /// The HTTP listener of a gateway without a configuration.
    pub fn http() -> Self {
        Self {
            name: "http".to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            transport: Transport::Http,
            routes: vec![
                Route::new("/hl7v2", Format::Hl7v2),
                Route::new("/x12", Format::X12),
                Route::new("/fhir", Format::Fhir),
            ],
            ..Self::default()
        }
    }

    /// Each way in with the name that its frames carry and what they are: a listener itself, or each route of an HTTP
    /// listener, named `http/hl7v2`.
    pub fn ways(&self) -> Vec<(String, Format)> {
        match self.transport {
            Transport::Mllp | Transport::Files | Transport::Dimse => vec![(self.name.clone(), self.format)],
            Transport::Http => {
                let named = |route: &Route| (format!("{}{}", self.name, route.path), route.format);
                self.routes.iter().map(named).collect()
            }
        }
    }

    /// Whether frames with this listener's name came in here.
    pub fn took(&self, name: &str) -> bool {
        self.ways().iter().any(|(way, _)| way == name)
    }

    /// What of its keys cannot be used together.
    pub(super) fn problem(&self) -> Option<String> {
        if let Some(tls) = &self.tls {
            if self.transport == Transport::Files {
                return Some(format!("listener {:?} takes files and has no use for `tls`", self.name));
            }
            if !tls.senders.is_empty() && !tls.proves_peers() {
                return Some(format!(
                    "listener {:?}: tls.senders needs tls.client-ca and require-client-certificate = true",
                    self.name
                ));
            }
        }
        let http = self.transport == Transport::Http;
        if http == self.routes.is_empty() {
            let text = if http {
                "needs a `route`"
            } else {
                "is not HTTP and has no use for a `route`"
            };
            return Some(format!("listener {:?} {text}", self.name));
        }
        let wrong = |path: &str| !path.starts_with('/') || path.ends_with('/') || path.contains(['?', '#', ' ']);
        for (number, Route { path, .. }) in self.routes.iter().enumerate() {
            let twice = self.routes.iter().take(number).any(|other| other.path == *path);
            if wrong(path) || twice {
                let text = if twice {
                    "stands twice"
                } else {
                    "is no path such as \"/hl7v2\""
                };
                return Some(format!("route {path:?} of listener {:?} {text}", self.name));
            }
        }
        None
    }

    /// Whether it asks senders who they are.
    pub(super) fn is_guarded(&self) -> bool {
        let token = self.transport == Transport::Http && self.http.token_file.is_some();
        token || self.knows_peers()
    }
}

/// What stands at a path of an HTTP listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// The path, `/hl7v2`.
    pub path: String,
    /// What is sent there.
    pub format: Format,
}

impl Route {
    /// A route.
    pub fn new(path: &str, format: Format) -> Self {
        Self {
            path: path.to_owned(),
            format,
        }
    }
}

/// How frames come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// The Minimal Lower Layer Protocol.
    Mllp,
    /// DICOM associations.
    Dimse,
    /// Files in a folder.
    Files,
    /// HTTP/1.1.
    Http,
}

/// What frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// HL7 version 2.
    Hl7v2,
    /// DICOM objects.
    Dicom,
    /// X12, claims among it.
    X12,
    /// FHIR R4, as JSON.
    Fhir,
}

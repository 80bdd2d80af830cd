//! One listener's keys: where it listens, what it speaks, and what is peculiar to the systems that send there.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listener {
    /// Its name in logs, listings and metrics; also what tells senders apart for resends.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// How frames come.
    pub transport: Transport,
    /// What the frames are.
    pub format: Format,
    /// Networks (CIDR) that may connect; empty: loopback only needs none, others must say.
    pub peers: Vec<crate::transport::mllp::Cidr>,
    /// MLLP limits and deadlines.
    pub mllp: crate::transport::mllp::Options,
    /// What is peculiar to HL7v2.
    pub hl7v2: super::Hl7v2Options,
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
            mllp: crate::transport::mllp::Options::default(),
            hl7v2: super::Hl7v2Options::default(),
            dimse: crate::transport::dimse::Options::default(),
            dicom: DicomOptions::default(),
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
}

/// What frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// HL7 version 2.
    Hl7v2,
    /// DICOM objects.
    Dicom,
}

//! What the owner of a DICOM listener may set, with defaults that suit a department's modalities. No reading of files
//! here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::transport::units;

/// The settings of a DICOM listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Application entity titles that it answers to; empty: any. Default `CAUSEWAY`.
    pub called_ae: Vec<String>,
    /// Titles that may call; empty: any.
    pub calling_ae: Vec<String>,
    /// SOP classes that are stored besides those of the standard; a last `*` stands for the rest. Default: the private
    /// classes of the large makers.
    pub sop_classes: Vec<String>,
    /// Associations at once. Default 128; more are rejected as transient, so that they come again.
    pub associations: u32,
    /// The largest PDU that is taken, in bytes (PS3.8 D.1). Default 128 KiB, the most that dcmtk sends.
    #[serde(with = "units::size")]
    pub max_pdu: usize,
    /// The largest object, in bytes. Default 16 GiB.
    #[serde(with = "units::size")]
    pub max_object: usize,
    /// The most of an object that goes into the log: all before its pixels. Default 1 MiB.
    #[serde(with = "units::size")]
    pub max_metadata: usize,
    /// The ARTIM timer (PS3.8 9.1.4): how long a connection may be without an association, before and after it. Default 30
    /// seconds.
    #[serde(with = "units::duration")]
    pub artim: Duration,
    /// How long an association may say nothing between messages. Default 10 minutes.
    #[serde(with = "units::duration")]
    pub idle: Duration,
    /// How long a peer may say nothing in the middle of a message, or leave a response unread. Default 60 seconds.
    #[serde(with = "units::duration")]
    pub stalled: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let makers = [
            "1.3.12.2.1107.5.9.1",
            "1.3.46.670589.*",
            "1.2.840.113619.4.*",
            "1.2.392.200036.9116.7.8.*",
        ];
        Self {
            called_ae: vec!["CAUSEWAY".to_owned()],
            calling_ae: Vec::new(),
            sop_classes: makers.map(str::to_owned).to_vec(),
            associations: 128,
            max_pdu: 128 << 10,
            max_object: 16 << 30,
            max_metadata: 1 << 20,
            artim: Duration::from_secs(30),
            idle: Duration::from_mins(10),
            stalled: Duration::from_mins(1),
        }
    }
}

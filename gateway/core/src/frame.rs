//! What arrives: bytes, when, where and from whom. A frame is never changed after it was made.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a transport knows of a frame besides its bytes. Closed: a new transport adds a variant here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "transport", rename_all = "kebab-case")]
pub enum Head {
    /// A block of the Minimal Lower Layer Protocol (HL7 v2 Transport, MLLP release 1).
    Mllp,
    /// A whole file; its name without the folder.
    File {
        /// The file's name.
        name: String,
    },
    /// The metadata of an object that came by C-STORE (DICOM PS3.7 9.1.1); the whole object is in a file.
    Dimse {
        /// The application entity that sent it.
        calling_ae: String,
        /// The one that it called.
        called_ae: String,
        /// Affected SOP Class UID of the request.
        sop_class: String,
        /// Affected SOP Instance UID of the request.
        sop_instance: String,
        /// Transfer syntax of the presentation context.
        transfer_syntax: String,
        /// The object's file, below `objects/` in the data folder.
        object: String,
        /// Bytes of that file.
        size: u64,
    },
}

/// Bytes as they came, with listener, peer and time.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The configured name of the listener.
    pub listener: Arc<str>,
    /// The peer's address, as text.
    pub peer: Arc<str>,
    /// When the last byte was read.
    pub received: Timestamp,
    /// What the transport knows besides.
    pub head: Head,
    /// The bytes without the transport's framing.
    pub body: Bytes,
}

impl Frame {
    /// Who sends, for telling a resend: the listener, which a site gives to one sending system or group of systems.
    /// Inside an HL7v2 frame the sending application is part of the bytes that are compared anyway.
    pub fn sender(&self) -> &str {
        &self.listener
    }
}

//! What goes back to the sender: bytes and the little that a transport needs besides. Whether it may leave is a type:
//! see [`Leave`].

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Fault, Kept};

/// What a transport needs besides the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "head", rename_all = "kebab-case")]
pub enum ReplyHead {
    /// Nothing: the transport frames the bytes.
    #[default]
    None,
    /// The status of a DIMSE response (DICOM PS3.7 annex C).
    Dimse {
        /// (0000,0900) Status.
        status: u16,
        /// (0000,0902) Error Comment, at most 64 characters; may be empty.
        comment: String,
    },
    /// A response of HTTP.
    Http {
        /// The status (RFC 9110 15).
        status: u16,
        /// Header fields by name in lower case, `content-type` among them where there are bytes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
    },
}

/// Which of a frame's replies it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyKind {
    /// Said once the frame is kept, before anything is decided: CA, TA1.
    Commit,
    /// Says what was decided: AA, 999.
    Application,
    /// Says that it could not be taken at all.
    Refusal,
}

/// What goes back to the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What the transport needs.
    pub head: ReplyHead,
    /// Which reply it is.
    pub kind: ReplyKind,
    /// The bytes.
    pub bytes: Bytes,
    /// Whether it tells the sender that all is well.
    pub positive: bool,
}

/// Why a reply may leave the house.
#[derive(Debug, Clone)]
pub enum Leave {
    /// The frame is on disk.
    Kept(Kept),
    /// The request changes nothing: reads and echoes.
    Passing,
    /// The frame is not on disk; only a fault gets here and it renders negative.
    NotKept(Fault),
}

/// What a reply needs of the world: the time and our own control id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The time of the reply.
    pub time: Timestamp,
    /// Our own id of the reply, unique over restarts: MSH-10 of the ACK.
    pub control_id: String,
}

//! What arrives: bytes, when, where and from whom. A frame is never changed after it was made.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
        /// Where the bytes are when they are too many for the log; the body is only their beginning then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spooled: Option<Spooled>,
    },
}

/// A body that lies in a file of its own in the data folder, under the name of its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spooled {
    /// SHA-256 of all its bytes, in hexadecimal.
    pub sha256: String,
    /// How many bytes it has.
    pub length: u64,
}

impl Spooled {
    /// A body's length and hash.
    pub fn new(hash: &[u8; 32], length: u64) -> Self {
        use std::fmt::Write;
        let mut sha256 = String::with_capacity(64);
        for byte in hash {
            // Writing to a string cannot fail.
            let _written = write!(sha256, "{byte:02x}");
        }
        Self { sha256, length }
    }

    /// The hash; none when the text is no hash.
    pub fn hash(&self) -> Option<[u8; 32]> {
        let mut hash = [0; 32];
        let digits = self.sha256.as_bytes().chunks_exact(2);
        (self.sha256.len() == 64).then_some(())?;
        for (byte, pair) in hash.iter_mut().zip(digits) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(hash)
    }
}

impl Head {
    /// Where the bytes are when they are not in the frame.
    pub fn spooled(&self) -> Option<&Spooled> {
        match self {
            Self::File { spooled, .. } => spooled.as_ref(),
            Self::Mllp => None,
        }
    }
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
    /// The bytes without the transport's framing; their beginning, where the head says that they are spooled.
    pub body: Bytes,
}

impl Frame {
    /// SHA-256 of all its bytes.
    pub fn hash(&self) -> [u8; 32] {
        let spooled = self.head.spooled().and_then(Spooled::hash);
        spooled.unwrap_or_else(|| Sha256::digest(&self.body).into())
    }

    /// Who sends, for telling a resend: the listener, which a site gives to one sending system or group of systems.
    /// Inside an HL7v2 frame the sending application is part of the bytes that are compared anyway.
    pub fn sender(&self) -> &str {
        &self.listener
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spooled_frame_has_the_hash_of_the_whole() {
        let whole: [u8; 32] = Sha256::digest(b"ISA and much more").into();
        let frame = Frame {
            listener: "claims".into(),
            peer: "folder".into(),
            received: Timestamp::UNIX_EPOCH,
            head: Head::File {
                name: "a.edi".into(),
                spooled: Some(Spooled::new(&whole, 17)),
            },
            body: Bytes::from_static(b"ISA"),
        };
        assert_eq!(frame.hash(), whole);
        let kept = serde_json::to_string(&frame.head).unwrap();
        assert_eq!(serde_json::from_str::<Head>(&kept).unwrap(), frame.head);
        let old: Head = serde_json::from_str(r#"{"transport":"file","name":"a"}"#).unwrap();
        assert_eq!(old.spooled(), None);
    }
}

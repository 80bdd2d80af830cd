//! What arrives: bytes, when, where and from whom. A frame is never changed after it was made.

use std::borrow::Cow;
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
    /// A request of HTTP (RFC 9110).
    Http(Box<HttpHead>),
}

/// What an adapter may need of an HTTP request besides its body. Fields are empty where the request says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpHead {
    /// The method, in upper case (RFC 9110 9).
    pub method: String,
    /// The path below the route that took it, with its leading slash: `/Patient/1`; empty for the route itself.
    pub path: String,
    /// The query without its question mark, as it came (RFC 3986 3.4).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// What the body is (RFC 9110 8.3).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// What the sender can read (RFC 9110 12.5.1).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub accept: String,
    /// The languages that the sender reads (RFC 9110 12.5.4).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub accept_language: String,
    /// The version that a write is meant for (RFC 9110 13.1.1).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub if_match: String,
    /// The versions that the sender has (RFC 9110 13.1.2).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub if_none_match: String,
    /// The search that must find nothing for a create to happen (FHIR R4 HTTP 3.1.0.8.1).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub if_none_exist: String,
    /// How the reply should look (RFC 7240).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefer: String,
    /// The scheme and authority that the sender knows us by, for absolute URLs: `http://gateway:8080/fhir`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub base: String,
    /// Whose trace the request is part of (W3C Trace Context, 3.2), where that is well-formed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub traceparent: String,
    /// What makes the request one of its own where the same bytes twice are two requests, as in a REST API; empty where
    /// they are a resend.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request: String,
}

impl HttpHead {
    /// The media type of the body without its parameters, in lower case.
    pub fn media_type(&self) -> String {
        media_type(&self.content_type)
    }

    /// The `charset` parameter of the body's media type (RFC 9110 8.3.2).
    pub fn charset(&self) -> Option<&str> {
        self.content_type.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let charset = name.trim().eq_ignore_ascii_case("charset");
            charset.then(|| value.trim().trim_matches('"'))
        })
    }
}

/// A media type without its parameters, in lower case (RFC 9110 8.3.1).
pub fn media_type(field: &str) -> String {
    let (name, _) = field.split_once(';').unwrap_or((field, ""));
    name.trim().to_ascii_lowercase()
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
    /// A file that is in memory.
    pub fn file(name: impl Into<String>) -> Self {
        let name = name.into();
        Self::File { name, spooled: None }
    }

    /// Where the bytes are when they are not in the frame.
    pub fn spooled(&self) -> Option<&Spooled> {
        match self {
            Self::File { spooled, .. } => spooled.as_ref(),
            Self::Mllp | Self::Http(_) | Self::Dimse { .. } => None,
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
    /// Inside an HL7v2 frame the sending application is part of the bytes that are compared anyway. A request of its own
    /// is no resend of another.
    pub fn sender(&self) -> Cow<'_, str> {
        match &self.head {
            Head::Http(head) if !head.request.is_empty() => format!("{}#{}", self.listener, head.request).into(),
            _ => Cow::Borrowed(&self.listener),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(head: Head) -> Frame {
        Frame {
            listener: "lab".into(),
            peer: "p".into(),
            received: Timestamp::UNIX_EPOCH,
            head,
            body: Bytes::new(),
        }
    }

    #[test]
    fn a_request_of_its_own_is_no_resend_and_another_is() {
        let head = |request: &str| {
            Head::Http(Box::new(HttpHead {
                request: request.into(),
                ..HttpHead::default()
            }))
        };
        assert_eq!(frame(head("")).sender(), "lab");
        assert_eq!(frame(Head::Mllp).sender(), "lab");
        assert_ne!(frame(head("1")).sender(), frame(head("2")).sender());
    }

    #[test]
    fn a_media_type_and_its_character_set_are_told_apart() {
        let head = |content_type: &str| HttpHead {
            content_type: content_type.into(),
            ..HttpHead::default()
        };
        let typed = head("Application/HL7-v2; x=1; Charset=\"GB18030\"");
        assert_eq!(
            (typed.media_type().as_str(), typed.charset()),
            ("application/hl7-v2", Some("GB18030"))
        );
        assert_eq!(head("text/plain").charset(), None);
    }

    #[test]
    fn heads_come_back_from_the_log_as_they_went() {
        let http = Head::Http(Box::new(HttpHead {
            method: "PUT".into(),
            path: "/Patient/1".into(),
            if_match: "W/\"1\"".into(),
            ..HttpHead::default()
        }));
        for head in [Head::Mllp, Head::file("a"), http] {
            let text = serde_json::to_string(&head).unwrap();
            assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), head, "{text}");
        }
        let old = r#"{"transport":"http","method":"POST","path":""}"#;
        assert!(matches!(serde_json::from_str(old).unwrap(), Head::Http(_)));
    }

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

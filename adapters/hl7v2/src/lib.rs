//! HL7 version 2: from bytes to FHIR and back to an acknowledgement. This crate reads no file but its own embedded maps,
//! opens no socket and knows no clock; what arrives and what leaves is the server's, what a map row means is
//! `causeway-mapping`'s.

pub mod adapter;
mod annotate;
pub mod batch;
pub mod charset;
pub mod config;
pub mod delims;
pub mod escape;
pub mod header;
pub mod intake;
mod lift;
pub mod maps;
pub mod message;
mod ops;
pub mod place;
pub mod place_text;
pub mod problem;
pub mod reply;
pub mod tokenise;
pub mod value;

pub use adapter::{Hl7v2, Reading};
pub use charset::Charset;
pub use config::{Config, Site, Unsupported, Unusable};
pub use delims::Delims;
pub use intake::Intake;
pub use maps::maps;
pub use message::{Body, Message, Name, Segment};
pub use problem::{Problem, ProblemKind};
pub use tokenise::tokenise;
pub use value::{Presence, Value};

//! X12: interchanges of any transaction set, guides, acknowledgements, and claims one by one. This crate reads no file but
//! its own embedded guides, opens no socket and knows no clock; what arrives and what leaves is the server's.

pub mod delimiters;
pub mod envelope;
pub mod name;
pub mod part;

pub use delimiters::Delimiters;
pub use envelope::Envelope;
pub use name::{LoopId, SegmentId};
pub use part::{LoopInstance, Part, PartSegment};

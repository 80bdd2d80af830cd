//! X12: interchanges of any transaction set, guides, acknowledgements, and claims one by one. This crate reads no file but
//! its own embedded guides, opens no socket and knows no clock; what arrives and what leaves is the server's.

pub mod adapter;
pub mod check;
pub mod cut;
pub mod delimiters;
pub mod envelope;
pub mod guide;
pub mod lift;
pub mod locate;
pub mod name;
pub mod part;
pub mod problem;
pub mod reading;
pub mod record;
mod remark;
pub mod reply;
pub mod segment;
pub mod tokenise;
pub mod validate;
pub mod walk;

pub use adapter::X12;
pub use delimiters::Delimiters;
pub use envelope::Envelope;
pub use guide::Guide;
pub use name::{LoopId, SegmentId};
pub use part::{LoopInstance, Part, PartSegment};
pub use reading::Reading;

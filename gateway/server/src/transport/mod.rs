//! Transports carry frames and replies and know no format: MLLP here, others when their issue comes.

pub mod mllp;
pub mod units;

//! Transports carry frames and replies and know no format: MLLP and files here, others when their issue comes.

pub mod files;
pub mod mllp;
pub mod units;

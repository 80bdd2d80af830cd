//! Transports carry frames and replies and know no format.

pub mod http;
pub mod mllp;
pub mod units;

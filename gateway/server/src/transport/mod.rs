//! Transports carry frames and replies and know no format: MLLP here, others when their issue comes; TLS below them all.

pub mod mllp;
pub mod tls;
pub mod units;

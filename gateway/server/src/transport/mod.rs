//! Transports carry frames and replies and know no format; TLS stands below those that have connections.

mod accept;
mod counters;
pub mod dimse;
pub mod files;
pub mod http;
pub mod mllp;
pub mod tls;
pub mod units;

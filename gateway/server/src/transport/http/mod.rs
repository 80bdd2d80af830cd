//! HTTP/1.1 (RFC 9110, RFC 9112): a listener whose routes each lead to a joint. Requests become frames and replies become
//! responses; what a body says is the adapter's business. Bodies are read as they come and never by the length that a peer
//! declares; HTTP's own grammar is hyper's.

mod body;
mod connection;
mod door;
mod guarded;
mod options;
mod request;
mod response;
mod route;
mod said;
mod server;

pub use options::Options;
pub use route::{Asking, Kind, Passing, ReadFn, Route};
pub use server::Listener;

//! The way out: what other systems are to get, in order for each patient, until they have it or a person decides. What is
//! waiting stands in the log and nowhere else; here are its destinations, the queue of each, and the peers that carry it
//! over a wire or into a folder. What a delivery says is an adapter's business.

mod config;
mod peer;
pub mod peers;

pub use config::{Destination, Form, Retry, Target};
pub use peer::{Class, Delivered, Failure, Outgoing, Peer};

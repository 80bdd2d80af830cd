//! MLLP (HL7 v2 Transport Specification, MLLP release 1): listener and client. Frames and replies pass through here as
//! bytes; what a payload says is the adapter's business. The client alone looks at MSH-10 and MSA-2, to tell whose reply
//! it holds.

mod budget;
mod client;
pub mod codec;
mod connection;
mod correlate;
mod counters;
mod lanes;
mod load;
mod options;
mod peers;
mod server;

pub(in crate::transport) use budget::Charge;
pub use budget::ReadBudget;
pub use client::{Client, ClientError, Timeouts, Want};
pub use correlate::{Word, asking, word};
pub use counters::{Counter, Counters, Counts};
pub use load::{Fresh, Latency, Load, LoadReport, load};
pub use options::Options;
pub use peers::Cidr;
pub(in crate::transport) use peers::{Place, Places};
pub use server::{Listener, RefuseFn};

#[cfg(test)]
mod tests;

//! The words of the house: the eight nouns (frame, receipt, message, exchange, finding, answer, reply, delivery), the
//! traits that adapters, rules, hooks and stores implement, and lossless FHIR JSON. Nothing here does I/O, reads a
//! clock or knows a wire format; `Inbox` waits, but only on the store that it was given.
#![deny(missing_docs)]

pub mod adapter;
pub mod answer;
pub mod exchange;
pub mod fault;
pub mod fhir;
pub mod finding;
pub mod frame;
pub mod hook;
pub mod id;
pub mod inbox;
pub mod ledger;
pub mod origin;
pub mod reply;
pub mod rule;
pub mod source;
pub mod store;

pub use adapter::{Adapter, Key, Parsed};
pub use answer::{Answer, Delivery, Parcel, Verdict};
pub use exchange::{Context, Draft, Exchange, Intent};
pub use fault::{Blame, Fault, FaultKind};
pub use fhir::{Bundle, NodeId, Tree};
pub use finding::{Actor, ActorKind, Class, Finding, Severity, Text};
pub use frame::{Frame, Head, HttpHead, Spooled};
pub use hook::Hook;
pub use inbox::{Arrival, Inbox, Kept, Receipt};
pub use origin::{Origin, OriginId, OriginKind, Origins, Place, Places};
pub use reply::{Leave, Reply, ReplyHead, ReplyKind, Stamp};
pub use rule::{Meta, Rule};
pub use source::{MemorySource, Source};
pub use store::Store;

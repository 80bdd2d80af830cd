//! DICOM upper layer and message exchange (PS3.7, PS3.8): associations, C-ECHO and C-STORE, as a provider and, in `client`,
//! as a user. Objects go to a file as they come and never into memory; what is handed on as a frame is their metadata. What
//! a data set says is the adapter's business; this module knows commands, presentation contexts and the file around a data
//! set (PS3.10).

mod association;
mod client;
mod command;
mod counters;
mod messages;
mod negotiate;
mod objects;
mod options;
mod part10;
mod pdu;
mod server;
mod store;
mod uids;

pub use association::End;
pub use client::{Association, CallError, Caller, FileError, Kind, ObjectFile, Ready, Said, Verdict};
pub use counters::{Counters, Counts};
pub use objects::Objects;
pub use options::Options;
pub use server::{Listener, MetadataFn};

#[cfg(test)]
mod tests;

//! The log in its engines: `SqliteLog` on disk and `MemoryLog` for `causeway answer` and tests. Both keep the same
//! promises (`causeway_core::store::Store`); what is a resend is judged in one place for both. How messages are searched
//! is not known here: that is the projection's business, which reads the log by position.

mod codec;
mod compress;
mod memory;
mod resend;
mod sieve;
mod sqlite;

pub use compress::{compress, decompress};
pub use memory::MemoryLog;
pub use sieve::Sieve;
pub use sqlite::{Options, Reader, SqliteLog};

use causeway_core::{Fault, FaultKind};

/// A fault of the storage: the peer learns that it cannot be kept now, the log says why.
pub(crate) fn storage(inside: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Storage, "the message cannot be kept now").inside(inside.to_string())
}

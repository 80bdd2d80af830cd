//! The read model: what people search. It is a projection of the log, in a file of its own, made by one thread that
//! follows the log by position; it can be thrown away and rebuilt. Bodies stay in the log. Nothing on the way of a
//! message waits for it.

mod forget;
mod lag;
mod message;
mod projector;
mod query;
mod schema;
mod words;

pub use lag::Lag;
pub use message::{ACCEPTED, state};
pub use projector::{Describe, Projector};
pub use query::{Filter, Listed, Reader};
pub use words::{index, spaced};

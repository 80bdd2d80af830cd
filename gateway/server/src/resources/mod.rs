//! FHIR resources with their versions, and what they are searched by: a projection of the log in a file of its own, made by
//! one thread that follows the log by position. What feeds say is laid over what is known, statement by statement; what is
//! written over HTTP is put in order here before it is decided. Formats and HTTP itself are not known here.

mod dates;
mod feed;
mod follow;
mod params;
mod query;
mod schema;
mod sequence;
mod wish;
mod write;

pub use follow::Resources;
pub use params::names as search_parameters;
pub use query::{Criterion, Found, Reader, Search};
pub use sequence::Sequencer;

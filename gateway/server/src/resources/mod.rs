//! FHIR resources with their versions, and what they are searched by: a projection of the log in a file of its own, made by
//! one thread that follows the log by position. What feeds say is laid over what is known, statement by statement; what is
//! written over HTTP is put in order here before it is decided. Formats and HTTP itself are not known here.

mod dates;
mod feed;
mod follow;
mod forget;
mod known;
mod merge;
mod options;
mod over;
mod pack;
mod params;
mod query;
pub mod quiet;
mod recent;
mod restated;
mod runs;
mod schema;
mod search;
mod sequence;
mod terms;
mod unite;
mod wish;
mod write;

#[cfg(test)]
mod tests;

pub use follow::Resources;
pub use known::Known;
pub use options::Options;
pub(crate) use pack::bundle_of;
pub use params::names as search_parameters;
pub use query::{Found, Older, Page, Reader, Readers};
pub use search::{Criterion, Search};
pub use sequence::Sequencer;
pub use unite::{Unite, Unites};

//! Lossless FHIR JSON: one arena a bundle, decimals as text, unknown elements kept, an origin for every node. The tree
//! knows JSON and nothing of FHIR's types; those are facts in the profiles crate.

mod bundle;
mod copy;
mod parse;
mod path;
#[cfg(test)]
mod tests;
mod tree;
mod write;

pub use bundle::{Bundle, Removal};
pub use parse::{JsonError, Limits, parse};
pub use tree::{Children, Kind, Mark, NodeId, Tree, Value};
pub use write::{compact, pretty, write_compact};

//! The row language: maps as CSV rows that a hospital's analyst reads in a spreadsheet. Here they are loaded, checked
//! against the facts of FHIR R4, compiled, run and explained, for every source format alike. No format's own knowledge
//! lives here, and nothing does I/O: texts come from the caller.
#![deny(missing_docs)]

mod overlay;
pub mod site;
pub mod syntax;
pub mod table;

pub use site::Site;
pub use syntax::{Library, Loaded, Problem, Source};

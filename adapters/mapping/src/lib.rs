//! The row language: maps as CSV rows that a hospital's analyst reads in a spreadsheet. Here they are loaded, checked
//! against the facts of FHIR R4, compiled, run and explained, for every source format alike. No format's own knowledge
//! lives here, and nothing does I/O: texts come from the caller.
#![deny(missing_docs)]

pub mod check;
mod codes;
mod compile;
pub mod doc;
mod explain;
mod group;
mod ledger;
mod maps;
pub mod ops;
mod overlay;
mod page;
mod plan;
pub mod primitives;
mod reading;
pub mod remarks;
mod reverse;
pub mod run;
pub mod site;
pub mod syntax;
mod systems;
pub mod table;

pub use check::{Facts, OpFact, check};
pub use explain::{UNREAD, explain};
pub use maps::{Maps, facts};
pub use page::{operations, page};
pub use plan::Plan;
pub use reverse::{Back, Backward, reverse, reverse_text};
pub use site::Site;
pub use syntax::{Library, Loaded, Problem, Source};

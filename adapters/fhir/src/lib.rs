//! FHIR R4 (4.0.1) as a format: JSON resources and Bundles of its HTTP API and of messaging, and the responses to them.
//! What is stored and searched is not known here; nothing here does I/O, reads a clock, or judges content beyond what the
//! request itself says. The few resources that the gateway itself writes are built with the core's own tree: typed models
//! would bring a hundred packages for three of them.
#![deny(missing_docs)]

mod adapter;
mod build;
mod delivery;
mod names;
pub mod outcome;
mod part;
mod problem;
mod references;
mod reply;
mod request;
mod status;

pub use adapter::{Fhir, Reading};
pub use delivery::{is_found_by_identifier, transaction};
pub use names::{is_id, is_type_name};
pub use problem::problem;
pub use references::{is_elsewhere, moves, settle};
pub use reply::{etag, http_date, instant, representation};
pub use request::{Operation, language, media_problem};
pub use status::{FORM, fields, status};

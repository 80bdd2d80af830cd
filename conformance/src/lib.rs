//! The conformance suite: cases in Markdown and the runner that takes them through any gateway, in process or over the
//! wire. A case is what integrators read, what they run against a gateway, and what CI runs. It knows the core's words
//! and no adapter.

mod case;
mod compare;
mod run;

pub use case::{Block, Case, CaseError, Role};
pub use compare::{exchange, reply};
pub use run::{Answered, Failure, Target, run};

//! Rules as data. A pack is a folder of tables that a pharmacist or inspector can read, with its citations and its own
//! cases; packs are read, linted, tested and put in force together as one immutable snapshot. Rules know no adapter
//! and no transport, do no I/O, and take "now" from the exchange.
#![deny(missing_docs)]

mod archive;
mod cases;
mod decimal;
mod decision;
mod explain;
mod files;
mod guard;
mod limits;
mod lines;
mod manifest;
mod pack;
mod problem;
mod snapshot;
mod table;

pub use cases::{Failure, Report, test};
pub use decision::Decision;
pub use files::{Files, PackFiles, Packs};
pub use guard::{Ran, run};
pub use manifest::{Approval, Manifest, Source};
pub use pack::{Pack, lint};
pub use problem::{Problem, Refused};
pub use snapshot::{Rules, Site, Snapshot};

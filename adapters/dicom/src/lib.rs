//! DICOM: from the beginning of an object to what it says of itself. This crate reads a bounded prefix and never pixel
//! data, allocates nothing by a declared length, and decodes text itself. It opens no file and no socket, and knows no
//! clock: what arrives and what leaves is the server's.
#![deny(missing_docs)]

pub mod adapter;
pub mod config;
pub mod data_set;
mod lift;
pub mod problem;
pub mod scan;
pub mod study;
pub mod syntax;
pub mod tag;
pub mod text;

pub use adapter::{Dicom, Reading};
pub use config::{Config, Unusable};
pub use data_set::{DataSet, Element, Scope};
pub use problem::{Problem, ProblemKind};
pub use scan::{Limits, read};
pub use syntax::Syntax;
pub use tag::{Tag, Vr};

//! The row language's grammar: CSV texts to structure rows, element rows, tables and places, each with its position. It
//! knows no format and no FHIR: what a place or an element means is found out by those who check and compile.

mod cells;
mod cursor;
mod element;
mod extra;
mod how;
mod library;
mod place;
mod span;
mod structure;
mod target;
mod test;
#[cfg(test)]
mod tests;

pub use cells::Cell;
pub(crate) use cells::{Record, Sheet};
pub use element::{CellSpans, ElementFile, ElementRow};
pub use extra::{ExtensionRow, MessageRow};
pub use how::{Constant, How, Literal, Param, ParamValue, Ref, Scope, TypeMap};
pub use library::{Library, Loaded, Source};
pub use place::{Base, Head, Mark, Part, Place, Select, Step};
pub use span::{Bad, FileId, Level, Problem, Span};
pub use structure::{FileRef, KeyCandidate, KeyPart, KeyWhat, Make, StructureCells, StructureFile, StructureRow};
pub use target::{Segment, Target};
pub use test::{Check, Compare, Subject, TableRef, Test};

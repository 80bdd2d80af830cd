//! From metadata to FHIR: the DICOM side of the row language (items, places, operations) and the embedded maps. How rows
//! are compiled and run is `causeway-mapping`'s; elements are `scan`'s and their text `text`'s.

mod document;
mod embedded;
mod format;
mod ops;
mod remarks;
mod spot;
#[cfg(test)]
mod tests;

pub(crate) use document::{Document, WHOLE, place_text};
pub(crate) use embedded::library;
pub(crate) use format::DicomFormat;
pub(crate) use remarks::finding;

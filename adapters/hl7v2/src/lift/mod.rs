//! From a tokenised message to FHIR: the HL7v2 side of the row language (places, types, header) and the embedded maps.
//! How rows are compiled and run is `causeway-mapping`'s; syntax is `tokenise`'s and `value`'s.

mod document;
mod embedded;
mod format;
mod step;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use causeway_mapping::remarks::finding;
pub(crate) use embedded::library;
pub(crate) use format::Hl7v2Format;

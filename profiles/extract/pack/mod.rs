//! Turns the published R4 definitions into the two texts of the pack: `facts` (types, elements, extensions, value sets)
//! and `codes` (code systems). Only facts are taken: names, numbers, codes, displays and addresses, never prose. The
//! grammar of the texts is told in `src/definitions/decode.rs`, which reads them.

mod elements;
mod extensions;
mod json;
mod published;
mod terms;

use std::path::Path;

use anyhow::Result;

/// The two texts of the pack, before compression.
pub(crate) struct Texts {
    pub(crate) facts: String,
    pub(crate) codes: String,
}

/// Reads the unpacked npm package and gives the texts.
pub(crate) fn extract(package: &Path) -> Result<Texts> {
    let source = published::Published::read(package)?;
    let systems = terms::systems(&source.terms);
    let mut facts = String::from("causeway-facts 1 hl7.fhir.r4 4.0.1\n");
    elements::write(&source, &mut facts)?;
    extensions::write(&source, &mut facts)?;
    terms::write_value_sets(&source.terms, &systems, &mut facts)?;
    let mut codes = String::from("causeway-codes 1 hl7.fhir.r4 4.0.1\n");
    terms::write_systems(&systems, &mut codes)?;
    Ok(Texts { facts, codes })
}

/// The form that is kept in the repository and embedded in the binary.
pub(crate) fn compress(text: &str) -> Result<Vec<u8>> {
    Ok(zstd::encode_all(text.as_bytes(), 19)?)
}

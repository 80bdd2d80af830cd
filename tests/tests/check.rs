//! `causeway check` over whole configurations: what can be used is found fine, and what cannot is named before the start.

use std::path::Path;
use std::process::Command;

/// Exit status of the check of a configuration, and all that it prints.
fn checked(config: &Path) -> (Option<i32>, String) {
    let output = Command::new(causeway_tests::binary())
        .args(["check", "--config"])
        .arg(config)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_configuration_with_every_way_in_is_checked_and_found_fine() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("causeway.toml");
    let ways = [
        "name = 'lab'",
        "name = 'pacs'\ntransport = 'dimse'\nformat = 'dicom'",
        "name = 'claims'\ntransport = 'files'\nformat = 'x12'",
        "name = 'web'\ntransport = 'http'\nroute = [{path = '/x12', format = 'x12'}, {path = '/fhir', format = 'fhir'}]",
    ];
    std::fs::write(&config, format!("[[listener]]\n{}\n", ways.join("\n[[listener]]\n"))).unwrap();
    let (code, said) = checked(&config);
    assert!(code == Some(0) && said.contains("pacs"), "{code:?} {said}");
}

#[test]
fn a_destination_that_cannot_be_used_is_found_before_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("causeway.toml");
    let said_of = |keys: &str| {
        let stanza = format!("[[destination]]\nname = 'next'\n{keys}\n");
        std::fs::write(&config, stanza).unwrap();
        checked(&config)
    };
    let (code, said) = said_of("to = 'mllp://127.0.0.1:1'");
    assert!(
        code == Some(0) && said.contains("next (mllp://127.0.0.1:1)"),
        "{code:?} {said}"
    );
    for keys in [
        "to = 'mllps://127.0.0.1:1'\n[destination.tls]\nca = 'absent.pem'",
        "to = 'https://127.0.0.1:1/fhir'\ntoken-file = 'absent.pem'",
    ] {
        let (code, said) = said_of(keys);
        assert!(code != Some(0) && said.contains("absent.pem"), "{code:?} {said}");
    }
}

//! The rules of the house as tests: which crate may know which, what must not be among the dependencies, and how files
//! look. A rule that is only written down is a wish.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .unwrap()
}

/// Which crates of the house a crate may use, tests and benches apart.
fn allowed(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "causeway-core" => &[],
        "causeway-profiles" | "causeway-store" | "causeway-conformance" | "causeway-fhir" => &["causeway-core"],
        "causeway-mapping" | "causeway-rules" => &["causeway-core", "causeway-profiles"],
        "causeway-hl7v2" | "causeway-x12" | "causeway-dicom" => &["causeway-core", "causeway-mapping"],
        "causeway-server" | "causeway-tests" => return None, // all
        other => panic!("say in this test what {other} may use"),
    })
}

#[test]
fn crates_know_only_whom_they_may() {
    let metadata = metadata();
    let mut wrong = BTreeSet::new();
    for package in metadata.workspace_packages() {
        let Some(allowed) = allowed(&package.name) else {
            continue;
        };
        for dependency in &package.dependencies {
            let ours = dependency.name.starts_with("causeway-");
            let for_tests = dependency.kind == cargo_metadata::DependencyKind::Development;
            if ours && !for_tests && !allowed.contains(&dependency.name.as_str()) {
                wrong.insert(format!("{} -> {}", package.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that may not be: {wrong:?}");
}

#[test]
fn fhir_sdk_stands_only_where_it_may() {
    for package in metadata().workspace_packages() {
        let uses = package
            .dependencies
            .iter()
            .any(|dependency| dependency.name == "fhir-sdk");
        let may = ["causeway-fhir", "causeway-server"].contains(&package.name.as_str());
        assert!(!uses || may, "{} uses fhir-sdk", package.name);
    }
}

/// `arbitrary_precision` of `serde_json` makes typed FHIR models drop good quantities.
#[test]
fn nobody_asks_for_arbitrary_precision() {
    let resolve = metadata().resolve.unwrap();
    for node in resolve.nodes {
        let asked = node
            .features
            .iter()
            .any(|feature| feature.as_str() == "arbitrary_precision");
        assert!(!asked, "{} has arbitrary_precision", node.id);
    }
}

#[test]
fn fewer_than_400_packages_are_locked() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let packages = lock.matches("[[package]]").count();
    assert!(packages < 400, "{packages} packages");
}

/// Every file of ours with one of these endings.
fn files(endings: &[&str]) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending))
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.insert(path, text);
            }
        }
    }
    found
}

#[test]
fn no_file_is_over_400_lines() {
    for (path, text) in files(&[".rs"]) {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_module_opens_with_its_paragraph() {
    for (path, text) in files(&[".rs"]) {
        let test_module = path.file_name().is_some_and(|name| name == "tests.rs") || path.ends_with("tests/mod.rs");
        assert!(
            test_module || text.starts_with("//!"),
            "{} does not say what lives there",
            path.display()
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "unimplemented".to_owned() + "!(",
    ];
    for (path, text) in files(&[".rs", ".py", ".sh"]) {
        for word in &words {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

#[test]
fn the_readme_names_both_commands_first() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let first: String = readme.lines().take(30).collect::<Vec<_>>().join("\n");
    assert!(first.contains("make demo") && first.contains("make test"));
}

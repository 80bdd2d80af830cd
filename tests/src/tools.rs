//! Programs that are none of ours: dcmtk's tools, and Python with its packages and the scripts in `tests/peers`, all as
//! `scripts/setup.sh test` sets them up. Where one is missing that is said, and nothing fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A script of `tests/peers`, run by the Python that has the packages; `None` without it.
pub fn python(script: &str) -> Option<Command> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = tests.parent()?.join("target/peers/bin/python");
    if !python.exists() {
        println!("SKIPPED: no target/peers/bin/python; `make test` or scripts/setup.sh test sets it up");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(tests.join("peers").join(script));
    Some(command)
}

/// The folder of a Python package; `None` without it.
pub fn package(name: &str) -> Option<PathBuf> {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("target/peers/lib");
    let versions = std::fs::read_dir(lib).into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("site-packages").join(name));
    let found = folders.into_iter().find(|folder| folder.is_dir());
    if found.is_none() {
        println!("SKIPPED: no {name} in target/peers; `make test` or scripts/setup.sh test sets it up");
    }
    found
}

/// A public DICOM file, from the wheel of pydicom.
pub fn public(name: &str) -> Option<PathBuf> {
    let file = package("pydicom")?.join("data/test_files").join(name);
    assert!(file.exists(), "pydicom brings no {name}");
    Some(file)
}

/// Runs a tool of dcmtk; `None` where it is not installed.
///
/// # Panics
/// When the thread that waits for it breaks.
pub async fn dcmtk(tool: &'static str, arguments: Vec<String>) -> Option<Output> {
    let ran = tokio::task::spawn_blocking(move || Command::new(tool).args(arguments).output()).await;
    let ran = ran.expect("a thread").ok();
    if ran.is_none() {
        println!("SKIPPED: {tool} is not installed; scripts/setup.sh test does it");
    }
    ran
}

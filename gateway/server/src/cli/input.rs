//! Reading what a command is given: files, `-` for stdin.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::output;

/// A file's name and bytes.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

/// Reads every file; says which one cannot be read, and then there is nothing.
pub(super) fn read(files: &[PathBuf]) -> Option<Vec<Input>> {
    let inputs: Result<_, _> = files.iter().map(|file| one(file)).collect();
    inputs.map_err(|error: String| output::note(&error)).ok()
}

fn one(file: &Path) -> Result<Input, String> {
    let name = file.display().to_string();
    let bytes = if name == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    match bytes {
        Ok(bytes) => Ok(Input {
            name,
            bytes: bytes.into(),
        }),
        Err(error) => Err(format!("cannot read {name}: {error}")),
    }
}

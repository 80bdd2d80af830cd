//! Lists the files below `packs/` so that the binary carries them. A new pack is a new folder and nothing else.
#![allow(
    clippy::expect_used,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "a build script speaks to cargo and to nobody else"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("packs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut out = String::from("&[\n");
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&root).expect("it lies below").to_string_lossy();
        let path = file.to_string_lossy();
        out += &format!("    ({name:?}, include_bytes!({path:?})),\n");
    }
    out.push(']');
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("packs.rs");
    fs::write(target, out).expect("the build folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).expect("the packs folder can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

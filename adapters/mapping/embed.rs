//! What the build script of every format with maps does: it lists the map and table files, so that they are embedded in the
//! binary and a new file needs no line of code. Build scripts take this file as a module; the crate itself knows nothing of it.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

/// Writes `embedded.rs`, the list of the crate's `maps` and `tables`.
///
/// # Errors
/// A folder cannot be read, or the list not be written.
pub(crate) fn embed() -> io::Result<()> {
    let missing = || io::Error::other("cargo sets CARGO_MANIFEST_DIR and OUT_DIR");
    let home = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(missing)?;
    let out = env::var_os("OUT_DIR").ok_or_else(missing)?;
    let mut list = String::from("pub(crate) static FILES: &[(&str, &str)] = &[\n");
    for folder in ["maps", "tables"] {
        println!("cargo::rerun-if-changed={folder}");
        let mut names = Vec::new();
        for entry in fs::read_dir(Path::new(&home).join(folder))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        for name in names.iter().filter(|name| is_map(name)) {
            let path = Path::new(&home).join(folder).join(name);
            let shown = if folder == "tables" {
                format!("tables/{name}")
            } else {
                name.clone()
            };
            writeln!(list, "    ({shown:?}, include_str!({:?})),", path.display()).map_err(io::Error::other)?;
        }
    }
    list.push_str("];\n");
    fs::write(Path::new(&out).join("embedded.rs"), list)
}

fn is_map(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "csv" || ending == "toml")
}

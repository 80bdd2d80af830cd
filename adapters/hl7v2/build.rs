//! Lists the map and table files so that they are embedded in the binary: a new file needs no line of code.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let home = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut list = String::from("pub(crate) static FILES: &[(&str, &str)] = &[\n");
    for folder in ["maps", "tables"] {
        println!("cargo::rerun-if-changed={folder}");
        let mut names = Vec::new();
        for entry in fs::read_dir(Path::new(&home).join(folder))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        for name in names
            .iter()
            .filter(|name| name.ends_with(".csv") || name.ends_with(".toml"))
        {
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
